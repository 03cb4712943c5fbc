// The streams of an OS process, and the owner at their other end.

#include <penning/actors/os_process.hpp>
#include <penning/actors/posix_name.hpp>

#include <utility>

namespace penning::actors {

// -- output ---------------------------------------------------------------------------------------

void os_process::on_output(io::output stream, std::vector<char> bytes) {
  const bool is_out = stream == io::output::out;
  (is_out ? out_bytes_ : err_bytes_) += bytes.size();
  if (!owner_) {
    if (child_)
      child_->grant(stream, bytes.size());
    return;
  }
  const bool ready = is_out && ready_line_ && ready_line_->feed({bytes.data(), bytes.size()});
  flow(stream).push(std::move(bytes));
  forward(stream);
  if (ready)
    on_ready();
}

void os_process::on_output_closed(io::output stream) {
  flow(stream).finish();
  forward(stream);
}

void os_process::forward(io::output stream) {
  auto& from = flow(stream);
  const bool is_out = stream == io::output::out;
  while (auto piece = from.next()) {
    const auto size = from.size_of(*piece);
    if (from.has_lines())
      is_out ? send_output(stream, size, data_line{std::move(*piece)})
             : send_output(stream, size, error_line{std::move(*piece)});
    else
      is_out ? send_output(stream, size, data{std::move(piece->bytes)})
             : send_output(stream, size, error{std::move(piece->bytes)});
  }
}

template <class Message>
void os_process::send_output(io::output stream, std::size_t size, Message message) {
  auto consumed = [this, stream, size, owner = owner_number_] {
    if (owner != owner_number_)
      return;
    flow(stream).consumed(size);
    if (child_)
      child_->grant(stream, size);
    forward(stream);
    finish_if_delivered();
  };
  // An owner that is gone or does not understand consumes as well: nobody waits for it.
  actors::request(this, owner_, std::move(message)).then(consumed, [consumed](const caf::error&) {
    consumed();
  });
}

// -- input ----------------------------------------------------------------------------------------

caf::result<void> os_process::write(command& message) {
  const auto size = message.bytes.size();
  if (const auto reason = input_.why_not(size))
    return refuse(size, reason);
  if (size == 0)
    return answer({});
  std::optional<pending_answer> answer;
  if (is_request(this))
    answer.emplace(make_response_promise());
  tell(input_.write(std::move(message.bytes), answer));
  return answer ? answer->promise() : no_answer<void>();
}

caf::result<void> os_process::refuse(std::size_t bytes, std::error_code reason) {
  if (is_request(this))
    return posix_error(reason);
  if (const auto writer = caf::actor_cast<caf::actor>(current_sender()))
    actors::send(this, writer, stdin_refused{bytes, posix_name(reason)});
  return no_answer<void>();
}

void os_process::tell(input_notice notice) {
  if (!owner_)
    return;
  if (notice == input_notice::busy)
    actors::send(this, owner_, stdin_busy{input_.bound().queued()});
  else if (notice == input_notice::ready)
    actors::send(this, owner_, stdin_ready{});
}

void os_process::on_stdin_closed(std::error_code reason) {
  input_.fail(reason);
  if (owner_)
    actors::send(this, owner_, stdin_closed{posix_name(reason)});
}

// -- the owner ------------------------------------------------------------------------------------

bool os_process::from_owner() {
  return owner_ && caf::actor_cast<caf::actor_addr>(current_sender()) == owner_.address();
}

void os_process::close_for_owner() {
  if (!from_owner())
    return;
  closing_ = true;
  stop();
}

void os_process::connect_for_owner(const caf::actor& owner) {
  if (from_owner())
    change_owner(owner);
}

void os_process::owner_is_gone() {
  owner_ = nullptr;
  ++owner_number_;
  for (const auto stream : {io::output::out, io::output::err}) {
    const auto window = flow(stream).window();
    flow(stream) = output_flow{window};
    if (child_)
      child_->grant(stream, window); // so that no write keeps it from ending
  }
}

void os_process::change_owner(const caf::actor& owner) {
  if (!owner || owner == owner_)
    return;
  auto former = std::exchange(owner_, owner);
  link(owner_);
  ++owner_number_;
  for (const auto stream : {io::output::out, io::output::err}) {
    const auto freed = flow(stream).forget_unconsumed(); // the former owner's affair
    if (child_ && freed > 0)
      child_->grant(stream, freed);
    forward(stream);
  }
  if (input_.bound().is_busy())
    tell(input_notice::busy);
  actors::send(this, former, connected{});
  if (former.address() != parent())
    unlink(former);
  finish_if_delivered();
}

} // namespace penning::actors
