#include <penning/io/limited_cgroup.hpp>

#include <penning/io/cgroup_files.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace penning::io {
namespace {

/// One way through the calls; the first error ends it.
class maker {
 public:
  explicit maker(std::string& what) : what_(what) {}

  std::error_code make(const cgroup_plan::directory& directory) {
    for (const auto& step : way_to(directory))
      if (!make_step(step, directory))
        return error_;
    if (::mkdir(directory.path.c_str(), 0755) != 0)
      fail("mkdir " + directory.path, errno);
    return error_;
  }

  std::error_code write(const cgroup_setting& setting) {
    auto error = write_file(AT_FDCWD, setting.file.c_str(), setting.value);
    bool is_missing = error.value() == ENOENT && setting.where_present;
    if (error && !is_missing)
      fail("write " + setting.file + " " + setting.value, error.value());
    return error_;
  }

 private:
  bool fail(std::string what, int error) {
    what_ = std::move(what);
    error_.assign(error, std::system_category());
    return false;
  }

  bool make_step(const std::string& step, const cgroup_plan::directory& directory) {
    if (::mkdir(step.c_str(), 0755) != 0 && errno != EEXIST)
      return fail("mkdir " + step, errno);
    if (directory.version == 2)
      for (const auto& controller : directory.controllers)
        if (!enable(controller.name, step + "/cgroup.subtree_control"))
          return false;
    return true;
  }

  bool enable(const std::string& controller, const std::string& file) {
    return has_word(file, controller) || !write({file, "+" + controller});
  }

  std::string& what_;
  std::error_code error_;
};

} // namespace

std::error_code limited_cgroup::make(const cgroup_plan& plan, std::string& what) {
  maker by(what);
  std::error_code error;
  for (auto planned = plan.directories.begin(); !error && planned != plan.directories.end();
       ++planned)
    if (!(error = by.make(*planned)))
      error = add(*planned, what);
  for (auto setting = plan.settings.begin(); !error && setting != plan.settings.end(); ++setting)
    error = by.write(*setting);
  if (error)
    remove();
  return error;
}

std::error_code limited_cgroup::add(const cgroup_plan::directory& made, std::string& what) {
  auto is_for = [&](std::string_view name) {
    return std::ranges::find(made.controllers, name, &wanted_controller::name)
           != made.controllers.end();
  };
  bool stops_forks = made.version == 2 || is_for("pids") || is_for("freezer");
  auto& added = directories_.emplace_back(directory{made.path, made.version, stops_forks});
  added.open = open_directory(made.path);
  if (added.open)
    return {};
  what = "open " + made.path;
  return {errno, std::system_category()};
}

std::error_code limited_cgroup::remove() {
  std::error_code error;
  std::erase_if(directories_, [&](const directory& x) {
    auto failed = remove_cgroup(x.path);
    if (failed)
      error = failed;
    return !failed;
  });
  return error;
}

const limited_cgroup::directory& limited_cgroup::best() const {
  auto found = std::ranges::find(directories_, true, &directory::stops_forks);
  return found == directories_.end() ? directories_.front() : *found;
}

std::string limited_cgroup::names() const {
  std::string all, vanished;
  auto add = [](std::string& list, const std::string& path) {
    list += (list.empty() ? "" : ", ") + path;
  };
  for (const auto& one : directories_) {
    add(all, one.path);
    if (::access(one.path.c_str(), F_OK) != 0)
      add(vanished, one.path);
  }
  return vanished.empty() ? all : vanished;
}

void limited_cgroup::close() {
  for (auto& one : directories_)
    one.open.reset();
}

} // namespace penning::io
