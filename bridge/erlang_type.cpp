#include <penning/bridge/erlang_type.hpp>

namespace penning::bridge {
namespace {

/// `os_pid` as an Erlang variable: `OsPid`.
std::string variable(const std::string& name) {
  std::string result;
  bool starts = true;
  for (const auto c : name) {
    if (c != '_')
      result.push_back(starts && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c);
    starts = c == '_';
  }
  return result;
}

} // namespace

std::string message_form::as_term() const {
  if (fields.empty())
    return tag;
  auto text = "{" + tag;
  for (const auto& [name, type] : fields)
    text.append(", ").append(variable(name)).append(" :: ").append(type);
  return text + "}";
}

std::string message_form::as_map() const {
  std::string text = "#{";
  for (const auto& [name, type] : fields)
    text.append(text.size() > 2 ? ", " : "").append(name).append(" := ").append(type);
  return text + "}";
}

} // namespace penning::bridge
