#include <penning/bridge/erlang_type.hpp>
#include <penning/bridge/open_options.hpp>
#include <penning/bridge/vocabulary.hpp>

#include <gtest/gtest.h>

namespace penning::test {
namespace {

using namespace actors::literals;
using actors::term;
using actors::tuple_of;
using bridge::from_term;
using bridge::to_term;

/// A message of a user's own: one declaration.
struct greet {
  static constexpr auto tag = "greet";
  std::string whom;
  std::int64_t times = 0;
  auto fields() { return std::tuple{actors::field{"whom", whom}, actors::field{"times", times}}; }
};
using actors::inspect;

TEST(MessageTerm, IsATaggedTupleOfItsFields) {
  EXPECT_EQ(to_term(greet{"world", 3}), tuple_of("greet"_a, "world", 3));
  EXPECT_EQ(to_term(actors::data{{'h', 'i'}}), tuple_of("data"_a, "hi"));
}

TEST(MessageTerm, IsABareAtomWithoutFields) {
  EXPECT_EQ(to_term(actors::closed{}), "closed"_a);
  EXPECT_TRUE(from_term<actors::close>("close"_a));
}

TEST(MessageTerm, TellsHowAChildEnded) {
  using std::chrono::microseconds;
  actors::exited by_status{
    7, {io::exit_status::kind::status, 9, false}, {microseconds{1}, microseconds{2}, 3}};
  EXPECT_EQ(to_string(to_term(std::move(by_status))),
            "{exited,7,{status,9},#{user => 1,system => 2,max_rss => 3,oom_killed => false}}");
  actors::exited by_signal{7, {io::exit_status::kind::signal, 9, true}, {}};
  EXPECT_EQ((*to_term(std::move(by_signal)).get_if<actors::tuple>())[2],
            tuple_of("signal"_a, 9, true));
}

TEST(MessageTerm, TellsALineApartFromAPieceOfOne) {
  EXPECT_EQ(to_term(actors::data_line{{{'h', 'i'}, true}}),
            tuple_of("data"_a, tuple_of("eol"_a, "hi")));
  EXPECT_EQ(to_term(actors::error_line{{{'h', 'i'}, false}}),
            tuple_of("error"_a, tuple_of("noeol"_a, "hi")));
  const auto read = from_term<actors::data_line>(tuple_of("data"_a, tuple_of("noeol"_a, "hi")));
  EXPECT_EQ(read.value().line, (actors::line{{'h', 'i'}, false}));
  EXPECT_FALSE(from_term<actors::data_line>(tuple_of("data"_a, tuple_of("bol"_a, "hi"))));
  EXPECT_FALSE(from_term<actors::data_line>(tuple_of("data"_a, tuple_of("eol"_a, 1.5))));
}

TEST(MessageTerm, MayBeAMapOfItsFields) {
  greet message{"world", 3};
  EXPECT_EQ(to_string(bridge::to_map(message)), "#{whom => <<\"world\">>,times => 3}");
}

TEST(MessageTerm, IsReadBack) {
  const auto message = from_term<greet>(tuple_of("greet"_a, "world", 3));
  ASSERT_TRUE(message);
  EXPECT_EQ(message->whom, "world");
  EXPECT_EQ(message->times, 3);
}

TEST(MessageTerm, IsRefusedWhenTagArityOrAFieldDiffers) {
  EXPECT_FALSE(from_term<greet>(tuple_of("meet"_a, "world", 3)));
  EXPECT_FALSE(from_term<greet>(tuple_of("greet"_a, "world")));
  EXPECT_FALSE(from_term<greet>(tuple_of("greet"_a, "world", "three")));
  EXPECT_FALSE(from_term<greet>("greet"_a));
}

TEST(MessageTerm, ReadsBytesFromIodata) {
  const auto input = from_term<actors::command>(
    tuple_of("command"_a, actors::list_of("ab", 99, actors::list_of("d"))));
  ASSERT_TRUE(input);
  EXPECT_EQ(std::string(input->bytes.begin(), input->bytes.end()), "abcd");
}

TEST(MessageForm, IsTheTypeOfTheTerm) {
  EXPECT_EQ(bridge::form_of<greet>().as_term(), "{greet, Whom :: binary(), Times :: integer()}");
  EXPECT_EQ(bridge::form_of<actors::close>().as_term(), "close");
  EXPECT_EQ(bridge::form_of<actors::down>().tag, "'DOWN'");
  EXPECT_EQ(bridge::form_of<actors::window_size>().as_term(),
            "{window_size, Rows :: 0..65535, Columns :: 0..65535}");
}

TEST(MessageForm, IsTheTypeOfTheMap) {
  EXPECT_EQ(bridge::form_of<greet>().as_map(), "#{whom := binary(), times := integer()}");
}

TEST(Vocabulary, MakesTheTypedMessageOrElseATerm) {
  bridge::vocabulary words;
  words.add<greet>();
  EXPECT_TRUE(words.to_message(tuple_of("greet"_a, "world", 3)).match_elements<greet>());
  EXPECT_TRUE(words.to_message(tuple_of("greet"_a, 3)).match_elements<term>());
  EXPECT_TRUE(words.to_message(42).match_elements<term>());
}

TEST(Vocabulary, MakesATermOfAnAnswer) {
  bridge::vocabulary words;
  words.add<greet>();
  EXPECT_EQ(words.from_message(caf::make_message(greet{"you", 1})),
            term{tuple_of("greet"_a, "you", 1)});
  EXPECT_EQ(words.from_message(caf::make_message(term{"x"_a})), term{"x"_a});
  EXPECT_EQ(words.from_message(caf::make_message(std::int64_t{7})), term{7});
  EXPECT_EQ(words.from_message(caf::make_message(std::string{"s"})), term{"s"});
  EXPECT_EQ(words.from_message(caf::message{}), term{"ok"_a});
  EXPECT_FALSE(words.from_message(caf::make_message(actors::closed{})));
}

TEST(OpenOptions, AreReadFromTerms) {
  const auto options = bridge::to_options(
    "cat", actors::list_of("-u", actors::list_of("-", 'v' + 0)),
    actors::map_of({{"cd"_a, "/tmp"},
                    {"arg0"_a, "mew"},
                    {"delay_to_sigkill"_a, 7},
                    {"stdio_window"_a, 10'240},
                    {"env"_a, actors::list_of(tuple_of("A", "1"), tuple_of("B", "false"),
                                              tuple_of("C", false), tuple_of("D", "nil"_a))}}));
  EXPECT_EQ(options.program, "cat");
  EXPECT_EQ(options.args, (std::vector<std::string>{"-u", "-v"}));
  EXPECT_EQ(options.cd, "/tmp");
  EXPECT_EQ(options.arg0, "mew");
  EXPECT_EQ(options.delay_to_sigkill.count(), 7);
  EXPECT_EQ(options.stdio_window, 10'240u);
  const std::vector<io::environment_change> env{
    {"A", "1"}, {"B", "false"}, {"C", std::nullopt}, {"D", std::nullopt}};
  EXPECT_EQ(options.env, env);
}

} // namespace
} // namespace penning::test
