#include "report.hpp"
#include "subjects.hpp"

#include <penning/io/context.hpp>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <exception>
#include <fstream>
#include <iostream>
#include <iterator>
#include <stdexcept>
#include <string>

namespace {

using namespace penning::bench;

std::vector<subject> all_subjects() {
  auto result = spawn_and_reap();
  for (auto& more :
       {stdout_throughput(), echo(), restart_of_a_process(), idle_children(), restarts(),
        dynamic_children(), messages(), stdout_to_elixir(), children_over_the_bridge()})
    std::ranges::copy(more, std::back_inserter(result));
  return result;
}

std::vector<subject_result> run_all(const std::string& filter, bool quick, int rounds) {
  std::vector<subject_result> results;
  for (const auto& subject : all_subjects())
    if (subject.name.find(filter) != std::string::npos) {
      std::cerr << subject.name << "...\n";
      results.push_back(run(subject, quick, rounds));
    }
  return results;
}

} // namespace

int main(int argc, char** argv) {
  bool quick = false;
  int rounds = 11;
  std::string filter;
  std::string path;
  CLI::App app{"Measures penning beside the limit of the machine, in turns."};
  app.add_flag("--quick", quick, "Do much less: to see that it works, not to measure");
  auto* given = app.add_option("--rounds", rounds, "How often each side runs")
                  ->check(CLI::PositiveNumber)
                  ->capture_default_str();
  app.add_option("--filter", filter, "Only subjects with this in their name");
  app.add_option("--json", path, "Write the results to this file too");
  CLI11_PARSE(app, argc, argv);
  if (quick && given->empty())
    rounds = 3;

  try {
    const auto results = run_all(filter, quick, rounds);
    if (results.empty())
      throw std::runtime_error("no subject has \"" + filter + "\" in its name");
    // Only now: a side runs in a fork, which must not find another thread here.
    const auto facts = facts_of_this_machine(std::string{penning::io::context{}.containment()});
    std::cout << table(facts, results);
    if (!path.empty() && !(std::ofstream{path} << json(facts, results).dump(2) << '\n'))
      throw std::runtime_error("cannot write " + path);
  } catch (const std::exception& e) {
    std::cerr << "penning_bench: " << e.what() << '\n';
    return 1;
  }
}
