#pragma once

// The CAF seam: everything that differs between CAF 0.17 and 1.x stands here and in scheduler.cpp,
// and nowhere else.
// Written and tested against Debian's 0.17.6; the branches for 1.x follow its documentation.

#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/attachable.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/exit_reason.hpp>
#include <caf/message_handler.hpp>
#include <caf/response_promise.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <caf/type_id.hpp>

#if __has_include(<caf/anon_mail.hpp>)
#  include <caf/anon_mail.hpp>
#  define PENNING_CAF_1 1
#else
#  define PENNING_CAF_1 0
#endif

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <typeindex>
#include <utility>

namespace penning::actors {

/// First of the type ids that penning's messages take, and the first that is left to users.
inline constexpr caf::type_id_t first_type_id = caf::first_custom_type_id;
inline constexpr caf::type_id_t first_user_type_id = first_type_id + 200;

#if PENNING_CAF_1
using execution_context = caf::scheduler;
#else
using execution_context = caf::execution_unit;
#endif

/// A field of a message: its name, and the member itself.
template <class T>
struct field {
  using type = T;
  std::string_view name;
  T& value;

  field(std::string_view field_name, T& member) : name{field_name}, value{member} {}
};

/// CAF's inspection of an object with these fields.
template <class Inspector, class Object, class... Fields>
auto inspect_object(Inspector& f, [[maybe_unused]] Object& object, const char* name,
                    Fields... fields) {
#if PENNING_CAF_1
  return f.object(object).pretty_name(name).fields(f.field(fields.name, fields.value)...);
#else
  return f(caf::meta::type_name(name), fields.value...);
#endif
}

/// Sends without a sender.
template <class Message>
void post(const caf::actor& to, Message&& message) {
#if PENNING_CAF_1
  caf::anon_mail(std::forward<Message>(message)).send(to);
#else
  caf::anon_send(to, std::forward<Message>(message));
#endif
}

/// Sends without a sender, ahead of all ordinary messages in the mailbox.
template <class Message>
void post_urgent(const caf::actor& to, Message&& message) {
#if PENNING_CAF_1
  caf::anon_mail(std::forward<Message>(message)).urgent().send(to);
#else
  caf::anon_send<caf::message_priority::high>(to, std::forward<Message>(message));
#endif
}

template <class Self, class Message>
void send(Self* self, const caf::actor& to, Message&& message) {
#if PENNING_CAF_1
  self->mail(std::forward<Message>(message)).send(to);
#else
  self->send(to, std::forward<Message>(message));
#endif
}

/// Whether the message that is being handled asks for an answer.
template <class Self>
bool is_request(Self* self) {
#if PENNING_CAF_1
  return self->current_message_id().is_request();
#else
  return self->current_mailbox_element()->mid.is_request();
#endif
}

/// What a handler returns to a message that is no request: 0.17 sends back whatever else it
/// returns.
template <class T>
caf::result<T> no_answer() {
  return caf::delegated<T>{};
}

/// A request without a deadline: `.then(on_result, on_error)` follows.
template <class Self, class Message>
auto request(Self* self, const caf::actor& to, Message&& message) {
#if PENNING_CAF_1
  return self->mail(std::forward<Message>(message)).request(to, caf::infinite);
#else
  return self->request(to, caf::infinite, std::forward<Message>(message));
#endif
}

/// `request`, ahead of all ordinary messages in the mailbox.
template <class Self, class Message>
auto request_urgent(Self* self, const caf::actor& to, Message&& message) {
#if PENNING_CAF_1
  return self->mail(std::forward<Message>(message)).urgent().request(to, caf::infinite);
#else
  return self->template request<caf::message_priority::high>(to, caf::infinite,
                                                             std::forward<Message>(message));
#endif
}

/// What an actor is launched on that `starter` starts outside of CAF's own `spawn`.
inline execution_context* launch_context(caf::local_actor& starter) {
#if PENNING_CAF_1
  return &starter.system().scheduler();
#else
  if (auto* context = starter.context())
    return context;
  return starter.system().dummy_execution_unit();
#endif
}

/// Whether an actor of any kind has ended.
inline bool has_terminated(const caf::actor& actor) {
  return caf::actor_cast<caf::abstract_actor*>(actor)->getf(
    caf::abstract_actor::is_terminated_flag);
}

#if !PENNING_CAF_1
namespace detail {

/// Takes an answer of any types, for which an event-based actor of 0.17 has no handler of its own.
class any_answer final : public caf::detail::behavior_impl {
 public:
  any_answer(std::function<void(const caf::message&)> on_result,
             std::function<void(const caf::error&)> on_error)
      : on_result_{std::move(on_result)},
        on_error_{std::move(on_error)} {
    begin_ = end_ = nullptr;
  }

