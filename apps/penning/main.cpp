#include "commands.hpp"
#include "instance_directory.hpp"

#include <penning/supervision/tree_file.hpp>

#include <CLI/CLI.hpp>

#include <exception>
#include <iostream>

namespace {

using namespace penning;

constexpr auto statuses = "Exit status: 0 after an orderly stop by SIGINT or SIGTERM, 1 when the "
                          "tree failed or no instance answers, 2 for a mistake on the command line "
                          "or in a file (nothing was started).";

std::string check_name(const std::string& name) {
  if (apps::is_name(name))
    return "";
  return "\"" + name
         + "\": a name has at most 32 letters, digits, '_', '-' and '.', "
           "and begins with no '.'";
}

void describe_up(CLI::App& command, apps::up_options& options) {
  command.add_option("FILE", options.file, "Tree file (TOML)")->required();
  command
    .add_option("--name", options.name, "Name of this instance, for penning tree; else its pid")
    ->check(check_name);
  command
    .add_option_function<std::string>(
      "--log-format", [&](const std::string& word) { options.json = word == "json"; },
      "text (for people, the default) or json (one object per line)")
    ->check(CLI::IsMember({"text", "json"}));
  command.add_flag_function(
    "--no-color", [&](std::int64_t) { options.colour = false; },
    "No colours on a terminal, as with NO_COLOR in the environment");
  command
    .add_option_function<std::string>(
      "--containment",
      [&](const std::string& word) { options.containment = io::containment_choice_of(word); },
      "How programs are kept from outliving this one; else the strongest way there is")
    ->check(CLI::IsMember({"strongest", "cgroup_v2", "cgroup_v1", "subreaper", "process_group"}))
    ->envname("PENNING_CONTAINMENT");
  command.footer("SIGINT and SIGTERM stop the tree in reverse order; a second one kills it.");
}

void describe_tree(CLI::App& command, apps::tree_options& options) {
  auto* file = command.add_option("FILE", options.file, "Tree file: show what it would be");
  command.add_option("--name", options.name, "The running instance, where there are several")
    ->check(check_name)
    ->excludes(file);
  command.add_flag("--json", options.json, "As one JSON object");
}

int run(int argc, char** argv) {
  CLI::App app{"penning: OTP supervision for OS processes", "penning"};
  apps::up_options up;
  apps::tree_options tree;
  app.set_version_flag("--version", std::string{"penning " PENNING_VERSION});
  app.footer(statuses);
  auto* up_command = app.add_subcommand("up", "Run a tree of programs until SIGINT or SIGTERM");
  auto* tree_command = app.add_subcommand("tree", "Show the running tree, or that of a file");
  describe_up(*up_command, up);
  describe_tree(*tree_command, tree);
  app.require_subcommand(1);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? apps::success : apps::bad_usage;
  }
  return *up_command ? apps::run_up(up) : apps::run_tree(tree);
}

} // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const supervision::tree_file_error& error) {
    std::cerr << error.what() << '\n'; // each line begins with the file, as a compiler's
  } catch (const std::exception& error) {
    std::cerr << "penning: " << error.what() << '\n';
  }
  return apps::bad_usage;
}
