// docs/vocabulary.md, from the declarations of the messages.
//
//   vocabulary_doc           prints it
//   vocabulary_doc FILE      exits 1 unless this is what FILE says

#include <penning/bridge/erlang_type.hpp>
#include <penning/supervision/messages.hpp>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <set>
#include <sstream>
#include <utility>

namespace {

namespace actors = penning::actors;
namespace bridge = penning::bridge;
namespace supervision = penning::supervision;

/// One line of a table.
struct row {
  std::string name; ///< In C++.
  std::string form; ///< In Erlang.
  std::string how;  ///< By which frame it crosses, or why not.
};

template <actors::message T>
row as_term(std::string how) {
  return {caf::type_name<T>::value, bridge::form_of<T>().as_term(), std::move(how)};
}

template <actors::message T>
row as_map(std::string how) {
  return {caf::type_name<T>::value, bridge::form_of<T>().as_map(), std::move(how)};
}

/// For the few that the bridge writes as OTP would, not as they are declared.
template <actors::message T>
row as(std::string form, std::string how) {
  return {caf::type_name<T>::value, std::move(form), std::move(how)};
}

struct section {
  std::string title;
  std::vector<row> rows;
};

std::vector<section> sections() {
  const std::string by_send = "`send`", by_call = "`call`", by_both = "`send`, `call`",
                    by_message = "`message`", within = "";
  return {
    {"To an OS process",
     {as_term<actors::command>(by_send), as_term<actors::close_stdin>(by_send),
      as_term<actors::close>(by_send), as_term<actors::signal>(by_both),
      as_term<actors::window_size>(by_both), as_term<actors::info>(by_call),
      as_term<actors::os_pid>(by_call)}},
    {"From an OS process",
     {as_term<actors::data>(by_message), as_term<actors::data_line>(by_message),
      as_term<actors::error>(by_message), as_term<actors::error_line>(by_message),
      as_term<actors::stdin_busy>(by_message), as_term<actors::stdin_ready>(by_message),
      as_term<actors::stdin_refused>(by_message), as_term<actors::stdin_closed>(by_message),
      as_term<actors::closed>(by_message), as_term<actors::exited>(by_message),
      as_map<actors::info_reply>("`reply` to `info`"),
      as<actors::os_pid_reply>("pos_integer() | undefined", "`reply` to `os_pid`")}},
    {"To a supervisor, and from it",
     {as_term<supervision::which_children>(by_call), as_term<supervision::count_children>(by_call),
      as<supervision::child_counts>("[{specs | active | supervisors | workers, integer()}]",
                                    "`reply` to `count_children`"),
      as<supervision::supervisor_reply>("term()", "`reply` to any other `call`")}},
    {"Between C++ actors only",
     {as_term<actors::connect>(within), as_term<actors::connected>(within),
      as_term<actors::call>(within), as_term<actors::cast>(within),
      as_term<actors::exit_signal>(within), as_term<actors::link_request>(within),
      as_term<actors::unlink_request>(within), as_term<actors::down>(within),
      as_term<actors::init_ack>(within), as_term<supervision::stop>(within),
      as_term<supervision::suspend>(within), as_term<supervision::resume>(within)}},
  };
}

/// The names of the messages in a block of CAF's type ids.
template <class Block>
std::set<std::string> declared() {
  std::set<std::string> names;
  const auto add = [&names]<std::size_t Id>() {
    using type = typename caf::type_by_id<caf::type_id_t{Id}>::type;
    if constexpr (actors::message<type>)
      names.insert(caf::type_name<type>::value);
  };
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (add.template operator()<Block::begin + I>(), ...);
  }
  (std::make_index_sequence<Block::end - Block::begin>{});
  return names;
}

/// Throws `std::logic_error` naming the messages that no section has.
void check_complete(const std::vector<section>& all) {
  auto missing = declared<caf::id_block::penning>();
  missing.merge(declared<caf::id_block::penning_supervision>());
  for (const auto& each : all)
    for (const auto& row : each.rows)
      missing.erase(row.name);
  std::string names;
  for (const auto& name : missing)
    names += " " + name;
  if (!names.empty())
    throw std::logic_error("in no section of vocabulary_doc.cpp:" + names);
}

constexpr auto intro = R"(# Vocabulary

<!-- Made by tests/bridge/vocabulary_doc.cpp from the declarations; do not edit. -->

The messages of penning: the struct in C++ and the term in Erlang, which both come from one declaration.
A message is the tuple of its tag and its fields in order, or the bare atom if it has none. What each means
stands above its struct, in `actors/os_messages.hpp`, `actors/messages.hpp` and `supervision/messages.hpp`;
[protocol.md](protocol.md) has the frames that carry them, and the requests to a supervisor that are no
structs of this kind because they carry specifications. A binary may come as any `iodata()`.

A message type of one's own joins with a declaration like theirs, and a line where the port program is made:

```cpp
/// `{add, Amount}` in Erlang; this is all that a message type needs.
struct add {
  static constexpr auto tag = "add";
  std::int64_t amount = 0;
  auto fields() { return std::tuple{actors::field{"amount", amount}}; }
};
using actors::inspect;

program.vocabulary.add<add>();
```

A field of a type of one's own has a `field_term` (how it is read and written), and an `erlang_type` (its name)
for a page like this one. `examples/counter_port/main.cpp` is a whole program.
)";

/// `text` where a `|` would end the cell of a table.
std::string cell(const std::string& text) {
  std::string result;
  for (const auto c : text)
    result += c == '|' ? std::string{"\\|"} : std::string{c};
  return result;
}

std::string page() {
  const auto all = sections();
  check_complete(all);
  std::ostringstream out;
  out << intro;
  for (const auto& [title, rows] : all) {
    const bool crosses = !rows.front().how.empty();
    out << "\n## " << title << '\n';
    out << (crosses ? "| Erlang | frame | C++ |\n|---|---|---|\n"
                    : "| as a term | C++ |\n|---|---|\n");
    for (const auto& [name, form, how] : rows) {
      out << "| `" << cell(form) << "` | ";
      if (crosses)
        out << how << " | ";
      out << '`' << name << "` |\n";
    }
  }
  return out.str();
}

} // namespace

int main(int argc, char** argv) try {
  const auto text = page();
  if (argc < 2) {
    std::cout << text;
    return EXIT_SUCCESS;
  }
  std::ifstream file{argv[1]};
  const std::string found{std::istreambuf_iterator<char>{file}, {}};
  if (found == text)
    return EXIT_SUCCESS;
  std::cerr << argv[1] << " is not what the declarations say. To make it anew:\n  " << argv[0]
            << " > " << argv[1] << '\n';
  return EXIT_FAILURE;
} catch (const std::exception& error) {
  std::cerr << "vocabulary_doc: " << error.what() << '\n';
  return EXIT_FAILURE;
}
