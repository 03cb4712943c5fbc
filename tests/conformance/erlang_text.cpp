#include "erlang_text.hpp"

#include <charconv>
#include <stdexcept>
#include <utility>
#include <vector>

namespace penning::conformance {

namespace {

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

constexpr bool continues_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' || c == '@'
         || c == '#' || static_cast<unsigned char>(c) >= 0x80;
}

class parser {
 public:
  explicit parser(std::string_view text) : text_{text} {}

  term whole() {
    auto result = value();
    skip_space();
    if (at_ != text_.size())
      fail("text behind the term");
    return result;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw std::invalid_argument{what + " at " + std::to_string(at_) + " of " + std::string{text_}};
  }

  void skip_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t'))
      ++at_;
  }

  char peek() {
    skip_space();
    return at_ < text_.size() ? text_[at_] : '\0';
  }

  bool take(std::string_view token) {
    skip_space();
    if (!text_.substr(at_).starts_with(token))
      return false;
    at_ += token.size();
    return true;
  }

  void expect(std::string_view token) {
    if (!take(token))
      fail("no " + std::string{token});
  }

  term value() {
    const auto c = peek();
    if (take("{"))
      return actors::tuple{sequence("}")};
    if (take("#{"))
      return entries();
    if (take("["))
      return list();
    if (take("<<"))
      return bytes();
    if (c == '"')
      return actors::charlist(quoted('"'));
    if (c == '\'')
      return actors::atom{quoted('\'')};
    if (is_digit(c) || c == '-')
      return number();
    if (continues_name(c) && c != '#')
      return actors::atom{name()};
    fail("no term");
  }

  std::vector<term> sequence(std::string_view end) {
    std::vector<term> result;
    if (take(end))
      return result;
    do
      result.push_back(value());
    while (take(","));
    expect(end);
    return result;
  }

  term list() {
    std::vector<term> elements;
    if (take("]"))
      return actors::list{};
    do
      elements.push_back(value());
    while (take(","));
    auto tail = take("|") ? value() : term{};
    expect("]");
    return actors::list::with_tail(std::move(elements), std::move(tail));
  }

  term entries() {
    std::vector<term> result;
    if (take("}"))
      return actors::map{};
    do {
      result.push_back(value());
      expect("=>");
      result.push_back(value());
    } while (take(","));
    expect("}");
    return actors::map{std::move(result)};
  }

  term bytes() {
    std::string result;
    if (peek() == '"') {
      result = quoted('"');
      take("/utf8");
      expect(">>");
      return actors::binary{std::move(result)};
    }
    for (const auto& each : sequence(">>")) {
      const auto byte = each.as<std::uint8_t>();
      if (!byte)
        fail("no byte");
      result += static_cast<char>(*byte);
    }
    return actors::binary{std::move(result)};
  }

  std::string quoted(char quote) {
    std::string result;
    for (++at_; at_ < text_.size() && text_[at_] != quote; ++at_) {
      if (text_[at_] == '\\')
        ++at_;
      if (at_ < text_.size())
        result += text_[at_];
    }
    if (at_ == text_.size())
      fail("no closing quote");
    ++at_;
    return result;
  }

  term number() {
    const auto first = at_;
    at_ += text_[at_] == '-' ? 1 : 0;
    while (at_ < text_.size() && is_digit(text_[at_]))
      ++at_;
    const bool is_float = at_ + 1 < text_.size() && text_[at_] == '.' && is_digit(text_[at_ + 1]);
    if (!is_float) {
      const auto whole = actors::big_integer::parse(text_.substr(first, at_ - first));
      if (!whole)
        fail("no number");
      return *whole;
    }
    double result = 0;
    const auto* end = text_.data() + text_.size();
    at_ = static_cast<std::size_t>(std::from_chars(text_.data() + first, end, result).ptr
                                   - text_.data());
    return result;
  }

  std::string_view name() {
    const auto first = at_;
    while (at_ < text_.size() && continues_name(text_[at_]))
      ++at_;
    return text_.substr(first, at_ - first);
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

class writer {
 public:
  explicit writer(const process_names& names) : names_{names} {}

  std::string text(const term& value) const {
    if (const auto* atom = value.get_if<actors::atom>())
      return std::string{atom->text()};
    if (const auto* pid = value.get_if<actors::pid>())
      return names_(*pid);
    if (value.is_tuple("child", 9))
      return "child";
    if (value.is_tuple("sup_golden", 3))
      return "mfa";
    if (const auto* tuple = value.get_if<actors::tuple>())
      return std::string{"{"}.append(texts(tuple->elements())).append("}");
    if (const auto* map = value.get_if<actors::map>())
      return std::string{"#{"}.append(entries(*map)).append("}");
    if (const auto* list = value.get_if<actors::list>())
      return list_text(*list);
    return actors::to_string(value);
  }

 private:
  std::string texts(std::span<const term> values) const {
    std::string result;
    for (const auto& each : values)
      result.append(result.empty() ? "" : ",").append(text(each));
    return result;
  }

  std::string entries(const actors::map& map) const {
    std::string result;
    for (std::size_t i = 0; i < map.size(); ++i) {
      const auto [key, value] = map.sorted(i);
      result.append(i == 0 ? "" : ",").append(text(key)).append("=>").append(text(value));
    }
    return result;
  }

  std::string list_text(const actors::list& list) const {
    if (auto printed = actors::to_string(list); printed.front() == '"')
      return printed; // characters
    std::string result{"["};
    result.append(texts(list.elements()));
    if (!list.is_proper())
      result.append("|").append(text(list.tail()));
    return result.append("]");
  }

  const process_names& names_;
};

} // namespace

term parse_term(std::string_view text) {
  return parser{text}.whole();
}

term parse_term_or_atom(std::string_view text) {
  try {
    return parse_term(text);
  } catch (const std::invalid_argument&) {
    return actors::atom{text};
  }
}

std::string to_text(const term& value, const process_names& names) {
  return writer{names}.text(value);
}

} // namespace penning::conformance
