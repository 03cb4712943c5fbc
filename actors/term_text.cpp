#include <penning/actors/term_number.hpp>
#include <penning/actors/term_utf8.hpp>
#include <penning/actors/term_walk.hpp>

#include <algorithm>
#include <array>

namespace penning::actors {
namespace {

using detail::term_node;

/// Source: `reserved_word/1` in erl_scan.erl.
constexpr std::string_view reserved_words[] = {
  "after", "and",   "andalso", "band",   "begin",   "bnot", "bor", "bsl",  "bsr", "bxor",
  "case",  "catch", "cond",    "div",    "else",    "end",  "fun", "if",   "let", "maybe",
  "not",   "of",    "or",      "orelse", "receive", "rem",  "try", "when", "xor",
};

// Erlang's source is Latin-1 at heart: its letters are those of that range.
constexpr bool is_lower(char32_t c) {
  return (c >= 'a' && c <= 'z') || (c >= 0xdf && c <= 0xff && c != 0xf7);
}
constexpr bool is_upper(char32_t c) {
  return (c >= 'A' && c <= 'Z') || (c >= 0xc0 && c <= 0xde && c != 0xd7);
}
constexpr bool continues_atom(char32_t c) {
  return is_lower(c) || is_upper(c) || (c >= '0' && c <= '9') || c == '_' || c == '@';
}
/// Source: `io_lib:printable_latin1_list/1`.
constexpr bool is_printable(char32_t c) {
  return (c >= 0x20 && c <= 0x7e) || (c >= 0xa0 && c <= 0xff) || (c >= '\b' && c <= '\r')
         || c == '\033';
}

bool needs_quotes(std::string_view text) {
  if (std::ranges::find(reserved_words, text) != std::end(reserved_words) || text.empty())
    return true;
  if (!is_lower(utf8::take(text)))
    return true;
  while (!text.empty())
    if (!continues_atom(utf8::take(text)))
      return true;
  return false;
}

/// Source: `string_char/4` in io_lib.erl.
void append_escaped(std::string& out, char32_t c, char quote) {
  static constexpr std::string_view named = "\b\t\n\v\f\r\033\177";
  static constexpr std::string_view letters = "btnvfred"; // in the order of `named`
  if (c == static_cast<unsigned char>(quote) || c == '\\') {
    out += '\\';
    out += static_cast<char>(c);
  } else if (const auto i = c < 128 ? named.find(static_cast<char>(c)) : named.npos;
             i != named.npos) {
    out += '\\';
    out += letters[i];
  } else if (c < 0x20 || (c >= 0x80 && c < 0xa0)) {
    out += '\\';
    for (const auto shift : {6U, 3U, 0U})
      out += static_cast<char>('0' + (c >> shift & 7));
  } else {
    utf8::append(out, c);
  }
}

void append_quoted(std::string& out, std::string_view text, char quote) {
  out += quote;
  while (!text.empty())
    append_escaped(out, utf8::take(text), quote);
  out += quote;
}

void append_atom(std::string& out, const atom& a) {
  if (needs_quotes(a.text()))
    append_quoted(out, a.text(), '\'');
  else
    out += a.text();
}

/// Whether bytes are UTF-8 beyond ASCII that Erlang prints as text.
bool is_printable_utf8(std::string_view bytes) {
  const auto characters = utf8::length(bytes);
  if (!characters || *characters == bytes.size())
    return false;
  while (!bytes.empty())
    if (!is_printable(utf8::take(bytes)))
      return false;
  return true;
}

bool is_printable_latin1(std::string_view bytes) {
  return std::ranges::all_of(bytes,
                             [](char c) { return is_printable(static_cast<unsigned char>(c)); });
}

void append_bytes(std::string& out, std::string_view bytes) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    out += i == 0 ? "" : ",";
    out += std::to_string(static_cast<unsigned char>(bytes[i]));
  }
}

void append_binary(std::string& out, std::string_view bytes) {
  out += "<<";
  if (is_printable_utf8(bytes)) {
    append_quoted(out, bytes, '"');
    out += "/utf8";
  } else if (!bytes.empty() && is_printable_latin1(bytes)) {
    append_quoted(out, utf8::from_latin1(bytes), '"');
  } else {
    append_bytes(out, bytes);
  }
  out += ">>";
}

void append_bits(std::string& out, const bitstring& value) {
  const auto bytes = value.view();
  const auto last = static_cast<unsigned char>(bytes.back()) >> (8 - value.last_bits());
  out += "<<";
  append_bytes(out, bytes.substr(0, bytes.size() - 1));
  out += bytes.size() > 1 ? "," : "";
  out += std::to_string(last) + ':' + std::to_string(value.last_bits()) + ">>";
}