  caf::match_case::result invoke(caf::detail::invoke_result_visitor& visitor,
                                 caf::type_erased_tuple& answer) override {
    if (answer.match_elements<caf::error>())
      on_error_(answer.get_as<caf::error>(0));
    else
      on_result_(caf::message::copy(answer));
    visitor(caf::unit); // else it is called again, with an error: nobody would have understood
    return caf::match_case::match;
  }

 private:
  std::function<void(const caf::message&)> on_result_;
  std::function<void(const caf::error&)> on_error_;
};

/// Tells whoever waits in the mailbox of an actor that ends why it does; 0.17 itself would not.
struct request_bouncer {
  const caf::error& reason;

  void operator()(const caf::mailbox_element& element) const {
    if (element.sender && element.mid.is_request())
      element.sender->enqueue(nullptr, element.mid.response_id(), caf::make_message(reason),
                              nullptr);
  }

  /// CAF's queues nest, and each adds a key and itself.
  template <class Key, class Queue, class... Rest>
  caf::intrusive::task_result operator()(const Key&, const Queue&, const Rest&... rest) const {
    (*this)(rest...);
    return caf::intrusive::task_result::resume;
  }
};

/// The answers that an actor waits for, which 0.17 has no function to give up.
struct open_requests : caf::scheduled_actor {
  static auto& of(caf::scheduled_actor& self) {
    return self.*&open_requests::multiplexed_responses_;
  }
};

} // namespace detail
#endif

/// Lets an actor handle `message` as if it stood first in its mailbox, in a handler of its own.
inline void handle_now(caf::scheduled_actor& self, caf::message message) {
#if PENNING_CAF_1
  self.current_behavior()(message);
#else
  if (self.has_behavior())
    self.current_behavior()(message);
#endif
}

/// Wakes an actor at one point in time on its system's clock; the wake-up call stands in its
/// mailbox like a message. One may come though it was taken back, when it stood there already.
///
/// While it is set, the clock holds the actor.
class alarm {
 public:
  using time_point = caf::actor_clock::time_point;

  alarm(caf::scheduled_actor& self, std::function<void()> ring)
      : self_{self},
        ring_{std::move(ring)} {}
  ~alarm() { cancel(); }
  alarm(const alarm&) = delete;
  alarm& operator=(const alarm&) = delete;

  time_point now() const { return self_.clock().now(); }

  /// At `due`, instead of what was set before; a `due` that has come rings with the next message.
  void set(time_point due) {
    cancel();
#if PENNING_CAF_1
    pending_ = self_.run_scheduled(due, ring_);
#else
    listen();
    if (due > now())
      self_.clock().set_request_timeout(due, &self_, id_);
    else
      self_.eq_impl(id_, self_.ctrl(), self_.context(), caf::sec::request_timeout);
#endif
    due_ = due;
  }

  void cancel() {
    if (!due_)
      return;
    due_.reset();
#if PENNING_CAF_1
    pending_.dispose();
#else
    self_.clock().cancel_request_timeout(&self_, id_);
    if (std::exchange(listening_, false))
      detail::open_requests::of(self_).erase(id_);
#endif
  }

  /// For when it will ring; to be forgotten by `rung` once it has.
  const std::optional<time_point>& due() const noexcept {
    return due_;
  }
  void rung() noexcept {
    due_.reset();
  }

