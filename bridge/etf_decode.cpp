#include <penning/bridge/etf_reader.hpp>

#include <cmath>
#include <optional>
#include <utility>

namespace penning::bridge::etf {
namespace {

namespace actors = penning::actors;

/// A container whose elements are still being read.
struct open_container {
  token_type type;
  std::size_t missing;  ///< Elements still to come, without a list's tail.
  std::size_t first;    ///< Where its items start among those of all.
  bool in_tail = false; ///< A list's tail is still to come, after the elements.
  std::unique_ptr<actors::fun> closure = nullptr;
};

/// Turns tokens into a term, with a stack of its own instead of recursion.
class builder {
 public:
  builder(reader& source, const decode_options& options, std::shared_ptr<const void> owner)
      : source_{source},
        options_{options},
        owner_{std::move(owner)} {}

  /// The term; nothing upon an error, which is then in `error()`.
  std::optional<term> run() {
    open_.reserve(usual_depth);
    items_.reserve(usual_items);
    open_.push_back({.type = token_type::tuple, .missing = 1, .first = 0});
    for (token t; open_.size() > 1 || open_.back().missing != 0;)
      if (!(is_complete() ? close() : source_.next(t) && take(t)))
        return std::nullopt;
    return std::move(items_.front());
  }

  errc error() const { return error_ != errc::none ? error_ : source_.error(); }

 private:
  bool fail(errc error) {
    error_ = error;
    return false;
  }

  bool is_complete() const { return open_.back().missing == 0 && !open_.back().in_tail; }

  bool charge(std::uint64_t bytes) {
    spent_ += bytes;
    return spent_ <= options_.limits.max_memory || fail(errc::too_much_memory);
  }

  /// Puts a finished element into the innermost container.
  template <class... Args>
  bool add(Args&&... args) {
    items_.emplace_back(std::forward<Args>(args)...);
    auto& top = open_.back();
    if (top.missing != 0)
      --top.missing;
    else
      top.in_tail = false;
    return true;
  }

  bool take(const token& t) {
    switch (t.type) {
    case token_type::integer: return add(t.integer);
    case token_type::big_integer: return take_big(t);
    case token_type::floating: return add(t.floating);
    case token_type::atom: return take_atom(t);
    case token_type::binary: return take_binary(t);
    case token_type::bitstring: return take_bitstring(t);
    case token_type::string: return take_string(t);
    case token_type::nil: return take_nil();
    case token_type::list: return take_list(t);
    case token_type::tuple: return enter(t.type, t.count);
    case token_type::map: return enter(t.type, std::size_t{t.count} * 2);
    case token_type::pid:
    case token_type::port:
    case token_type::reference: return take_identity(t);
    case token_type::external_fun: return take_external_fun(t);
    case token_type::fun: return take_fun(t);
    }
    return fail(errc::unknown_tag);
  }

  bool allowed(const atom_view& name) {
    const auto& known = options_.policy.atom;
    if (!known)
      return true;
    return known(name.to_atom().text()) || fail(errc::unknown_atom);
  }

  bool take_atom(const token& t) { return allowed(t.atom) && add(t.atom.to_atom()); }

  bool take_big(const token& t) {
    if (!charge(t.bytes.size()))
      return false;
    return add(
      actors::big_integer{t.negative, std::vector<std::uint8_t>(t.bytes.begin(), t.bytes.end())});
  }

  bool take_binary(const token& t) {
    if (owner_ && t.bytes.size() >= options_.share_from)
      return add(actors::binary{actors::shared_bytes{owner_, t.bytes}});
    return charge(t.bytes.size()) && add(actors::binary{t.bytes});
  }

  bool take_bitstring(const token& t) {
    if (!charge(t.bytes.size()))
      return false;
    const auto bits = (t.bytes.size() - 1) * 8 + t.bits;
    return add(actors::bitstring{std::string{t.bytes}, bits});
  }

  bool enter(token_type type, std::size_t elements, bool has_tail = false) {
    if (open_.size() > options_.limits.max_depth)
      return fail(errc::too_deep);
    if (!charge(sizeof(actors::detail::term_node) + elements * sizeof(term)))
      return false;
    open_.push_back(
      {.type = type, .missing = elements, .first = items_.size(), .in_tail = has_tail});
    return true;
  }

  bool expects_tail() const { return open_.back().missing == 0 && open_.back().in_tail; }

  /// A tail that is a list continues the list that it ends, so tails do not nest.
  bool take_list(const token& t) {
    if (!expects_tail())
      return enter(t.type, t.count, true);
    open_.back().missing = t.count;
    return charge(t.count * sizeof(term));
  }

  bool take_nil() {
    if (!expects_tail())
      return add(actors::list{});
    open_.back().in_tail = false;
    open_.back().type = token_type::string; // a proper list from here on
    return true;
  }

  bool take_string(const token& t) {
    const auto continues = expects_tail();
    if (t.bytes.empty())
      return take_nil();
    if (!continues && !enter(token_type::string, t.bytes.size()))
      return false;
    if (continues && (!charge(t.bytes.size() * sizeof(term)) || !take_nil()))
      return false;
    for (const auto byte : t.bytes)
      items_.emplace_back(static_cast<unsigned char>(byte));
    open_.back().missing = 0;
    return true;
  }