/// A node as a number is meaningless to others; only our own is 0.
void append_node(std::string& out, const atom& node) {
  out += node == "penning" ? "0" : node.text();
}

void append_identity(std::string& out, const pid& p) {
  out += '<';
  append_node(out, p.node);
  out += '.' + std::to_string(p.id) + '.' + std::to_string(p.serial) + '>';
}

void append_identity(std::string& out, const port& p) {
  out += "#Port<";
  append_node(out, p.node);
  out += '.' + std::to_string(p.id) + '>';
}

void append_identity(std::string& out, const reference& r) {
  out += "#Ref<";
  append_node(out, r.node);
  for (auto i = r.ids.size(); i-- > 0;)
    out += '.' + std::to_string(r.ids[i]);
  out += '>';
}

void append_identity(std::string& out, const external_fun& f) {
  out += "fun ";
  append_atom(out, f.module);
  out += ':';
  append_atom(out, f.function);
  out += '/' + std::to_string(f.arity);
}

void append_identity(std::string& out, const fun& f) {
  out += "#Fun<";
  append_atom(out, f.module);
  out += '.' + std::to_string(f.old_index) + '.' + std::to_string(f.old_uniq) + '>';
}

bool is_printable_list(const list& l) {
  return !l.empty() && l.is_proper() && std::all_of(l.begin(), l.end(), [](const term& t) {
    const auto* c = t.get_if<std::int64_t>();
    return c && *c >= 0 && *c <= 0xff && is_printable(static_cast<char32_t>(*c));
  });
}

void append_string(std::string& out, const list& l) {
  out += '"';
  for (const auto& c : l)
    append_escaped(out, static_cast<char32_t>(*c.get_if<std::int64_t>()), '"');
  out += '"';
}

/// A container that is being written.
struct open_container {
  const term_node* node;
  term_type type;
  std::size_t next = 0;

  std::string_view separator() const {
    if (next == 0)
      return "";
    if (type == term_type::map && next % 2 == 1)
      return " => ";
    return node->improper && next + 1 == node->count ? "|" : ",";
  }
  std::string_view closing() const { return type == term_type::list ? "]" : "}"; }
};

class printer {
 public:
  std::string run(const term& t) {
    write(t);
    while (!open_.empty())
      advance();
    return std::move(out_);
  }

 private:
  void advance() {
    auto& top = open_.back();
    if (top.next == top.node->count) {
      out_ += top.closing();
      open_.pop_back();
      return;
    }
    out_ += top.separator();
    write(top.node->items()[top.next++]);
  }

  void write(const term& t) {
    switch (t.type()) {
    case term_type::integer: return write_integer(t);
    case term_type::floating: out_ += detail::float_text(*t.get_if<double>()); return;
    case term_type::atom: return append_atom(out_, *t.get_if<atom>());
    case term_type::bitstring: return write_bitstring(t);
    case term_type::nil: out_ += "[]"; return;
    case term_type::list: return write_list(t);
    case term_type::tuple: return open(t, "{", "{}");
    case term_type::map: return open(t, "#{", "#{}");
    case term_type::pid: return append_identity(out_, *t.get_if<pid>());
    case term_type::port: return append_identity(out_, *t.get_if<port>());
    case term_type::reference: return append_identity(out_, *t.get_if<reference>());
    case term_type::fun: return write_fun(t);
    }
  }

  void write_integer(const term& t) {
    const auto* small = t.get_if<std::int64_t>();
    out_ += small ? std::to_string(*small) : actors::to_string(*t.get_if<big_integer>());
  }

  void write_bitstring(const term& t) {
    if (const auto* bytes = t.get_if<binary>())
      append_binary(out_, bytes->view());
    else
      append_bits(out_, *t.get_if<bitstring>());
  }

  void write_fun(const term& t) {
    if (const auto* closure = t.get_if<fun>())
      append_identity(out_, *closure);
    else
      append_identity(out_, *t.get_if<external_fun>());
  }

  void write_list(const term& t) {
    if (const auto& l = *t.get_if<list>(); is_printable_list(l))
      append_string(out_, l);
    else
      open(t, "[", "[]");
  }

  void open(const term& t, std::string_view opening, std::string_view empty) {
    const auto* node = detail::node_of(t);
    out_ += node ? opening : empty;
    if (node)
      open_.push_back({node, t.type()});
  }

  std::string out_;
  std::vector<open_container> open_;
};

} // namespace

std::string to_string(const term& value) {
  return printer{}.run(value);
}

} // namespace penning::actors