 private:
  caf::scheduled_actor& self_;
  std::function<void()> ring_;
  std::optional<time_point> due_;
#if PENNING_CAF_1
  caf::disposable pending_;
#else
  // The clock of 0.17 can take back only the deadline of a request, so the alarm is one: a request
  // to nobody, always the same.
  void listen() {
    if (std::exchange(listening_, true))
      return;
    auto on_ring = [this](const auto&) {
      listening_ = false;
      ring_();
      if (due_) // it rang though it had been taken back, and is set again by now
        listen();
    };
    self_.add_multiplexed_response_handler(
      id_, caf::behavior{caf::behavior::impl_ptr{new detail::any_answer{on_ring, on_ring}, false}});
  }

  caf::message_id id_ = self_.new_request_id(caf::message_priority::normal).response_id();
  bool listening_ = false;
#endif
};

/// `post` for what is a message already, whatever its types.
inline void post_message(const caf::actor& to, caf::message message) {
#if PENNING_CAF_1
  caf::anon_mail(std::move(message)).send(to);
#else
  to->enqueue(nullptr, caf::make_message_id(), std::move(message), nullptr);
#endif
}

/// A request that waits for its answer.
#if PENNING_CAF_1
using request_id = caf::disposable;
#else
using request_id = caf::message_id;
#endif

/// The type of what a message of one element carries, other than CAF's own types: to look up.
class content_key {
 public:
  template <class T>
  static content_key of() {
#if PENNING_CAF_1
    return content_key{caf::type_id_v<T>};
#else
    return content_key{std::type_index{typeid(T)}};
#endif
  }

  /// Nothing for any other message.
  static std::optional<content_key> of(const caf::message& message) {
    if (message.size() != 1)
      return std::nullopt;
#if PENNING_CAF_1
    return content_key{message.type_at(0)};
#else
    const auto* type = message.type(0).second;
    return type ? std::optional{content_key{std::type_index{*type}}} : std::nullopt;
#endif
  }

  bool operator==(const content_key&) const = default;

  struct hash {
    std::size_t operator()(const content_key& key) const noexcept {
      return std::hash<type>{}(key.type_);
    }
  };

 private:
#if PENNING_CAF_1
  using type = caf::type_id_t;
#else
  using type = std::type_index;
#endif
  explicit content_key(type which) : type_{which} {}

