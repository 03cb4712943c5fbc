#include "commands.hpp"
#include "instance_directory.hpp"
#include "read_tree.hpp"
#include "tree_view.hpp"

#include <penning/io/unique_fd.hpp>

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <iostream>
#include <optional>
#include <stdexcept>
#include <string_view>

namespace penning::apps {

namespace {

/// A running instance: its name and its socket.
struct instance {
  std::string name, socket;
};

std::vector<instance> running_instances() {
  std::vector<instance> result;
  for (const auto& path : instance_directory::candidates()) {
    const auto directory = instance_directory::open(path);
    if (!directory.exists())
      continue;
    for (const auto& name : directory.running())
      result.push_back({name, directory.socket_path(name)});
  }
  return result;
}

/// The one that is meant; says on stderr why there is none. Throws `std::invalid_argument` when it
/// is not clear which.
std::optional<instance> choose(const std::string& name) {
  const auto running = running_instances();
  std::string names;
  for (const auto& each : running) {
    if (each.name == name)
      return each;
    names += (names.empty() ? "" : ", ") + each.name;
  }
  if (name.empty() && running.size() == 1)
    return running.front();
  if (name.empty() && running.size() > 1)
    throw std::invalid_argument{"several instances are running; choose with --name: " + names};
  if (running.empty())
    std::cerr << "penning: no \"penning up\" of this user is running\n";
  else
    std::cerr << "penning: no instance named \"" << name << "\" is running; there are: " << names
              << '\n';
  return std::nullopt;
}

/// The answer without its line end; empty if it did not come whole.
std::string ask(const std::string& socket_path) {
  constexpr std::string_view question = "tree\n";
  const auto socket = connect_to(socket_path);
  if (!socket || ::send(socket.get(), question.data(), question.size(), MSG_NOSIGNAL) < 0)
    return "";
  std::string text;
  std::array<char, 4096> buffer;
  for (ssize_t size; (size = ::recv(socket.get(), buffer.data(), buffer.size(), 0)) > 0;)
    text.append(buffer.data(), static_cast<std::size_t>(size));
  return text.ends_with('\n') ? text.substr(0, text.size() - 1) : "";
}

int show(const tree_view& view, bool json) {
  std::cout << (json ? to_json(view) + "\n" : to_text(view)) << std::flush;
  return std::cout ? success : failed;
}

int show_running(const tree_options& options) {
  const auto chosen = choose(options.name);
  if (!chosen)
    return failed;
  const auto answer = ask(chosen->socket);
  auto view = view_from_json(answer);
  if (!view) {
    std::cerr << "penning: \"" << chosen->name << "\" gave no tree: " << answer << '\n';
    return failed;
  }
  return show(*view, options.json);
}

} // namespace

int run_tree(const tree_options& options) {
  if (options.file.empty())
    return show_running(options);
  return show(view_of(read_tree(options.file), options.file), options.json);
}

} // namespace penning::apps
