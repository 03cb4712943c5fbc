#include <penning/actors/os_process_input.hpp>
#include <penning/actors/posix_name.hpp>
#include <penning/actors/process.hpp>

#include <utility>

namespace penning::actors {

namespace {

std::error_code broken_pipe() {
  return std::make_error_code(std::errc::broken_pipe);
}

} // namespace

caf::error posix_error(std::error_code code) {
  return request_error(tuple_of(posix_name(code), code.message()));
}

void os_process_input::open(std::shared_ptr<io::child> child) {
  child_ = std::move(child);
  for (auto& bytes : std::exchange(early_, {}))
    child_->write(std::move(bytes));
  if (closed_)
    child_->close_stdin();
}

std::error_code os_process_input::why_not(std::size_t bytes) const {
  if (closed_)
    return closed_;
  if (bound_.takes(bytes) && writes_.size() < max_commands)
    return {};
  return std::make_error_code(std::errc::resource_unavailable_try_again);
}

input_notice os_process_input::write(std::vector<char> bytes,
                                     std::optional<pending_answer> answer) {
  const auto size = bytes.size();
  writes_.push_back({size, std::move(answer)});
  if (child_)
    child_->write(std::move(bytes));
  else
    early_.push_back(std::move(bytes));
  return bound_.add(size);
}

void os_process_input::close() {
  if (child_)
    child_->close_stdin();
  closed_ = broken_pipe();
}

input_notice os_process_input::written(std::size_t bytes) {
  total_ += bytes;
  const auto notice = bound_.remove(bytes);
  while (!writes_.empty() && writes_.front().bytes <= bytes) {
    bytes -= writes_.front().bytes;
    if (auto& answer = writes_.front().answer)
      answer->deliver(caf::unit);
    writes_.pop_front();
  }
  if (!writes_.empty())
    writes_.front().bytes -= bytes;
  return notice;
}

void os_process_input::fail(std::error_code reason) {
  closed_ = reason;
  bound_ = input_bound{0, 0};
  for (auto& write : std::exchange(writes_, {}))
    if (write.answer)
      write.answer->deliver(posix_error(reason));
}

void os_process_input::end() {
  fail(broken_pipe());
  child_.reset();
  early_.clear();
}

} // namespace penning::actors
