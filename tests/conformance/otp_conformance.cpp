// Replays what real OTP did, recorded scenario by scenario, against our supervisors: every *.jsonl
// in the folder that PENNING_OTP_SCENARIOS names, by default the project's copy. Prints
// `FILE: N of M` and the first difference of each scenario that has one; exits 1 unless all agree.
// Scenarios that show a quirk of one version of OTP are told apart and count in neither number.
#include "os_children.hpp"
#include "replay.hpp"

#include <penning/supervision/report.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <optional>

namespace {

using namespace penning::conformance;

struct options {
  bool real = false;
  bool programs = false;
  std::size_t threads = 4;
  std::size_t repeat = 1;
  std::string only; // a scenario's name
};

struct tally {
  std::size_t same = 0, all = 0;
  std::map<std::string, std::size_t> skipped; // by reason
};

void print(const std::string& file, const std::string& name, const difference& what) {
  std::cout << file << ": " << name << ": step " << what.step << ": " << what.field << ": expected "
            << what.expected << ", got " << what.got << '\n';
}

/// A stage of its own for each scenario where that costs nothing, so that time begins anew.
std::optional<difference> play(const json& scenario, stage* shared) {
  if (shared)
    return replay(scenario, *shared);
  const auto own = make_virtual_stage();
  return replay(scenario, *own);
}

/// What keeps a scenario from being played there.
std::optional<std::string> why_not(const json& scenario, stage* shared) {
  if (shared && shared->child_host())
    return obstacle(scenario);
  if (shared && sleeps(scenario))
    return "sleep";
  return std::nullopt;
}

void check(const std::string& file, const json& scenario, stage* shared, tally& count) {
  const auto name = scenario.value("name", "?");
  if (const auto reason = why_not(scenario, shared)) {
    ++count.skipped[*reason];
    return;
  }
  const auto found = play(scenario, shared);
  if (scenario.contains("quirk")) {
    std::cout << file << ": quirk " << name << ": " << (found ? "differs" : "same") << '\n';
    if (found)
      print(file, "quirk " + name, *found);
    return;
  }
  ++count.all;
  count.same += found ? 0 : 1;
  if (found)
    print(file, name, *found);
}

bool check_file(const std::filesystem::path& path, const options& how, stage* shared) {
  tally count;
  const auto file = path.filename().string();
  std::ifstream lines{path};
  for (std::string line; std::getline(lines, line);) {
    if (line.empty())
      continue;
    const auto scenario = json::parse(line);
    if (how.only.empty() || scenario.value("name", "") == how.only)
      check(file, scenario, shared, count);
  }
  for (const auto& [reason, times] : count.skipped)
    std::cout << file << ": skipped " << times << " (" << reason << ")\n";
  std::cout << file << ": " << count.same << " of " << count.all << std::endl;
  return count.same == count.all;
}

std::vector<std::filesystem::path> files_in(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator{folder})
    if (entry.path().extension() == ".jsonl")
      files.push_back(entry.path());
  std::ranges::sort(files);
  return files;
}

int run(int argc, char** argv) {
  options how;
  CLI::App app{"Replays what OTP's supervisors did against ours.", "otp_conformance"};
  app.add_flag("--real", how.real, "On the machine's threads and clock; else on a virtual clock");
  app.add_flag("--os", how.programs,
               "As --real, with programs as children; compares alive, exit, which and count");
  app.add_option("--threads", how.threads, "Of --real and --os")->check(CLI::PositiveNumber);
  app.add_option("--repeat", how.repeat, "How often")->check(CLI::PositiveNumber);
  app.add_option("SCENARIO", how.only, "Only the one of this name");
  CLI11_PARSE(app, argc, argv);

  penning::supervision::set_report_log(penning::supervision::report_log::off);
  const auto* folder = std::getenv("PENNING_OTP_SCENARIOS");
  const auto files = files_in(folder && *folder ? folder : PENNING_OTP_DATA_DIR);
  const auto shared = how.programs ? make_program_stage(how.threads)
                      : how.real   ? make_real_stage(how.threads)
                                   : nullptr;
  bool all_same = !files.empty();
  for (std::size_t round = 0; round < how.repeat; ++round)
    for (const auto& file : files)
      all_same &= check_file(file, how, shared.get());
  return all_same ? EXIT_SUCCESS : EXIT_FAILURE;
}

} // namespace

int main(int argc, char** argv) try { return run(argc, argv); } catch (const std::exception& e) {
  std::cerr << "otp_conformance: " << e.what() << '\n';
  return EXIT_FAILURE;
}
