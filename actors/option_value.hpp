#pragma once

#include <penning/actors/term.hpp>
#include <penning/io/launch_options.hpp>

#include <cstdint>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace penning::actors {

/// A value among options, as a term, and the name that errors give it.
///
/// The name of what a map has inside is the path to it, `pty.modes.echo`; that of a list's element
/// is the list's own; options themselves have none.
/// Each reader throws `io::option_error` with that name, the value as Erlang writes it, and what it
/// must be.
class option_value {
 public:
  option_value(std::string name, term value);

  const term& value() const noexcept { return value_; }
  [[noreturn]] void refuse(std::string problem) const;

  /// A binary or a list of characters.
  std::string text(const char* wanted = "must be text") const;
  /// iodata.
  std::string bytes() const;
  /// The same, or an atom that is none of `true`, `false`, `nil` and `undefined`.
  std::string word(const char* wanted = "must be a name") const;
  bool flag() const;
  /// An integer or a float.
  double number() const;

  template <whole_number T>
  T whole(T min = std::numeric_limits<T>::min(), T max = std::numeric_limits<T>::max()) const {
    const auto number = value_.as<T>();
    if (number && *number >= min && *number <= max)
      return *number;
    refuse_number(value_.type() == term_type::integer && value_ < term{min}, min, max);
  }

  /// One of these words; `other` is what the caller takes besides.
  template <class T, std::size_t Count>
  T one_of(const std::pair<std::string_view, T> (&words)[Count],
           std::string_view other = {}) const {
    std::vector<std::string_view> known;
    for (const auto& [text, meaning] : words) {
      if (value_.is_atom(text) || value_ == term{text})
        return meaning;
      known.push_back(text);
    }
    if (!other.empty())
      known.push_back(other);
    refuse_word(known);
  }

  /// What a list has in it.
  std::vector<option_value> items() const;
  std::vector<std::string> texts() const; ///< Each iodata.
  std::vector<std::string> words() const;
  /// What a map or a list of pairs has in it, in order, with the keys, which are words.
  std::vector<std::pair<std::string, option_value>> entries() const;
  /// The elements of a tuple or a list; none of anything else.
  std::vector<option_value> parts() const;
  /// A pair counts as a list of it: `{file, Path}` is `[{file, Path}]`.
  option_value pair_in_list() const;

 private:
  [[noreturn]] void refuse_number(bool is_too_small, const term& min, const term& max) const;
  [[noreturn]] void refuse_word(const std::vector<std::string_view>& known) const;

  std::string name_;
  term value_;
};

/// What each option of a `T` does to it, by its name.
template <class T>
using option_table = std::map<std::string_view, void (*)(T&, const option_value&)>;

/// Sets one option. Throws `io::option_error` for an unknown name, and as its setter does.
template <class T>
void set_option(T& options, std::string_view name, const option_value& value,
                const option_table<T>& known) {
  const auto found = known.find(name);
  if (found == known.end())
    value.refuse("is not an option");
  found->second(options, value);
}

/// Sets all that a map or a list of pairs has; a name may come once.
template <class T>
void set_options(T& options, const option_value& given, const option_table<T>& known) {
  std::set<std::string> seen;
  for (const auto& [name, value] : given.entries()) {
    if (!seen.insert(name).second)
      value.refuse("is given twice");
    set_option(options, name, value, known);
  }
}

} // namespace penning::actors
