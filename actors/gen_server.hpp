#pragma once

#include <penning/actors/server_ref.hpp>

#include <chrono>
#include <concepts>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

namespace penning::actors {

namespace detail {

/// The reply to a request, where the request names it or a callback returns it.
template <class Module, class Request>
struct declared_reply : named_reply<Request> {};
template <class Module, class Request>
requires(
  !requires { typename Request::reply; }
  && requires(Module & m,
              Request r) { m.handle_call(std::move(r)); }) struct declared_reply<Module, Request> {
  using returned = decltype(std::declval<Module&>().handle_call(std::declval<Request>()));
  using type = std::conditional_t<std::convertible_to<returned, callback_result>, term,
                                  std::remove_cvref_t<returned>>;
};

/// The reply to a request of a plain CAF actor: a message, or a `term`.
template <class Module, class Request>
struct plain_reply_of {
  using type = term;
};
template <class Module, class Request>
requires message<typename declared_reply<Module, Request>::type>
struct plain_reply_of<Module, Request> : declared_reply<Module, Request> {
};
template <class Module, class Request>
using plain_reply = typename plain_reply_of<Module, Request>::type;

/// What a callback that returns nothing or a step comes to.
template <class Callback>
callback_result step(Callback&& callback) {
  if constexpr (std::is_void_v<std::invoke_result_t<Callback>>)
    return callback(), noreply{};
  else
    return callback();
}

} // namespace detail

/// A server whose callback module is the ordinary class `Module`: it has the callbacks that it
/// wants, each as often as it has types of requests.
///
///     class counter {
///      public:
///       struct add { int by; };
///       struct reset {};
///
///       int handle_call(add request) { return count_ += request.by; }
///       void handle_cast(reset) { count_ = 0; }
///
///      private:
///       int count_ = 0;
///     };
///
///     auto server = self.start_link<gen_server<counter>>();            // in a process, or
///     gen_server<counter>::ref c{start_link<gen_server<counter>>(*scoped_actor)};
///     c.call(&self, counter::add{2}).then([](int count) { ... });      // or
///     int count = c.call(scoped_actor, counter::add{2});
///     c.cast(counter::reset{});
///
/// - The constructor takes what `start_link` is given; with a `gen_server<Module>&` before it, the
///   server itself, whom the module may keep: to link, monitor, send, trap exits, start others.
/// - `init()`, once it is constructed, returns nothing or an `init_result`. What either of the two
///   throws fails the start, without `terminate`.
/// - `handle_call(Request)` returns the reply, of any type, or nothing (the caller's `call` is
///   done), or what `gen_server` has: `noreply`, `reply` (of a `term`), `stop` or
///   `callback_result`. `handle_call(Request, from<Reply>)` returns nothing or one of these, and
///   `from` may be kept; the request then names its reply, as in `using reply = int;`, or the
///   caller does.
/// - `handle_cast(Request)` and `handle_info(Message)` return nothing, `noreply`, `stop` or
///   `callback_result`. Messages are those of `ref::send` and `send_after`, any `term`, the atom
///   `timeout`, and the `data`, `error`, `exited`, `closed` and `connected` of OS processes.
///   `handle_info(down)` and `handle_info(exit_signal)` get these as they are instead of as terms.
/// - A type in `using messages = std::tuple<...>` arrives though a plain CAF actor sent it: a request
///   in its `handle_call`, whose reply converts to `term` or is a message itself, anything else in
///   its `handle_info` or, without one, in its `handle_cast`.
/// - `handle_ack(caf::actor_addr, start_result)` as `process` has it.
/// - `handle_continue(term)`, `terminate(term reason)`: see `callback_process` for when.
///
/// The callbacks run one at a time. What they throw ends the server: see `exit_with`. Without a
/// callback for it, a call ends it with `{bad_call, Request}`, a cast with `{bad_cast, Request}`,
/// and a message is dropped.
/// Cost: a start is one construction, in the thread of whoever starts it; no message is sent.
/// Source: OTP's `gen_server`.
template <class Module>
class gen_server final : public callback_process {
 public:
  using ref = server_ref<gen_server>;

