#pragma once

#include <penning/actors/letter.hpp>
#include <penning/actors/messages.hpp>

#include <chrono>
#include <concepts>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>

namespace penning::actors {

/// How long a `call` waits unless it is told, as OTP's.
inline constexpr std::chrono::milliseconds default_call_timeout{5000};

/// The deadline of a call; `std::nullopt` is `infinity`.
using call_timeout = std::optional<std::chrono::milliseconds>;

/// Why a call brought no reply: `timeout`, `noproc` if there is no such server, or the reason with
/// which it ended.
struct call_failed : std::runtime_error {
  explicit call_failed(term why)
      : std::runtime_error{"call: " + to_string(why)},
        reason{std::move(why)} {}
  term reason;
};

namespace detail {

/// The reply that a request names.
template <class Request>
struct named_reply {};
template <class Request>
requires requires {
  typename Request::reply;
}
struct named_reply<Request> {
  using type = typename Request::reply;
};

/// What a server gives for a request: `Explicit` if the caller names it, else what the server says.
template <class Explicit, class Server, class Request>
struct reply_for {
  using type = Explicit;
};
struct as_declared; // by the server
template <class Server, class Request>
struct reply_for<as_declared, Server, Request> {
  using type = term; // a request that is a term
};
template <class Server, class Request>
requires(!std::convertible_to<Request, term> && requires {
  typename Server::template reply_of<Request>::type;
}) struct reply_for<as_declared, Server, Request> : Server::template reply_of<Request> {
};

/// The error of a request as the reason of a `call_failed`.
inline term call_reason(const caf::error& error) {
  if (error == caf::sec::request_timeout)
    return atoms::timeout();
  if (error == caf::sec::request_receiver_down) // it ended before it was sent anything
    return atoms::noproc();
  return reason_from(error);
}

/// Calls `on_reply` with what an answer brought, unless it brought nothing of that type.
template <class Reply, class OnReply>
bool hand_over(const caf::message& answer, reply_slot<Reply>* slot, OnReply& on_reply) {
  if constexpr (std::same_as<Reply, term>) {
    if (answer.match_elements<term>())
      return on_reply(answer.get_as<term>(0)), true;
    return false;
  } else if constexpr (std::is_void_v<Reply>) {
    return on_reply(), true;
  } else {
    return slot->value && (on_reply(std::move(*slot->value)), true);
  }
}

} // namespace detail

/// A call on its way: `then` sends it.
template <class Reply>
class [[nodiscard]] pending_call {
 public:
  pending_call(process* self, caf::actor server, caf::message request,
               std::shared_ptr<detail::reply_slot<Reply>> slot, call_timeout timeout)
      : self_{self},
        server_{std::move(server)},
        request_{std::move(request)},
        slot_{std::move(slot)},
        timeout_{timeout} {}

  /// Calls `on_reply(Reply)` or `on_error(term reason)`, in a handler of its own of the calling
  /// process; see `call_failed` for the reasons. A reply that comes after its deadline is dropped.
  template <class OnReply, class OnError>
  void then(OnReply on_reply, OnError on_error) &&;

  /// A call that fails ends the calling process with `{Reason, call}`, as in OTP.
  template <class OnReply>
  void then(OnReply on_reply) && {
    std::move(*this).then(std::move(on_reply), [self = self_](const term& reason) {
      self->exit(tuple_of(reason, "call"_a));
    });
  }

 private:
  process* self_;
  caf::actor server_;
  caf::message request_;
  std::shared_ptr<detail::reply_slot<Reply>> slot_;
  call_timeout timeout_;
};

/// A handle of a server: what others do with it. It keeps the server, as a `caf::actor` does.
///
/// What converts to `term`, a number or a text, say, goes as a `term`; what is of another type goes
/// as it is, to the server's callback for it. `server_ref<process>` is for a server of unknown
/// type, which takes terms. Errors: from an actor that is no `Server`: `std::invalid_argument`.
template <class Server>
class server_ref {
 public:
  server_ref() = default;
  explicit server_ref(caf::actor actor) : actor_{std::move(actor)} {
    if (actor_ && !dynamic_cast<Server*>(caf::actor_cast<caf::abstract_actor*>(actor_)))
      throw std::invalid_argument{"server_ref: the actor is another kind of server"};
  }

  const caf::actor& actor() const noexcept { return actor_; }
  explicit operator bool() const noexcept { return static_cast<bool>(actor_); }

