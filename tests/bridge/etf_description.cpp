#include "etf_description.hpp"

#include <bit>
#include <fstream>
#include <stdexcept>

namespace penning::test {
namespace {

using actors::term;
using nlohmann::json;

std::string bytes_of(const json& hex) {
  const auto bytes = from_hex(hex.get<std::string>());
  return {bytes.begin(), bytes.end()};
}

template <class Int>
Int number(const json& value) { // ids of ports may be too large for JSON, and are text
  return static_cast<Int>(value.is_string() ? std::stoull(value.get<std::string>())
                                            : value.get<std::uint64_t>());
}

actors::atom atom_of(const json& text) {
  return actors::atom{text.get<std::string>()};
}

actors::pid pid_of(const json& d) {
  return {atom_of(d["node"]), number<std::uint32_t>(d["id"]), number<std::uint32_t>(d["serial"]),
          number<std::uint32_t>(d["creation"])};
}

term reference_of(const json& d) {
  return actors::reference{atom_of(d["node"]), number<std::uint32_t>(d["creation"]),
                           d["ids"].get<std::vector<std::uint32_t>>()};
}

term export_of(const json& d) {
  return actors::external_fun{atom_of(d["m"]), atom_of(d["f"]), number<std::uint32_t>(d["a"])};
}

term float_of(const json& d) {
  return std::bit_cast<double>(std::stoull(d["bits"].get<std::string>(), nullptr, 16));
}

term byte_list_of(const json& d) {
  std::vector<term> bytes;
  for (const auto byte : bytes_of(d["hex"]))
    bytes.emplace_back(static_cast<unsigned char>(byte));
  return actors::list{std::move(bytes)};
}

term fun_of(const json& d, std::vector<term> free_variables) {
  actors::fun f;
  f.module = atom_of(d["module"]);
  f.arity = number<std::uint8_t>(d["arity"]);
  const auto uniq = bytes_of(d["uniq"]);
  std::copy(uniq.begin(), uniq.end(), f.uniq.begin());
  f.index = number<std::uint32_t>(d["index"]);
  f.old_index = d["old_index"].get<std::int32_t>();
  f.old_uniq = d["old_uniq"].get<std::int32_t>();
  f.creator = pid_of(d["pid"]);
  f.free_variables = actors::tuple{std::move(free_variables)};
  return f;
}

/// The descriptions inside of `d`, in order; a list's tail comes last.
std::vector<const json*> parts_of(const json& d) {
  const auto type = d["t"].get<std::string>();
  std::vector<const json*> parts;
  if (type == "map") {
    for (const auto& entry : d["e"]) {
      parts.push_back(&entry[0]);
      parts.push_back(&entry[1]);
    }
  } else if (type == "list" || type == "tuple" || type == "fun") {
    for (const auto& part : d[type == "fun" ? "free" : "e"])
      parts.push_back(&part);
    if (d.contains("tail"))
      parts.push_back(&d["tail"]);
  }
  return parts;
}

term list_of(const json& d, std::vector<term> parts) {
  if (!d.contains("tail"))
    return actors::list{std::move(parts)};
  auto tail = std::move(parts.back());
  parts.pop_back();
  return actors::list::with_tail(std::move(parts), std::move(tail));
}

term put_together(const json& d, std::vector<term> parts) {
  const auto type = d["t"].get<std::string>();
  if (type == "int")
    return actors::big_integer::parse(d["v"].get<std::string>()).value();
  if (type == "float")
    return float_of(d);
  if (type == "atom")
    return atom_of(d["v"]);
  if (type == "nil")
    return actors::list{};
  if (type == "list")
    return list_of(d, std::move(parts));
  if (type == "bytelist")
    return byte_list_of(d);
  if (type == "tuple")
    return actors::tuple{std::move(parts)};
  if (type == "map")
    return actors::map{std::move(parts)};
  if (type == "bin")
    return actors::binary{bytes_of(d["hex"])};
  if (type == "bits")
    return actors::bitstring{bytes_of(d["hex"]), d["n"].get<std::size_t>()};
  if (type == "pid")
    return pid_of(d);
  if (type == "port")
    return actors::port{atom_of(d["node"]), number<std::uint64_t>(d["id"]),
                        number<std::uint32_t>(d["creation"])};
  if (type == "ref")
    return reference_of(d);
  if (type == "export")
    return export_of(d);
  if (type == "fun")
    return fun_of(d, std::move(parts));
  throw std::invalid_argument("no such type of term: " + type);
}

} // namespace

// With a stack of its own, since vectors nest deep.
term described(const json& description) {
  struct level {
    const json* description;
    std::vector<const json*> parts;
    std::vector<term> done;
  };
  std::vector<level> levels;
  levels.push_back({&description, parts_of(description), {}});
  while (true) {
    auto& top = levels.back();
    if (top.done.size() < top.parts.size()) {
      const auto* part = top.parts[top.done.size()];
      levels.push_back({part, parts_of(*part), {}});
      continue;
    }
    auto value = put_together(*top.description, std::move(top.done));
    levels.pop_back();
    if (levels.empty())
      return value;
    levels.back().done.push_back(std::move(value));
  }
}

std::vector<char> from_hex(std::string_view hex) {
  std::vector<char> bytes;
  bytes.reserve(hex.size() / 2);
  const auto digit = [](char c) { return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10; };
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes.push_back(static_cast<char>(digit(hex[i]) << 4 | digit(hex[i + 1])));
  return bytes;
}

std::string to_hex(std::string_view bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string hex;
  hex.reserve(bytes.size() * 2);
  for (const auto c : bytes) {
    hex.push_back(digits[static_cast<unsigned char>(c) >> 4]);
    hex.push_back(digits[static_cast<unsigned char>(c) & 15]);
  }
  return hex;
}

std::vector<json> read_vectors(const std::string& path) {
  std::vector<json> vectors;
  std::ifstream file{path};
  if (!file)
    throw std::runtime_error("cannot read " + path);
  for (std::string line; std::getline(file, line);)
    if (line.find_first_not_of(" \t\r") != line.npos)
      vectors.push_back(json::parse(line));
  return vectors;
}

} // namespace penning::test