  template <class... Args>
  explicit gen_server(caf::actor_config& config, Args&&... args)
      : callback_process{config},
        module_{*this, std::forward<Args>(args)...} {}

  const char* name() const override { return "penning.gen_server"; }

  using process::set_name;

  /// `handle_info` gets `message`, of any type that it takes, once `delay` has passed.
  template <class Message>
  timer_ref send_after(std::chrono::milliseconds delay, Message message) {
    static_assert(infos<Message>, "the module has no handle_info for this message");
    return run_after(this, delay, [this, message = std::move(message)]() mutable {
      run([&] { return detail::step([&] { return module_->handle_info(std::move(message)); }); });
    });
  }

  // -- what `server_ref` asks ---------------------------------------------------------------------

  template <class Request, class Reply>
  static constexpr bool calls = requires(Module& m, Request r, from<Reply>& f) {
    m.handle_call(std::move(r), f);
  }
  || requires(Module& m, Request r) { m.handle_call(std::move(r)); };

  template <class Request>
  static constexpr bool casts = requires(Module& m, Request r) {
    m.handle_cast(std::move(r));
  };

  template <class Message>
  static constexpr bool infos = requires(Module& m, Message x) {
    m.handle_info(std::move(x));
  };

  template <class Request>
  using reply_of = detail::declared_reply<Module, Request>;

  template <class Request, class Reply>
  void open_call(const std::shared_ptr<Request>& request, from<Reply> caller) {
    run([&] { return answer<Request>(std::move(*request), caller); }, &caller.answer());
  }

  template <class Request>
  void open_cast(const std::shared_ptr<Request>& request) {
    run([&] { return detail::step([&] { return module_->handle_cast(std::move(*request)); }); });
  }

  template <class Message>
  void open_info(const std::shared_ptr<Message>& message) {
    run([&] { return detail::step([&] { return module_->handle_info(std::move(*message)); }); });
  }

 protected:
  start_result init() override;
  caf::message_handler receive() override;
  void handle_exit(const caf::actor_addr& from, const term& reason) override;
  void handle_down(const down& message) override;
  void handle_ack(const caf::actor_addr& child, const start_result& result) override;
  void terminate(const term&) override { module_.reset(); }

  bool takes(const caf::message& message) const override;
  callback_result on_info(const term& message) override;
  callback_result on_continue(const term& continuation) override;
  void on_stop(const term& reason) override;

 private:
  template <class Request, class Reply>
  callback_result answer(Request request, from<Reply>& caller);

  template <class Message>
  void add_info(caf::message_handler& handlers);
  template <class Message>
  void add_message(caf::message_handler& handlers);
  template <class Message>
  void take_plain(Message& message);