  type type_;
};

/// `request` for what is a message already; the answer may be of any types. An actor that is about
/// to end sends none.
template <class Self, class OnResult, class OnError>
request_id request_message(Self* self, const caf::actor& to, caf::message message,
                           OnResult on_result, OnError on_error) {
#if PENNING_CAF_1
  return self->mail(std::move(message)).request(to, caf::infinite).then(on_result, on_error);
#else
  // One that is ending would not end before it had its answer.
  if (self->getf(caf::abstract_actor::is_shutting_down_flag))
    return {};
  const auto id = self->new_request_id(caf::message_priority::normal);
  to->enqueue(self->ctrl(), id, std::move(message), self->context());
  self->add_multiplexed_response_handler(
    id.response_id(), caf::behavior{caf::behavior::impl_ptr{
                        new detail::any_answer{std::move(on_result), std::move(on_error)}, false}});
  return id.response_id();
#endif
}

/// After this no answer to a request arrives, not even one that is in the mailbox already.
inline void forget_request([[maybe_unused]] caf::scheduled_actor& self, request_id request) {
#if PENNING_CAF_1
  request.dispose();
#else
  detail::open_requests::of(self).erase(request);
#endif
}

/// A request of a thread that is no actor: calls `on_result` or `on_error` before it returns.
/// A deadline that has passed is the error `request_timeout` of CAF.
template <class Message, class OnResult, class OnError>
void request_and_wait(caf::scoped_actor& self, const caf::actor& to, Message&& message,
                      std::optional<std::chrono::milliseconds> timeout, OnResult on_result,
                      OnError on_error) {
#if PENNING_CAF_1
  const auto limit = timeout ? caf::timespan{*timeout} : caf::infinite;
  self->mail(std::forward<Message>(message)).request(to, limit).receive(on_result, on_error);
#else
  const auto limit = timeout ? caf::duration{*timeout} : caf::duration{caf::infinite};
  self->request(to, limit, std::forward<Message>(message)).receive(on_result, on_error);
#endif
}

/// An exit message of CAF's own, for actors that are no `process`.
inline void post_caf_exit(const caf::actor& to, const caf::actor_addr& from, caf::error reason) {
#if PENNING_CAF_1
  caf::anon_mail(caf::exit_msg{from, std::move(reason)}).urgent().send(to);
#else
  to->eq_impl(caf::make_message_id(caf::message_priority::high), nullptr, nullptr,
              caf::exit_msg{from, std::move(reason)});
#endif
}

/// What an error tells: that a request failed, or that an actor has ended.
enum class error_kind : std::uint8_t { failure = 1, end = 2 };

/// An error that carries a value; `payload` reads it. (Comparing two `caf::error`s ignores it.)
template <class T>
caf::error make_payload_error(T value, error_kind kind) {
#if PENNING_CAF_1
  const auto code =
    kind == error_kind::end ? caf::sec::request_receiver_down : caf::sec::runtime_error;
  return caf::error{code, caf::make_message(std::move(value))};
#else
  return caf::error{static_cast<std::uint8_t>(kind), caf::atom("penning"),
                    caf::make_message(std::move(value))};
#endif
}

/// Whether a request failed because the actor that was asked has ended, or had before.
inline bool is_end(const caf::error& error) {
#if PENNING_CAF_1
  return !error || error == caf::sec::request_receiver_down
         || error.category() == caf::type_id_v<caf::exit_reason>;
#else
  if (!error || error == caf::sec::request_receiver_down || error.category() == caf::atom("exit"))
    return true;
  return error.category() == caf::atom("penning")
         && error.code() == static_cast<std::uint8_t>(error_kind::end);
#endif
}

/// The value in an error of `make_payload_error`, or null.
template <class T>
const T* payload(const caf::error& error) {
  if (!error || !error.context().template match_elements<T>())
    return nullptr;
  return &error.context().template get_as<T>(0);
}

/// A callback at the end of an actor: CAF's monitor without its message, so that what is sent from
/// it stays in order with what the actor sent before.
class exit_observer final : public caf::attachable {
 public:
  using callback = std::function<void(const caf::error&)>;

  exit_observer(const void* key, callback call) : key_{key}, call_{std::move(call)} {}

  void actor_exited(const caf::error& reason, execution_context*) override { call_(reason); }

  bool matches(const token& what) override { return what.subtype == subtype && what.ptr == key_; }

  /// Calls back once `actor` ends: at once, in this thread, if it has ended already.
  static void attach(const caf::actor& actor, const void* key, callback call) {
    actor->attach(std::make_unique<exit_observer>(key, std::move(call)));
  }

  static void detach(const caf::actor& actor, const void* key) {
    actor->detach(token{subtype, key});
  }

 private:
  static constexpr std::size_t subtype = 0x70656e; // CAF's own are 0 to 3

  const void* key_;
  callback call_;
};

/// What a process is: an event-based actor whose end does not wake the clock's thread.
class quiet_actor : public caf::event_based_actor {
 public:
  using event_based_actor::event_based_actor;

  /// Whether `cleaned_up` is called.
  static constexpr bool hears_of_its_end = !PENNING_CAF_1;

#if !PENNING_CAF_1
  /// At every end 0.17 has its clock forget the actor's timeouts, which wakes another thread and
  /// costs as much as all the rest. Only a request or a receive with a timeout can have set one.
  bool cleanup(caf::error&& reason, caf::execution_unit* host) override {
    if (!mailbox_.closed()) {
      mailbox_.close();
      get_normal_queue().flush_cache();
      get_urgent_queue().flush_cache();
      const detail::request_bouncer bounce{reason};
      while (mailbox_.queue().new_round(1000, bounce).consumed_items > 0) {
      }
    }
    const bool is_new = cleanup_as_needed(std::move(reason), host);
    if (is_new)
      cleaned_up();
    return is_new;
  }
#endif

