#pragma once

// The CAF seam: everything that differs between CAF 0.17 and 1.x stands here, and nowhere else.
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
#include <string_view>
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

/// Sends to the actor itself once `delay` has passed on the actor system's clock.
template <class Self, class Message>
void send_after(Self* self, std::chrono::milliseconds delay, Message&& message) {
#if PENNING_CAF_1
  self->mail(std::forward<Message>(message)).delay(delay).send(caf::actor{self});
#else
  self->delayed_send(self, delay, std::forward<Message>(message));
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

  caf::match_case::result invoke(caf::detail::invoke_result_visitor&,
                                 caf::type_erased_tuple& answer) override {
    if (answer.match_elements<caf::error>())
      on_error_(answer.get_as<caf::error>(0));
    else
      on_result_(caf::message::copy(answer));
    return caf::match_case::match;
  }

 private:
  std::function<void(const caf::message&)> on_result_;
  std::function<void(const caf::error&)> on_error_;
};

} // namespace detail
#endif

/// `post` for what is a message already, whatever its types.
inline void post_message(const caf::actor& to, caf::message message) {
#if PENNING_CAF_1
  caf::anon_mail(std::move(message)).send(to);
#else
  to->enqueue(nullptr, caf::make_message_id(), std::move(message), nullptr);
#endif
}

/// `request` for what is a message already; the answer may be of any types.
template <class Self, class OnResult, class OnError>
void request_message(Self* self, const caf::actor& to, caf::message message, OnResult on_result,
                     OnError on_error) {
#if PENNING_CAF_1
  self->mail(std::move(message)).request(to, caf::infinite).then(on_result, on_error);
#else
  const auto id = self->new_request_id(caf::message_priority::normal);
  to->enqueue(self->ctrl(), id, std::move(message), self->context());
  self->add_multiplexed_response_handler(
    id.response_id(), caf::behavior{caf::behavior::impl_ptr{
                        new detail::any_answer{std::move(on_result), std::move(on_error)}, false}});
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

/// An error that carries a value; `payload` reads it. (Comparing two `caf::error`s ignores it.)
template <class T>
caf::error make_payload_error(T value) {
#if PENNING_CAF_1
  return caf::error{caf::sec::runtime_error, caf::make_message(std::move(value))};
#else
  return caf::error{1, caf::atom("penning"), caf::make_message(std::move(value))};
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

/// Sets what CAF's scheduler shall be: `sharing` idles at 0.001 % of a processor, `stealing` at 0.3
/// %.
inline void configure_scheduler(caf::actor_system_config& config, std::size_t threads) {
#if PENNING_CAF_1
  config.set("caf.scheduler.policy", "sharing");
  config.set("caf.scheduler.max-threads", threads);
#else
  config.set("scheduler.policy", caf::atom("sharing"));
  config.set("scheduler.max-threads", threads);
#endif
}

} // namespace penning::actors
