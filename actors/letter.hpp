#pragma once

#include <penning/actors/callback_process.hpp>

#include <concepts>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace penning::actors {

namespace detail {

/// Where the reply of a typed call stands once it is given; a `term` travels in the message itself.
template <class Reply>
struct reply_slot {
  std::optional<Reply> value;
};
template <class Reply>
requires(std::is_void_v<Reply> || std::same_as<Reply, term>) struct reply_slot<Reply> {
};

/// A call, cast or info of C++ types, which knows how to hand itself to its server. It never leaves
/// the program.
struct letter {
  virtual ~letter() = default;
  virtual void open(callback_process& server, const std::shared_ptr<letter>& self) = 0;
};

} // namespace detail

/// What carries a typed call, cast or info to its server.
struct envelope {
  std::shared_ptr<detail::letter> content;
};

/// Whoever waits for the reply to a call. May be kept and replied to later, in the server's own
/// handlers; if the server ends first, the caller is told why, and if it is forgotten, `noproc`.
/// Without a slot a reply that is a message travels itself.
template <class Reply>
class from {
 public:
  from(pending_answer answer, std::shared_ptr<detail::reply_slot<Reply>> slot)
      : answer_{std::move(answer)},
        slot_{std::move(slot)} {}

  /// Only the first reply counts. Source: `gen_server:reply/2`.
  template <class... Value>
  requires(sizeof...(Value) == (std::is_void_v<Reply> ? 0 : 1)) void reply(Value&&... value) {
    if (answer_.given())
      return;
    if constexpr (std::is_void_v<Reply>) {
      answer_.deliver(caf::unit);
    } else if constexpr (std::same_as<Reply, term>) {
      answer_.deliver(term{std::forward<Value>(value)...});
    } else {
      if constexpr (message<Reply>)
        if (!slot_)
          return answer_.deliver(Reply(std::forward<Value>(value)...));
      slot_->value.emplace(std::forward<Value>(value)...);
      answer_.deliver(caf::unit);
    }
  }

  void fail(term reason) { answer_.fail(std::move(reason)); }

  pending_answer& answer() noexcept { return answer_; }

 private:
  pending_answer answer_;
  std::shared_ptr<detail::reply_slot<Reply>> slot_;
};

namespace detail {

template <class Server, class Request, class Reply>
struct call_letter final : letter, reply_slot<Reply> {
  explicit call_letter(Request r) : request{std::move(r)} {}
  void open(callback_process& server, const std::shared_ptr<letter>& self) override {
    auto slot = std::static_pointer_cast<call_letter>(self);
    static_cast<Server&>(server).open_call(std::shared_ptr<Request>{slot, &request},
                                           from<Reply>{server.answer_later(), slot});
  }
  Request request;
};

template <class Server, class Request>
struct cast_letter final : letter {
  explicit cast_letter(Request r) : request{std::move(r)} {}
  void open(callback_process& server, const std::shared_ptr<letter>& self) override {
    static_cast<Server&>(server).open_cast(std::shared_ptr<Request>{self, &request});
  }
  Request request;
};

template <class Server, class Message>
struct info_letter final : letter {
  explicit info_letter(Message m) : message{std::move(m)} {}
  void open(callback_process& server, const std::shared_ptr<letter>& self) override {
    static_cast<Server&>(server).open_info(std::shared_ptr<Message>{self, &message});
  }
  Message message;
};

} // namespace detail
} // namespace penning::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penning::actors::envelope)
