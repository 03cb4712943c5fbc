#include <penning/actors/launch_words.hpp>

namespace penning::actors {

namespace {

io::environment_change variable(std::string name, const option_value& value) {
  if (value.value().is_atom("false") || value.value().is_atom("nil")) // as in Erlang's ports
    return {std::move(name), std::nullopt};
  return {std::move(name), value.text("must be text, or false to unset it")};
}

std::optional<std::uint64_t> limit_value(const option_value& value) {
  if (value.value().is_atom("infinity") || value.value() == term{"infinity"})
    return std::nullopt;
  if (value.value().type() != term_type::integer)
    value.refuse("must be an integer, infinity or a pair of them");
  return value.whole<std::uint64_t>();
}

io::resource_limit limit_from(const std::string& name, const option_value& value) {
  if (const auto both = value.parts(); both.size() == 2)
    return {name, limit_value(both[0]), limit_value(both[1])};
  const auto limit = limit_value(value);
  return {name, limit, limit};
}

const option_table<io::to_file> file_options{
  {"append", [](auto& file, auto& value) { file.append = value.flag(); }},
  {"file", [](auto& file, auto& value) { file.path = value.text(); }},
  {"mode", [](auto& file, auto& value) { file.mode = value.template whole<std::uint32_t>(); }},
};

io::to_file file_from(const option_value& value) {
  io::to_file file;
  set_options(file, value, file_options);
  return file;
}

using modes = decltype(io::pty_options::modes);

modes modes_from(const option_value& value) {
  modes result;
  for (const auto& [name, argument] : value.entries())
    result.emplace_back(name, argument.value().is<atom>() ? argument.flag()
                                                          : argument.whole<std::uint32_t>());
  return result;
}

const option_table<io::pty_options> pty_table{
  {"columns", [](auto& pty, auto& v) { pty.size.columns = v.template whole<std::uint16_t>(); }},
  {"modes", [](auto& pty, auto& v) { pty.modes = modes_from(v); }},
  {"rows", [](auto& pty, auto& v) { pty.size.rows = v.template whole<std::uint16_t>(); }},
  {"x_pixels", [](auto& pty, auto& v) { pty.size.x_pixels = v.template whole<std::uint16_t>(); }},
  {"y_pixels", [](auto& pty, auto& v) { pty.size.y_pixels = v.template whole<std::uint16_t>(); }},
};

} // namespace

std::vector<io::environment_change> environment_from(const option_value& value) {
  std::vector<io::environment_change> changes;
  for (const auto& [name, change] : value.entries())
    changes.push_back(variable(name, change));
  return changes;
}

io::account account_from(const option_value& value) {
  if (value.value().type() == term_type::integer)
    return value.whole<std::uint32_t>();
  return value.word("must be a number or a name");
}

std::vector<io::account> accounts_from(const option_value& value) {
  std::vector<io::account> accounts;
  for (const auto& each : value.items())
    accounts.push_back(account_from(each));
  return accounts;
}

std::vector<io::resource_limit> limits_from(const option_value& value) {
  std::vector<io::resource_limit> limits;
  for (const auto& [name, limit] : value.entries())
    limits.push_back(limit_from(name, limit));
  return limits;
}

io::capability_change capabilities_from(const option_value& value) {
  using enum io::capability_change::kind;
  const auto entries = value.pair_in_list().entries();
  if (entries.size() != 1 || (entries[0].first != "keep" && entries[0].first != "drop"))
    value.refuse("must have either keep or drop, with a list of names");
  return {entries[0].first == "keep" ? keep : drop, entries[0].second.words()};
}

io::stdio_target target_from(const option_value& value) {
  if (value.value().is<tuple>() || value.value().is<map>() || value.value().is<list>())
    return file_from(value.pair_in_list());
  return value.one_of<io::stdio_target>({{"owner", io::to_owner{}},
                                         {"null", io::to_null{}},
                                         {"closed", io::to_nothing{}},
                                         {"stdout", io::to_stdout{}}},
                                        "a file");
}

std::optional<io::pty_options> pty_from(const option_value& value) {
  if (value.value().is<atom>())
    return value.flag() ? std::optional<io::pty_options>{std::in_place} : std::nullopt;
  io::pty_options pty;
  set_options(pty, value, pty_table);
  return pty;
}

} // namespace penning::actors
