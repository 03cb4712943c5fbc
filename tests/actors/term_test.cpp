#include <penning/actors/term.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <set>
#include <thread>
#include <unordered_set>

namespace penning::actors {
namespace {

term nested_tuples(std::size_t depth) {
  term t;
  for (std::size_t i = 0; i < depth; ++i)
    t = tuple_of(std::move(t));
  return t;
}

TEST(Term, TakesCppValuesByExplicitRules) {
  EXPECT_TRUE(term{42}.is<std::int64_t>());
  EXPECT_TRUE(term{2.5}.is<double>());
  EXPECT_TRUE(term{true}.is_atom("true"));
  EXPECT_TRUE(term{"text"}.is<binary>()); // neither bool nor atom
  EXPECT_TRUE(term{std::string{"text"}}.is<binary>());
  EXPECT_TRUE(term{"ok"_a}.is_atom("ok"));
  EXPECT_TRUE(term{}.is_nil());
  static_assert(!std::is_constructible_v<term, char>);
  static_assert(!std::is_constructible_v<term, const int*>);
  static_assert(!std::is_constructible_v<term, std::nullptr_t>);
}

TEST(Term, IsSmallAndMovesWithoutThrowing) {
  static_assert(sizeof(term) <= 40);
  static_assert(std::is_nothrow_move_constructible_v<term>);
  term from{pid{"penning"_a, 1, 2, 3}};
  const term to{std::move(from)};
  EXPECT_TRUE(to.is<pid>());
  EXPECT_TRUE(from.is_nil()); // NOLINT: a moved-from term is []
}

TEST(Term, AsksForIntegersOfTheRightRange) {
  EXPECT_EQ(term{300}.as<int>(), 300);
  EXPECT_FALSE(term{300}.as<std::uint8_t>());
  EXPECT_FALSE(term{-1}.as<unsigned>());
  constexpr auto most = std::numeric_limits<std::uint64_t>::max();
  EXPECT_TRUE(term{most}.is<big_integer>());
  EXPECT_EQ(term{most}.as<std::uint64_t>(), most);
  EXPECT_FALSE(term{most}.as<std::int64_t>());
  EXPECT_FALSE(term{1}.as<double>());
  EXPECT_FALSE(term{1.0}.as<int>());
}

TEST(Term, ReadsContainersAndText) {
  EXPECT_EQ(term{list_of(1, 2, 3)}.as<std::vector<int>>(), (std::vector{1, 2, 3}));
  EXPECT_FALSE(term{list_of(1, "x")}.as<std::vector<int>>());
  EXPECT_EQ(term{"text"}.as<std::string>(), "text");
  EXPECT_FALSE(term{"text"_a}.as<std::string>());
  EXPECT_EQ(term{false}.as<bool>(), false);
  EXPECT_FALSE(term{"maybe"_a}.as<bool>());
}

TEST(Term, MatchesTuplesByPattern) {
  // given a call as GenServer sends it
  const term from = tuple_of(pid{"n@h"_a, 1, 0, 7}, reference{"n@h"_a, 7, {1, 2, 3}});
  const term call = tuple_of("$gen_call"_a, from, tuple_of("add"_a, 1, 2));
  // when it is matched
  const auto m = match(call, "$gen_call"_a, tup(bind<pid>, any), tup("add"_a, bind<int>, 2));
  // then the bound parts come out in order
  ASSERT_TRUE(m);
  const auto& [caller, first] = *m;
  EXPECT_EQ(caller.id, 1U);
  EXPECT_EQ(first, 1);
  // and another tag, arity or type does not match
  EXPECT_FALSE(match(call, "$gen_cast"_a, any, any));
  EXPECT_FALSE(match(call, "$gen_call"_a, any));
  EXPECT_FALSE(match(call, "$gen_call"_a, any, bind<int>));
  EXPECT_FALSE(match(term{1}, "$gen_call"_a, any, any));
  EXPECT_TRUE(call.is_tuple("$gen_call", 3));
  EXPECT_FALSE(term{tuple{}}.is_tuple("", 0));
}

TEST(Term, LooksUpOptionsInMapsAndPropertyLists) {
  const term in_map = map_of({{"cd"_a, "/tmp"}, {"tty"_a, true}});
  const term in_list = list_of(tuple_of("cd"_a, "/tmp"), "tty"_a, tuple_of("cd"_a, "later"));
  for (const auto& options : {in_map, in_list}) {
    EXPECT_EQ(lookup_as<std::string>(options, "cd"), "/tmp");
    EXPECT_EQ(lookup_as<bool>(options, "tty"), true);
    EXPECT_FALSE(lookup_as<bool>(options, "env"));
    EXPECT_FALSE(lookup_as<int>(options, "cd"));
  }
  EXPECT_EQ(lookup(term{1}, "cd"), nullptr);
  EXPECT_EQ(lookup(map_of({{"cd", 1}}), "cd"), nullptr); // names an atom, not the binary
  EXPECT_NE(lookup(map_of({{"cd", 1}}), term{"cd"}), nullptr);
}

TEST(Term, FlattensIodata) {
  const term nested = list_of("he", list_of(108, list_of(), "l"), list_of(list_of("o")));
  EXPECT_EQ(iodata_to_bytes(nested), "hello");
  EXPECT_EQ(iodata_to_bytes(term{"bytes"}), "bytes");
  EXPECT_EQ(iodata_to_bytes(list::with_tail({term{104}}, "i")), "hi");
  EXPECT_EQ(iodata_to_bytes(list::with_tail({term{104}}, 105)), std::nullopt);
  EXPECT_EQ(iodata_to_bytes(list_of(256)), std::nullopt);
  EXPECT_EQ(iodata_to_bytes(list_of("ok"_a)), std::nullopt);
  EXPECT_EQ(iodata_to_bytes(term{104}), std::nullopt);
}

TEST(Term, ReadsCharlists) {
  EXPECT_TRUE(is_charlist(charlist("añ日")));
  EXPECT_EQ(text_of(charlist("añ日")), "añ日");
  EXPECT_EQ(text_of(term{"añ"}), "añ");
  EXPECT_TRUE(is_charlist(term{}));
  EXPECT_FALSE(is_charlist(list_of(0xd800)));
  EXPECT_FALSE(is_charlist(list::with_tail({term{97}}, 98)));
  EXPECT_THROW(charlist("\xff"), std::invalid_argument);
}

TEST(Term, EqualsAsErlangDoes) {
  EXPECT_NE(term{1}, term{1.0});
  EXPECT_EQ(term{0.0}, term{-0.0});
  EXPECT_EQ(hash_value(term{0.0}), hash_value(term{-0.0}));
  EXPECT_EQ(term(map_of({{1, "a"}, {2, "b"}})), term(map_of({{2, "b"}, {1, "a"}})));
  EXPECT_EQ(hash_value(map_of({{1, "a"}, {2, "b"}})), hash_value(map_of({{2, "b"}, {1, "a"}})));
  EXPECT_NE(term{"ok"}, term{"ok"_a});
  EXPECT_NE(term{list_of(1, 2)}, list::with_tail({term{1}}, 2));
  EXPECT_EQ(list::with_tail({term{1}}, list_of(2)), term{list_of(1, 2)});
  const term short_ref = reference{"n@h"_a, 1, {1}};
  const term long_ref = reference{"n@h"_a, 1, {1, 0}}; // words that are zero do not count
  EXPECT_EQ(short_ref, long_ref);
  EXPECT_EQ(hash_value(short_ref), hash_value(long_ref));
}

TEST(Term, OrdersAsErlangDoes) {
  fun closure;
  closure.module = "m"_a;
  // number < atom < reference < fun < port < pid < tuple < map < nil < list < bitstring
  const std::vector<term> ascending{-1,
                                    0.5,
                                    1,
                                    big_integer::parse("9223372036854775808").value(),
                                    "a"_a,
                                    "b"_a,
                                    reference{"n@h"_a, 1, {1}},
                                    closure,
                                    external_fun{"lists"_a, "map"_a, 2},
                                    port{"n@h"_a, 1, 1},
                                    pid{"n@h"_a, 1, 1, 1},
                                    tuple{},
                                    tuple_of(2),
                                    tuple_of(1, 1),
                                    map{},
                                    map_of({{1, 1}}),
                                    list{},
                                    list_of(1),
                                    list_of(1, 2),
                                    list_of(2),
                                    "",
                                    "a",
                                    bitstring{"a\xe0", 11},
                                    "b"};
  for (std::size_t i = 0; i < ascending.size(); ++i)
    for (std::size_t j = 0; j < ascending.size(); ++j) {
      EXPECT_TRUE(term_order(ascending[i], ascending[j]) == (i <=> j))
        << to_string(ascending[i]) << " and " << to_string(ascending[j]);
      EXPECT_EQ(ascending[i] == ascending[j], i == j);
    }
}

TEST(Term, ComparesNumbersByValueHoweverLarge) {
  const auto big = [](const char* text) { return term{big_integer::parse(text).value()}; };
  EXPECT_TRUE(term_order(1, 1.0) == 0);
  EXPECT_TRUE((term{1.0} <=> term{1}) > 0); // keys of maps: integers come first
  EXPECT_TRUE((term_order(9007199254740993, 9007199254740992.0)) > 0); // though doubles round it
  EXPECT_TRUE(term_order(big("18446744073709551616"), 18446744073709551616.0) == 0);
  EXPECT_TRUE((term_order(big("18446744073709551617"), 18446744073709551616.0)) > 0);
  EXPECT_TRUE((term_order(big("-18446744073709551617"), -18446744073709551616.0)) < 0);
  EXPECT_TRUE((term_order(big("9223372036854775808"), 1.5)) > 0);
}

TEST(Term, ComparesKeysOfMapsExactlyButTheirValuesByValue) {
  EXPECT_TRUE(term_order(map_of({{1, "a"_a}}), map_of({{1.0, "a"_a}})) != 0);
  EXPECT_TRUE(term_order(map_of({{"a"_a, 1}}), map_of({{"a"_a, 1.0}})) == 0);
}

TEST(Term, IsAKeyOfSetsAndTables) {
  const std::set<term> ordered{1, 1.0, "a", "a"_a, 1};
  const std::unordered_set<term> hashed{1, 1.0, "a", "a"_a, 1};
  EXPECT_EQ(ordered.size(), 4U);
  EXPECT_EQ(hashed.size(), 4U);
}

TEST(Term, PrintsAsErlangDoes) {
  const auto text = [](const term& t) { return to_string(t); };
  EXPECT_EQ(text(tuple_of("exit_status"_a, 3)), "{exit_status,3}");
  EXPECT_EQ(text(list_of("a"_a, "x")), "[a,<<\"x\">>]");
  EXPECT_EQ(text("quoted atom"_a), "'quoted atom'");
  EXPECT_EQ(text("Elixir.Foo"_a), "'Elixir.Foo'");
  EXPECT_EQ(text("end"_a), "'end'");
  EXPECT_EQ(text("it's\n"_a), "'it\\'s\\n'");
  EXPECT_EQ(text(map_of({{"a"_a, 1}, {"b"_a, list{}}})), "#{a => 1,b => []}");
  EXPECT_EQ(text(list::with_tail({term{1}, term{2}}, "t"_a)), "[1,2|t]");
  EXPECT_EQ(text(charlist("hi\"")), "\"hi\\\"\"");
  EXPECT_EQ(text(term{std::string{"\1\2", 2}}), "<<1,2>>");
  EXPECT_EQ(text("åäö"), "<<\"åäö\"/utf8>>");
  EXPECT_EQ(text(bitstring{"a\xe0", 11}), "<<97,7:3>>");
  EXPECT_EQ(text(external_fun{"lists"_a, "map"_a, 2}), "fun lists:map/2");
}

TEST(Term, PrintsIdentities) {
  EXPECT_EQ(to_string(pid{"penning"_a, 1, 2, 3}), "<0.1.2>");
  EXPECT_EQ(to_string(pid{"n@h"_a, 1, 2, 3}), "<n@h.1.2>");
  EXPECT_EQ(to_string(port{"penning"_a, 5, 1}), "#Port<0.5>");
  EXPECT_EQ(to_string(reference{"penning"_a, 1, {1, 2, 3}}), "#Ref<0.3.2.1>");
}

TEST(Term, PrintsNumbersAsErlangDoes) {
  const std::pair<double, const char*> floats[] = {{1.0, "1.0"},
                                                   {100.0, "100.0"},
                                                   {1000.0, "1.0e3"},
                                                   {123400.0, "1.234e5"},
                                                   {123456789.0, "123456789.0"},
                                                   {0.0001, "0.0001"},
                                                   {0.00012, "1.2e-4"},
                                                   {-0.0, "-0.0"},
                                                   {9007199254740991.0, "9007199254740991.0"},
                                                   {9007199254740992.0, "9.007199254740992e15"},
                                                   {5e-324, "5.0e-324"}};
  for (const auto& [value, text] : floats)

    EXPECT_EQ(to_string(term{value}), text);
  const auto digits = "-123456789012345678901234567890000000000000000000";
  EXPECT_EQ(to_string(big_integer::parse(digits).value()), digits);
}

TEST(Term, PrintsAPeersHugeIntegerInLinearTime) {
  const auto text = to_string(big_integer{true, std::vector<std::uint8_t>(1 << 20, 0xab)});
  EXPECT_EQ(text.substr(0, 8), "-16#ABAB");
  EXPECT_EQ(text.size(), 4U + (2 << 20));
}

TEST(Term, NestsAsDeepAsItLikes) {
  // given two terms far deeper than the stack would bear
  const auto a = nested_tuples(1'000'000);
  const auto b = nested_tuples(1'000'000);
  // then nothing that is done to them recurses
  const auto copy = a;
  EXPECT_EQ(a, b);
  EXPECT_TRUE(term_order(a, copy) == 0);
  EXPECT_EQ(hash_value(a), hash_value(b));
  EXPECT_EQ(to_string(a).size(), 2'000'002U);
}

TEST(Term, IsDestroyedDeepInListsMapsAndFunsAlike) {
  term t;
  for (int i = 0; i < 200'000; ++i) {
    fun closure;
    closure.free_variables = tuple_of(std::move(t));
    t = list::with_tail({term{map_of({{i, std::move(closure)}})}}, "tail"_a);
  }
  EXPECT_TRUE(t.is<list>());
}

TEST(Term, IsSharedBetweenThreads) {
  const term t = list_of(tuple_of("a"_a, std::string(100, 'x')), 1);
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([t] {
      for (int n = 0; n < 1000; ++n) {
        const auto copy = t;
        EXPECT_EQ(copy, t);
      }
    });
}

TEST(TermMap, KeepsTheOrderOfItsEntriesAndFindsKeys) {
  const auto m = map_of({{"z"_a, 1}, {"a"_a, 2}, {"m"_a, 3}});
  EXPECT_EQ(to_string(m), "#{z => 1,a => 2,m => 3}");
  EXPECT_EQ(*m.find("m"_a), term{3});
  EXPECT_EQ(m.find("x"_a), nullptr);
  EXPECT_EQ(m.find(term{"z"}), nullptr); // a binary is no atom
  EXPECT_EQ(m.sorted(0).first, term{"a"_a});
  int sum = 0;
  for (const auto [key, value] : m)
    sum += value.as<int>().value();
  EXPECT_EQ(sum, 6);
}

TEST(TermMap, LetsTheLastOfEqualKeysWin) {
  EXPECT_EQ(to_string(map_of({{"b"_a, 1}, {"a"_a, 2}, {"b"_a, 3}})), "#{b => 3,a => 2}");
  EXPECT_EQ(to_string(map_of({{"a"_a, 1}}).with("a"_a, 2).with("b"_a, 3)), "#{a => 2,b => 3}");
  EXPECT_EQ(map_of({{1, "int"}, {1.0, "float"}}).size(), 2U);
}

TEST(TermMap, FindsEachOfManyKeys) {
  std::vector<term> entries;
  for (int i = 0; i < 1000; ++i) {
    entries.emplace_back(i * 7919 % 1000);
    entries.emplace_back(i);
  }
  const map m{std::move(entries)};
  for (int i = 0; i < 1000; ++i)
    EXPECT_EQ(m.find(term{i * 7919 % 1000})->as<int>(), i);
}

TEST(TermAtom, RefusesWhatErlangRefuses) {
  EXPECT_THROW(atom{"\xff"}, std::invalid_argument);
  EXPECT_THROW(atom{"\xed\xa0\x80"}, std::invalid_argument); // a surrogate
  EXPECT_THROW(atom{"\xc0\x80"}, std::invalid_argument);     // overlong
  EXPECT_THROW(atom{std::string(256, 'a')}, std::invalid_argument);
  std::string longest;
  for (int i = 0; i < 255; ++i)
    longest += "😀";
  EXPECT_EQ(atom{longest}.text(), longest);
}

TEST(TermBytes, SurviveCopiesAndMovesAtEverySize) {
  for (const std::size_t size : {0, 1, 29, 30, 31, 32, 1000}) {
    const std::string text(size, 'x');
    binary a{text};
    binary b{a};
    const binary c{std::move(a)};
    EXPECT_EQ(c.view(), text);
    EXPECT_EQ(a.view().size(), size <= shared_bytes::near_capacity ? size : 0); // NOLINT
    b = c;
    b = *&b;
    EXPECT_EQ(b.view(), text);
    b = binary{std::vector<char>(size, 'y')};
    EXPECT_EQ(b.view(), std::string(size, 'y'));
  }
}

TEST(TermBytes, ShareTheirOwner) {
  auto owner = std::make_shared<const std::string>(std::string(100, 'a') + std::string(100, 'b'));
  const std::weak_ptr<const std::string> watch = owner;
  term t = binary{shared_bytes{owner, std::string_view{*owner}.substr(100)}};
  owner.reset();
  EXPECT_FALSE(watch.expired());
  EXPECT_EQ(t.as<std::string>(), std::string(100, 'b'));
  t = 1;
  EXPECT_TRUE(watch.expired());
}

TEST(TermBitstring, ClearsWhatLiesBeyondIts) {
  const bitstring bits{"\xff", 3};
  EXPECT_EQ(bits.view(), "\xe0");
  EXPECT_EQ(bits.bits(), 3U);
  EXPECT_TRUE(term(bitstring{"ab", 16}).is<binary>());
  EXPECT_THROW((bitstring{"ab", 3}), std::invalid_argument);
}

TEST(TermInteger, ReadsAndWritesDecimals) {
  for (const auto* text : {"0", "-1", "9223372036854775807", "-9223372036854775809",
                           "1000000000000000000000000000000"})
    EXPECT_EQ(to_string(big_integer::parse(text).value()), text);
  EXPECT_EQ(to_string(big_integer::parse("-0").value()), "0");
  EXPECT_FALSE(big_integer::parse(""));
  EXPECT_FALSE(big_integer::parse("-"));
  EXPECT_FALSE(big_integer::parse("1x"));
  EXPECT_TRUE(term{big_integer::parse("-9223372036854775808").value()}.is<std::int64_t>());
  EXPECT_EQ(to_string(big_integer::truncated(1e30)), "1000000000000000019884624838656");
  EXPECT_EQ(to_string(big_integer::truncated(-2.9)), "-2");
}

} // namespace
} // namespace penning::actors