  module_slot<Module> module_;
};

template <class Module>
start_result gen_server<Module>::init() {
  using enum start_result::kind;
  module_.check();
  init_result result;
  if constexpr (requires { module_->init(); }) {
    if constexpr (std::is_void_v<decltype(module_->init())>)
      module_->init();
    else
      result = module_->init();
  }
  if (std::holds_alternative<actors::ignore>(result))
    return {ignore, {}};
  if (auto* refusal = std::get_if<actors::stop>(&result))
    return {stop, std::move(refusal->reason)};
  run_before_messages(std::get<next_step>(std::move(result)));
  return {};
}

template <class Module>
caf::message_handler gen_server<Module>::receive() {
  caf::message_handler handlers{
    [this](envelope& sealed) { sealed.content->open(*this, sealed.content); },
    [this](call& message) -> caf::result<term> {
      from<term> caller{answer_later(), nullptr};
      run([&] { return answer<term>(std::move(message.request), caller); }, &caller.answer());
      return caller.answer().promise();
    },
    [this](cast& message) {
      run([&]() -> callback_result {
        if constexpr (casts<term>)
          return detail::step([&] { return module_->handle_cast(std::move(message.request)); });
        else
          return actors::stop{tuple_of("bad_cast"_a, message.request), {}};
      });
    },
    [this](term& message) { take_info(std::move(message)); },
    [this](first_step& first) { run_first(std::move(first.step)); },
  };
  add_info<data>(handlers);
  add_info<error>(handlers);
  add_info<exited>(handlers);
  add_info<closed>(handlers);
  add_info<connected>(handlers);
  if constexpr (requires { typename Module::messages; })
    [&]<class... Message>(std::type_identity<std::tuple<Message...>>) {
      (add_message<Message>(handlers), ...);
    }(std::type_identity<typename Module::messages>{});
  return handlers;
}

template <class Module>
bool gen_server<Module>::takes(const caf::message& message) const {
  if constexpr (requires { typename Module::messages; })
    return [&]<class... Message>(std::type_identity<std::tuple<Message...>>) {
      return (message.match_elements<Message>() || ...);
    }(std::type_identity<typename Module::messages>{});
  else
    return callback_process::takes(message);
}

template <class Module>
template <class Message>
void gen_server<Module>::add_info(caf::message_handler& handlers) {
  if constexpr (infos<Message>)
    handlers = handlers.or_else([this](Message& message) {
      run([&] { return detail::step([&] { return module_->handle_info(std::move(message)); }); });
    });
}

template <class Module>
template <class Message>
void gen_server<Module>::add_message(caf::message_handler& handlers) {
  using returned = detail::plain_reply<Module, Message>;
  if constexpr (calls<Message, returned>)
    handlers = handlers.or_else([this](Message& message) -> caf::result<returned> {
      if (!is_request(this)) {
        take_plain(message);
        return no_answer<returned>();
      }
      from<returned> caller{answer_later(), nullptr};
      run([&] { return answer<Message>(std::move(message), caller); }, &caller.answer());
      return caller.answer().promise();
    });
  else
    handlers = handlers.or_else([this](Message& message) { take_plain(message); });
}

template <class Module>
template <class Message>
void gen_server<Module>::take_plain(Message& message) {
  auto copy = std::make_shared<Message>(std::move(message));
  if constexpr (infos<Message>)
    open_info(copy);
  else if constexpr (casts<Message>)
    open_cast(copy);
}

template <class Module>
template <class Request, class Reply>
callback_result gen_server<Module>::answer(Request request, from<Reply>& caller) {
  if constexpr (requires { module_->handle_call(std::move(request), caller); }) {
    return detail::step([&] { return module_->handle_call(std::move(request), caller); });
  } else if constexpr (requires { module_->handle_call(std::move(request)); }) {
    const auto handle = [&] { return module_->handle_call(std::move(request)); };
    using result = decltype(handle());
    if constexpr (std::convertible_to<result, callback_result>)
      return handle();
    else if constexpr (!std::is_void_v<result>)
      caller.reply(handle());
    else if constexpr (std::is_void_v<Reply>)
      handle(), caller.reply();
    else
      handle(), caller.reply(atoms::ok());
    return noreply{};
  } else {
    return actors::stop{tuple_of("bad_call"_a, request), {}};
  }
}

template <class Module>
void gen_server<Module>::handle_exit(const caf::actor_addr& from, const term& reason) {
  if constexpr (infos<exit_signal>)
    if (from != parent())
      return open_info(std::make_shared<exit_signal>(exit_signal{from, reason}));
  callback_process::handle_exit(from, reason);
}

template <class Module>
void gen_server<Module>::handle_down(const down& message) {
  if constexpr (infos<down>)
    open_info(std::make_shared<down>(message));
  else
    callback_process::handle_down(message);
}

template <class Module>
void gen_server<Module>::handle_ack(const caf::actor_addr& child, const start_result& result) {
  if constexpr (requires { module_->handle_ack(child, result); })
    run([&] { return detail::step([&] { return module_->handle_ack(child, result); }); });
}

template <class Module>
callback_result gen_server<Module>::on_info(const term& message) {
  if constexpr (infos<term>)
    return detail::step([&] { return module_->handle_info(term{message}); });
  return noreply{};
}

template <class Module>
callback_result gen_server<Module>::on_continue(const term& continuation) {
  if constexpr (requires { module_->handle_continue(continuation); })
    return detail::step([&] { return module_->handle_continue(continuation); });
  return actors::stop{tuple_of("bad_continue"_a, continuation), {}};
}

template <class Module>
void gen_server<Module>::on_stop(const term& reason) {
  if constexpr (requires { module_->terminate(reason); })
    module_->terminate(reason);
}

} // namespace penning::actors
