#include "report.hpp"

#include "statistics.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/utsname.h>

#include <fstream>
#include <thread>
#include <utility>

namespace penning::bench {
namespace {

std::string cpu_model() {
  std::ifstream file{"/proc/cpuinfo"};
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("model name"))
      return line.substr(line.find(':') + 2);
  return "unknown";
}

const char* unit(quantity compared) {
  switch (compared) {
  case quantity::megabytes_per_second: return "MB/s";
  case quantity::bytes_per_item: return "bytes each";
  case quantity::percent_of_a_processor: return "% of one";
  case quantity::percent_of_the_mean: return "% of the mean";
  default: return "µs/op";
  }
}

std::string number(double value) {
  if (value < 0.1)
    return fmt::format("{:.4f}", value);
  return value < 100 ? fmt::format("{:.2f}", value) : fmt::format("{:.0f}", value);
}

std::string with_range(const spread& of) {
  return fmt::format("{} ({}..{})", number(of.median), number(of.min), number(of.max));
}

std::string latency(const side_result& side, double share) {
  return side.latencies.empty() ? "-" : number(quantile(side.latencies, share));
}

std::string line(const side_result& side) {
  return fmt::format("  {:<34}{:>26}{:>10}{:>10}{:>10}{:>10}   {}\n", side.name,
                     with_range(spread_of(side.values)), latency(side, 0.5), latency(side, 0.99),
                     number(spread_of(side.cpu).median), side.max_rss_kib,
                     with_range(spread_of(side.ratios)));
}

nlohmann::ordered_json json(const spread& of) {
  return {{"median", of.median}, {"min", of.min}, {"max", of.max}};
}

nlohmann::ordered_json json(const side_result& side) {
  nlohmann::ordered_json result{{"name", side.name},
                                {"value", json(spread_of(side.values))},
                                {"ratio", json(spread_of(side.ratios))},
                                {"cpu_us_per_unit", json(spread_of(side.cpu))},
                                {"max_rss_kib", side.max_rss_kib},
                                {"rounds", side.values}};
  if (!side.latencies.empty())
    for (auto [name, share] : {std::pair{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"max", 1.0}})
      result["latency_us"][name] = quantile(side.latencies, share);
  return result;
}

} // namespace

machine_facts facts_of_this_machine(std::string containment) {
  utsname name{};
  ::uname(&name);
  return {.kernel = fmt::format("{} {}", name.sysname, name.release),
          .cpu = cpu_model(),
          .cores = std::thread::hardware_concurrency(),
          .compiler = "g++ " __VERSION__,
          .build = PENNING_BENCH_BUILD_TYPE,
          .containment = std::move(containment)};
}

std::string table(const machine_facts& facts, const std::vector<subject_result>& results) {
  auto text = fmt::format("{}, {}, {} cores, {}, {}, containment: {}\n", facts.kernel, facts.cpu,
                          facts.cores, facts.compiler, facts.build, facts.containment);
  for (const auto& result : results) {
    text += fmt::format("\n{}: {}\n", result.name, result.what);
    text +=
      fmt::format("  {:<34}{:>26}{:>10}{:>10}{:>10}{:>10}   {}\n", "",
                  fmt::format("{} (min..max)", unit(result.compared)), "p50 µs", "p99 µs",
                  result.compared == quantity::megabytes_per_second ? "cpu µs/MB" : "cpu µs/op",
                  "rss KiB", "to the limit (min..max)");
    for (const auto& side : result.sides)
      text += line(side);
  }
  return text;
}

nlohmann::ordered_json json(const machine_facts& facts,
                            const std::vector<subject_result>& results) {
  nlohmann::ordered_json result{{"machine",
                                 {{"kernel", facts.kernel},
                                  {"cpu", facts.cpu},
                                  {"cores", facts.cores},
                                  {"compiler", facts.compiler},
                                  {"build", facts.build},
                                  {"containment", facts.containment}}},
                                {"subjects", nlohmann::ordered_json::array()}};
  for (const auto& one : results) {
    nlohmann::ordered_json sides = nlohmann::ordered_json::array();
    for (const auto& side : one.sides)
      sides.push_back(json(side));
    result["subjects"].push_back(
      {{"name", one.name}, {"what", one.what}, {"unit", unit(one.compared)}, {"sides", sides}});
  }
  return result;
}

} // namespace penning::bench