 protected:
  /// `quit`, which it must be ended with.
  void end(caf::error reason) {
#if !PENNING_CAF_1
    had_requests_ = has_requests(); // they are forgotten in `quit`
#endif
    quit(std::move(reason));
  }

  /// Last of all, after the mailbox is closed and who waits in it has been told.
  virtual void cleaned_up() {}

#if !PENNING_CAF_1
 private:
  bool cleanup_as_needed(caf::error reason, caf::execution_unit* host) {
    const bool is_detached = getf(is_detached_flag);
    const bool has_thread = !is_detached || private_thread_; // not before its launch
    const bool is_busy = is_detached || had_requests_ || has_requests() || timeout_id_ != 0
                         || !stream_managers_.empty() || !pending_stream_managers_.empty();
    if (is_busy && has_thread)
      return event_based_actor::cleanup(std::move(reason), host);
    unregister_from_system();
    return caf::monitorable_actor::cleanup(std::move(reason), host);
  }

  bool has_requests() const {
    return !awaited_responses_.empty() || !multiplexed_responses_.empty();
  }

  bool had_requests_ = false;
#endif
};

/// Who waits for the answer to a request that somebody else answers; for no request nobody.
class answer_to {
 public:
  answer_to() = default;
  answer_to(const caf::strong_actor_ptr& sender, caf::message_id request)
      : sender_{request.is_request() ? caf::actor_cast<caf::actor_addr>(sender) : nullptr},
        request_{request} {}

  explicit operator bool() const noexcept { return static_cast<bool>(sender_); }

  /// Once; the answer may be a `caf::error` in a message.
  void give(caf::message answer) const {
#if PENNING_CAF_1
    using pointer = caf::strong_actor_ptr;
    if (auto sender = caf::actor_cast<pointer>(sender_))
      sender->enqueue(caf::make_mailbox_element(nullptr, request_.response_id(), std::move(answer)),
                      nullptr);
#else
    if (auto sender = caf::actor_cast<caf::strong_actor_ptr>(sender_))
      sender->enqueue(nullptr, request_.response_id(), std::move(answer), nullptr);
#endif
  }

 private:
  caf::actor_addr sender_;
  caf::message_id request_;
};

/// An actor whose mail goes elsewhere, in the thread of whoever sends it, so that it keeps its
/// order with all else that this one does.
template <class Base>
class relay : public Base {
 public:
  using Base::Base;
  using Base::enqueue;

#if PENNING_CAF_1
  bool enqueue(caf::mailbox_element_ptr mail, execution_context* context) override {
    if (is_for_itself(*mail))
      return Base::enqueue(std::move(mail), context);
    pass_on(mail->payload, {mail->sender, mail->mid});
    return true;
  }
#else
  void enqueue(caf::mailbox_element_ptr mail, execution_context* context) override {
    if (is_for_itself(*mail))
      return Base::enqueue(std::move(mail), context);
    pass_on(mail->move_content_to_message(), {mail->sender, mail->mid});
  }
#endif

 protected:
#if PENNING_CAF_1
  using mail_content = caf::message;
#else
  using mail_content = caf::type_erased_tuple;
#endif

  /// Whether the actor handles such a message itself. Called in any thread.
  virtual bool takes_itself(const mail_content& mail) const = 0;
  /// Takes what it does not. Called in any thread.
  virtual void pass_on(caf::message mail, answer_to from) = 0;

 private:
  bool is_for_itself(const caf::mailbox_element& mail) const {
#if PENNING_CAF_1
    return mail.mid.is_response() || takes_itself(mail.payload);
#else
    return mail.mid.is_response() || takes_itself(mail.content());
#endif
  }
};

} // namespace penning::actors
