#include "supervise_fixture.hpp"

namespace penning::test {
namespace {

struct bad_spec_case {
  term flags, specs, error;
};

class SuperviseBadSpec : public Supervise, public testing::WithParamInterface<bad_spec_case> {};

TEST_P(SuperviseBadSpec, IsRefusedBeforeAnythingIsStarted) {
  const auto& [flags, specs, error] = GetParam();
  EXPECT_EQ(request(tuple_of("supervise"_a, flags, specs)), tuple_of(atoms::error(), error));
  EXPECT_TRUE(others.empty()) << to_string(others.front());
  EXPECT_EQ(children(), 0);
}

term supervisor_data(const term& error) {
  return tuple_of("supervisor_data"_a, error);
}
term start_spec(const term& error) {
  return tuple_of("start_spec"_a, error);
}

term with_mfa(const term& mfa) {
  return map_of({{"id"_a, "b"_a}, {"start"_a, mfa}});
}
const term other_mfa = tuple_of("erlang"_a, "apply"_a, list_of(1));
const term short_mfa = tuple_of("penning"_a, "os_process"_a, list_of("sleep"));

INSTANTIATE_TEST_SUITE_P(
  Each, SuperviseBadSpec,
  testing::Values(
    bad_spec_case{7, list{}, supervisor_data(tuple_of("invalid_type"_a, 7))},
    bad_spec_case{map_of({{"intensity"_a, -1}}), list_of(sleeper("a"_a)),
                  supervisor_data(tuple_of("invalid_intensity"_a, -1))},
    bad_spec_case{map_of({{"strategy"_a, "some"_a}}), list{},
                  supervisor_data(tuple_of("invalid_strategy"_a, "some"_a))},
    bad_spec_case{map_of({{"strategy"_a, "simple_one_for_one"_a}}), list_of(sleeper("a"_a)),
                  supervisor_data(tuple_of("invalid_strategy"_a, "simple_one_for_one"_a))},
    bad_spec_case{patient, "x"_a, tuple_of("bad_start_spec"_a, "x"_a)},
    bad_spec_case{patient, list_of(sleeper("a"_a), map_of({})), start_spec("missing_id"_a)},
    bad_spec_case{patient, list_of(sleeper("a"_a), sleeper("a"_a)),
                  start_spec(tuple_of("duplicate_child_name"_a, "a"_a))},
    bad_spec_case{patient, list_of(sleeper("a"_a, {{"restart"_a, "ever"_a}})),
                  start_spec(tuple_of("invalid_restart_type"_a, "ever"_a))},
    bad_spec_case{patient, list_of(sleeper("a"_a, {{"backoff"_a, 7}})),
                  start_spec(tuple_of("invalid_backoff"_a, 7))},
    bad_spec_case{patient, list_of(sleeper("a"_a, {{"start_after"_a, list_of("x"_a)}})),
                  start_spec(tuple_of("invalid_start_after"_a, "x"_a))},
    bad_spec_case{patient, list_of(sleeper("a"_a, {{"start_timeout"_a, -1}})),
                  start_spec(tuple_of("invalid_start_timeout"_a, -1))},
    bad_spec_case{patient, list_of(sleeper("a"_a), with_mfa(other_mfa)),
                  start_spec(tuple_of("invalid_mfa"_a, other_mfa))},
    bad_spec_case{patient, list_of(sleeper("a"_a), with_mfa(short_mfa)),
                  start_spec(tuple_of("invalid_mfa"_a, short_mfa))}));

struct bad_child_case {
  term spec;
  std::string option, value;
};

class SuperviseBadOption : public Supervise, public testing::WithParamInterface<bad_child_case> {};

TEST_P(SuperviseBadOption, IsNamedAndNothingIsStarted) {
  const auto& [spec, option, value] = GetParam();
  const auto expected = tup("bad_option"_a, actors::atom{option}, value, actors::any);
  const auto answer = request(tuple_of("supervise"_a, patient, list_of(sleeper("a"_a), spec)));
  EXPECT_TRUE(match(answer, atoms::error(), expected)) << to_string(answer);
  EXPECT_TRUE(others.empty()) << to_string(others.front());
  // and a supervisor that runs refuses it alike
  const auto supervisor = supervise(list{});
  EXPECT_TRUE(match(call(supervisor, tuple_of("start_child"_a, spec)), atoms::error(), expected));
  EXPECT_EQ(result(supervisor, "which_children"_a), list{});
  EXPECT_EQ(children(), 0);
}

INSTANTIATE_TEST_SUITE_P(
  Each, SuperviseBadOption,
  testing::Values(
    bad_child_case{child("b"_a, ""), "program", ""},
    bad_child_case{child("b"_a, "cat", {}, map_of({{"foo"_a, 1}})), "foo", "1"},
    bad_child_case{child("b"_a, "cat", {}, map_of({{"cd"_a, "/nosuch"}})), "cd", "/nosuch"},
    bad_child_case{child("b"_a, "cat", {}, map_of({{"stdio_window"_a, 0}})), "stdio_window", "0"},
    bad_child_case{child("b"_a, "cat", {}, map_of({{"delay_to_sigkill"_a, -5}})),
                   "delay_to_sigkill", "-5"},
    bad_child_case{child("b"_a, "cat", {}, map_of({{"ready"_a, 7}})), "ready", "7"},
    bad_child_case{child("b"_a, "cat", {}, 7), "options", "7"}));

} // namespace
} // namespace penning::test