  /// A request of the process `self`, with `.then(on_reply, on_error)`. `Reply` need only be named
  /// where a callback takes a `from<Reply>` and the request does not name its `reply`.
  /// Source: `gen_server:call/3`.
  template <class Reply = detail::as_declared, class Request>
  auto call(process* self, Request request, call_timeout timeout = default_call_timeout) const {
    using result = typename detail::reply_for<Reply, Server, Request>::type;
    auto [message, slot] = make_call<result>(std::move(request));
    return pending_call<result>{self, actor_, caf::make_message(std::move(message)),
                                std::move(slot), timeout};
  }

  /// Likewise for a thread that is no actor: waits. Errors: `call_failed`.
  template <class Reply = detail::as_declared, class Request>
  auto call(caf::scoped_actor& self, Request request,
            call_timeout timeout = default_call_timeout) const {
    using result = typename detail::reply_for<Reply, Server, Request>::type;
    return wait<result>(self, std::move(request), timeout);
  }

  /// A request without a reply. Source: `gen_server:cast/2`.
  template <class Request>
  void cast(Request request) const {
    if constexpr (!std::convertible_to<Request, term> && requires {
                    requires Server::template casts<Request>;
                  })
      post(actor_,
           envelope{std::make_shared<detail::cast_letter<Server, Request>>(std::move(request))});
    else
      post(actor_, actors::cast{term{std::move(request)}});
  }

  /// A message for `handle_info`.
  template <class Message>
  void send(Message message) const {
    if constexpr (!std::convertible_to<Message, term> && requires {
                    requires Server::template infos<Message>;
                  })
      post(actor_,
           envelope{std::make_shared<detail::info_letter<Server, Message>>(std::move(message))});
    else
      post(actor_, term{std::move(message)});
  }

 private:
  template <class Reply, class Request>
  static auto make_call(Request request) {
    using slot = std::shared_ptr<detail::reply_slot<Reply>>;
    if constexpr (!std::convertible_to<Request, term> && requires {
                    requires Server::template calls<Request, Reply>;
                  }) {
      auto letter =
        std::make_shared<detail::call_letter<Server, Request, Reply>>(std::move(request));
      return std::pair{envelope{letter}, slot{letter}};
    } else {
      static_assert(std::same_as<Reply, term> && std::constructible_from<term, Request>,
                    "the server has no handle_call for this request");
      return std::pair{actors::call{term{std::move(request)}}, slot{}};
    }
  }

  template <class Reply, class Request>
  Reply wait(caf::scoped_actor& self, Request request, call_timeout timeout) const;

  caf::actor actor_;
};

template <class Reply>
template <class OnReply, class OnError>
void pending_call<Reply>::then(OnReply on_reply, OnError on_error) && {
  struct open_call {
    OnReply on_reply;
    OnError on_error;
    timer_ref deadline;
    request_id request;
  };
  auto* self = self_;
  auto open =
    std::make_shared<open_call>(open_call{std::move(on_reply), std::move(on_error), {}, {}});
  if (!server_ || !process::is_alive(server_)) {
    run_after(self, {}, [open] { open->on_error(term{atoms::noproc()}); });
    return;
  }
  if (timeout_)
    open->deadline = run_after(self, *timeout_, [self, open] {
      forget_request(*self, open->request);
      open->on_error(term{atoms::timeout()});
    });
  open->request = request_message(
    self, server_, std::move(request_),
    [self, open, slot = slot_](const caf::message& answer) {
      cancel_timer(self, open->deadline);
      if (!detail::hand_over(answer, slot.get(), open->on_reply))
        open->on_error(term{"bad_return_value"_a});
    },
    [self, open](const caf::error& error) {
      cancel_timer(self, open->deadline);
      open->on_error(detail::call_reason(error));
    });
}

template <class Server>
template <class Reply, class Request>
Reply server_ref<Server>::wait(caf::scoped_actor& self, Request request,
                               call_timeout timeout) const {
  if (!actor_ || !process::is_alive(actor_))
    throw call_failed{atoms::noproc()};
  auto [message, slot] = make_call<Reply>(std::move(request));
  std::optional<term> answer;
  const auto on_error = [](caf::error& error) { throw call_failed{detail::call_reason(error)}; };
  if constexpr (std::same_as<Reply, term>) {
    request_and_wait(
      self, actor_, std::move(message), timeout, [&](term& value) { answer = std::move(value); },
      on_error);
    return std::move(*answer);
  } else {
    request_and_wait(
      self, actor_, std::move(message), timeout, [] {}, on_error);
    if constexpr (!std::is_void_v<Reply>)
      return std::move(*slot->value);
  }
}

} // namespace penning::actors
