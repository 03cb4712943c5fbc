#include "replay.hpp"

#include "observation.hpp"
#include "performer.hpp"
#include "scenario.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

namespace penning::conformance {

namespace {

constexpr auto otp_kind = "otp_supervisor";
constexpr auto elixir_kind = "elixir_dynamic_supervisor";

void check_step(const json& step) {
  check_keys(step,
             {"result", "trace", "reports", "which", "count", "nested", "alive", "exit", "orphans",
              "unordered", "quirk"},
             "a step");
}

void check_scenario(const json& scenario) {
  check_keys(scenario, {"name", "kind", "group", "note", "quirk", "input", "expect"}, "a scenario");
  const auto& kind = scenario.at("kind");
  if (kind != otp_kind && kind != elixir_kind)
    throw not_understood{"kind " + kind.dump()};
  const auto& input = scenario.at("input");
  const auto& expect = scenario.at("expect");
  check_keys(input, {"sup", "children", "events"}, "an input");
  check_keys(expect, {"start", "steps"}, "an expectation");
  if (expect.at("steps").size() != input.at("events").size())
    throw not_understood{"not as many steps as events"};
  check_step(expect.at("start"));
  for (const auto& step : expect["steps"])
    check_step(step);
}

/// What nobody says the order of, in an order.
json arranged(json value, std::string_view field, bool unordered) {
  const bool any_order = field == "nested" || field == "orphans"
                         || (unordered && (field == "trace" || field == "reports"));
  return any_order && value.is_array() ? sorted(std::move(value)) : value;
}

class play {
 public:
  play(const json& scenario, stage& where)
      : scenario_{scenario},
        session_{where},
        performer_{session_, scenario["kind"] == elixir_kind},
        fields_{"trace", "result", "alive",  "exit",   "orphans",
                "which", "count",  "nested", "reports"} {
    if (where.child_host()) // programs say less about themselves
      fields_ = {"alive", "exit", "which", "count"};
  }

  std::optional<difference> run() {
    const auto& input = scenario_["input"];
    const auto& expect = scenario_["expect"];
    if (auto found = attempt("start", expect["start"], [&] { return performer_.start(input); }))
      return found;
    const auto& events = input["events"];
    for (std::size_t i = 0; i < events.size(); ++i) {
      const auto step = std::to_string(i + 1) + " " + events[i].dump();
      const auto act = [&] { return performer_.perform(events[i]); };
      if (auto found = attempt(step, expect["steps"][i], act))
        return found;
    }
    return std::nullopt;
  }

 private:
  template <class Act>
  std::optional<difference> attempt(const std::string& step, const json& expected, Act act) {
    try {
      const auto done = act();
      auto got = observe(session_);
      got["result"] = to_json(done, session_.events());
      return compare(step, expected, got, done);
    } catch (const std::exception& error) {
      return difference{step, "replay", "an end of the step", error.what()};
    }
  }

  /// The first field that differs.
  std::optional<difference> compare(const std::string& step, json expected, const json& got,
                                    const outcome& done) {
    const auto complaints = session_.events().read([](const auto& s) { return s.complaints; });
    if (!complaints.empty())
      return difference{step, "replay", "no complaint", complaints.front()};
    expected["result"] = in_order(expected["result"], done);
    const auto top = session_.latest("top");
    if (top && top->is_dynamic && expected.contains("which"))
      expected["which"] = sorted(expected["which"]);
    const bool unordered = expected.value("unordered", false);
    for (const auto field : fields_) {
      if (field == "exit" && step == "start" && !expected.contains("exit"))
        continue; // a supervisor that did not start has none
      const auto value = [&](const json& of) {
        return arranged(of.value(std::string{field}, json{}), field, unordered);
      };
      if (value(expected) != value(got))
        return difference{step, std::string{field}, value(expected).dump(), value(got).dump()};
    }
    return std::nullopt;
  }

  const json& scenario_;
  session session_;
  performer performer_;
  std::vector<std::string_view> fields_;
};

bool sleeps_in(const json& events) {
  return std::ranges::any_of(events, [](const json& event) {
    return event.at("op") == "sleep" || sleeps_in(event.value("events", json::array()));
  });
}

} // namespace

bool sleeps(const json& scenario) {
  return sleeps_in(scenario.at("input").at("events"));
}

std::optional<difference> replay(const json& scenario, stage& where) {
  try {
    check_scenario(scenario);
    return play{scenario, where}.run();
  } catch (const std::exception& error) {
    return difference{"", "scenario", "one that is understood", error.what()};
  }
}

} // namespace penning::conformance
