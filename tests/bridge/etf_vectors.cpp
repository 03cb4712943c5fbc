// Checks the codec against vectors that real Erlang made: every vectors*.jsonl and
// malformed*.jsonl in the folder that PENNING_ETF_VECTORS names, by default the project's copy.
// Prints `FILE: N of M` and what differs; exits 1 unless all hold.
#include "etf_description.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <set>

namespace {

namespace etf = penning::bridge::etf;
using nlohmann::json;
using penning::actors::term;
using penning::test::described;
using penning::test::from_hex;
using penning::test::to_hex;

/// What differs; empty if nothing does.
using complaint = std::string;

/// The vectors are to show what the codec understands, not where its limits are by default.
etf::decode_options permissive() {
  etf::decode_options options;
  options.limits.max_depth = 10'000'000;
  return options;
}

/// As a runtime that knows only some of OTP's names.
etf::decode_options safe() {
  static const std::set<std::string, std::less<>> known{
    "", "a", "b", "error", "false", "lists", "map", "n@h", "ok", "true", "undefined"};
  auto options = permissive();
  options.policy.atom = [](std::string_view name) { return known.contains(name); };
  return options;
}

complaint differs(std::string what, const std::string& wanted, const std::string& got) {
  if (wanted == got)
    return {};
  constexpr std::size_t most = 200;
  return std::move(what) + ": wanted " + wanted.substr(0, most) + ", got " + got.substr(0, most);
}

std::string encoded(const term& value, int minor_version, bool deterministic = false) {
  return to_hex(
    etf::encode(value, {.minor_version = minor_version, .deterministic = deterministic}));
}

/// Equality cannot tell 0.0 from -0.0, but the bytes can.
complaint check_value(const json& vector, const term& got) {
  const auto wanted = described(vector["term"]);
  if (got != wanted || hash_value(got) != hash_value(wanted))
    return differs("term", to_string(wanted), to_string(got) + " ");
  return differs("term's bytes", encoded(wanted, 2, true), encoded(got, 2, true));
}

complaint check_encoding(const json& vector, const term& value) {
  auto result = differs("hex", vector["hex"], encoded(value, 2));
  if (result.empty())
    result = differs("hex_mv1", vector.value("hex_mv1", vector["hex"].get<std::string>()),
                     encoded(value, 1));
  if (result.empty() && vector.contains("hex_deterministic"))
    result = differs("hex_deterministic", vector["hex_deterministic"], encoded(value, 2, true));
  return result;
}

complaint check_both(const json& vector) {
  for (const auto* form : {"hex", "hex_mv1", "hex_deterministic"}) {
    if (!vector.contains(form))
      continue;
    const auto got = etf::decode(from_hex(vector[form].get<std::string>()), permissive());
    if (!got)
      return std::string{form} + " is refused: " + message(got);
    if (auto result = check_value(vector, got.value); !result.empty())
      return std::string{form} + ": " + result;
    if (std::string_view{form} == "hex")
      if (auto result = check_encoding(vector, got.value); !result.empty())
        return result;
  }
  return {};
}

complaint check_decode_only(const json& vector) {
  const auto bytes = from_hex(vector["hex"].get<std::string>());
  auto options = permissive();
  options.allow_trailing = true;
  const auto got = etf::decode(bytes, options);
  if (!got)
    return "refused: " + message(got);
  const auto used = vector.value("used", bytes.size());
  if (used != got.used)
    return differs("used", std::to_string(used), std::to_string(got.used));
  if (used != bytes.size() && etf::decode(bytes, permissive()))
    return "trailing bytes are not noticed";
  return check_value(vector, got.value);
}

complaint check_reject(const json& vector) {
  auto options = permissive();
  for (const auto allow_trailing : {false, true}) {
    options.allow_trailing = allow_trailing;
    if (const auto got = etf::decode(from_hex(vector["hex"].get<std::string>()), options))
      return "accepted as " + to_string(got.value);
  }
  return {};
}

complaint check_reject_safe_only(const json& vector) {
  const auto bytes = from_hex(vector["hex"].get<std::string>());
  if (const auto got = etf::decode(bytes, safe()))
    return "accepted although safe, as " + to_string(got.value);
  const auto got = etf::decode(bytes, permissive());
  return got ? complaint{} : "refused although permissive: " + message(got);
}

complaint check(const json& vector) {
  const auto kind = vector["kind"].get<std::string>();
  if (kind == "both")
    return check_both(vector);
  if (kind == "decode_only")
    return check_decode_only(vector);
  if (kind == "reject")
    return check_reject(vector);
  if (kind == "reject_safe_only")
    return check_reject_safe_only(vector);
  return "unknown kind " + kind;
}

complaint check_without_throwing(const json& vector) {
  try {
    return check(vector);
  } catch (const std::exception& e) {
    return e.what();
  }
}

bool check_file(const std::filesystem::path& path) {
  std::size_t held = 0;
  const auto vectors = penning::test::read_vectors(path.string());
  for (const auto& vector : vectors) {
    const auto result = check_without_throwing(vector);
    held += result.empty() ? 1 : 0;
    if (!result.empty())
      std::cout << path.filename().string() << ": " << vector.value("name", "?") << ": " << result
                << '\n';
  }
  std::cout << path.filename().string() << ": " << held << " of " << vectors.size() << '\n';
  return held == vectors.size();
}

std::vector<std::filesystem::path> files_in(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator{folder}) {
    const auto name = entry.path().filename().string();
    if (name.ends_with(".jsonl") && (name.starts_with("vectors") || name.starts_with("malformed")))
      files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

} // namespace

int main() try {
  const auto* folder = std::getenv("PENNING_ETF_VECTORS");
  const auto files = files_in(folder && *folder ? folder : PENNING_ETF_DATA_DIR);
  bool all_hold = !files.empty();
  for (const auto& file : files)
    all_hold &= check_file(file);
  return all_hold ? EXIT_SUCCESS : EXIT_FAILURE;
} catch (const std::exception& e) {
  std::cerr << "etf_vectors: " << e.what() << '\n';
  return EXIT_FAILURE;
}