  bool take_identity(const token& t) {
    if (!allowed(t.atom) || !charge(sizeof(actors::fun)))
      return false;
    if (t.type == token_type::pid)
      return add(
        actors::pid{t.atom.to_atom(), static_cast<std::uint32_t>(t.id), t.serial, t.creation});
    if (t.type == token_type::port)
      return add(actors::port{t.atom.to_atom(), t.id, t.creation});
    return add(actors::reference{t.atom.to_atom(), t.creation, words(t.bytes)});
  }

  static std::vector<std::uint32_t> words(std::string_view bytes) {
    std::vector<std::uint32_t> result;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      if (i % 4 == 0)
        result.push_back(0);
      result.back() = result.back() << 8 | static_cast<unsigned char>(bytes[i]);
    }
    return result;
  }

  bool take_external_fun(const token& t) {
    if (!allowed(t.atom) || !allowed(t.function) || !charge(sizeof(actors::fun)))
      return false;
    actors::external_fun f{t.atom.to_atom(), t.function.to_atom(), t.arity};
    const auto& [known_atom, known_fun] = options_.policy;
    if (known_atom && !(known_fun && known_fun(f)))
      return fail(errc::unknown_export);
    return add(std::move(f));
  }

  bool take_fun(const token& t) {
    if (!allowed(t.atom) || !allowed(t.creator) || !charge(sizeof(actors::fun))
        || !enter(t.type, t.count))
      return false;
    auto& closure = open_.back().closure;
    closure = std::make_unique<actors::fun>();
    closure->module = t.atom.to_atom();
    closure->arity = static_cast<std::uint8_t>(t.arity);
    std::memcpy(closure->uniq.data(), t.uniq.data(), closure->uniq.size());
    closure->index = t.index;
    closure->old_index = t.old_index;
    closure->old_uniq = t.old_uniq;
    closure->creator = {t.creator.to_atom(), static_cast<std::uint32_t>(t.id), t.serial,
                        t.creation};
    return true;
  }

  /// Makes the innermost container a term and hands it to the one around it.
  bool close() {
    auto done = std::move(open_.back());
    open_.pop_back();
    const auto items = std::span{items_}.subspan(done.first);
    switch (done.type) {
    case token_type::list: // its last item is its tail, or all there is of it
      return items.size() == 1 ? replace(done.first, std::move(items.front()))
                               : replace(done.first, actors::list::from_moved(items, true));
    case token_type::string: return replace(done.first, actors::list::from_moved(items));
    case token_type::map: return close_map(done.first, items);
    case token_type::fun:
      done.closure->free_variables = actors::tuple::from_moved(items);
      return replace(done.first, std::move(*done.closure));
    default: return replace(done.first, actors::tuple::from_moved(items));
    }
  }

  bool close_map(std::size_t first, std::span<term> items) {
    actors::map m;
    if (!charge(items.size() / 2 * sizeof(std::uint32_t))) // its index
      return false;
    return actors::map::from_unique(items, m) ? replace(first, std::move(m))
                                              : fail(errc::duplicate_key);
  }

  /// Puts the container that was made of the items from `first` on in their place.
  bool replace(std::size_t first, term whole) {
    items_.resize(first);
    return add(std::move(whole));
  }

  static constexpr std::size_t usual_depth = 8; // both save a few small allocations
  static constexpr std::size_t usual_items = 32;

  reader& source_;
  const decode_options& options_;
  std::shared_ptr<const void> owner_;
  std::vector<open_container> open_; ///< The outermost stands for the whole and has one element.
  std::vector<term> items_;          ///< Of all open containers, the innermost's last.
  std::uint64_t spent_ = 0;
  errc error_ = errc::none;
};

decode_result failed(errc error, std::size_t offset) {
  return {.value = {}, .error = error, .offset = offset};
}

decode_result decode_from(std::string_view bytes, const decode_options& options,
                          std::shared_ptr<const void> owner) {
  std::string inflated;
  const auto frame = open(bytes, options.limits, inflated);
  if (frame.error != errc::none)
    return failed(frame.error, bytes.size() < 2 || frame.error == errc::bad_version ? 0 : 1);
  reader source{frame.body};
  builder build{source, options, frame.compressed ? nullptr : std::move(owner)};
  auto value = build.run();
  if (!value)
    return failed(build.error(), frame.compressed ? 1 : source.position() + 1);
  const auto used = frame.compressed ? frame.used : source.position() + 1;
  if (used != bytes.size() && !options.allow_trailing)
    return failed(errc::trailing_bytes, used);
  return {.value = std::move(*value), .used = used};
}

} // namespace

decode_result decode(std::span<const char> bytes, const decode_options& options) {
  return decode_from({bytes.data(), bytes.size()}, options, nullptr);
}

decode_result decode(std::shared_ptr<const std::vector<char>> bytes,
                     const decode_options& options) {
  const std::string_view view{bytes->data(), bytes->size()};
  return decode_from(view, options, std::move(bytes));
}

} // namespace penning::bridge::etf
