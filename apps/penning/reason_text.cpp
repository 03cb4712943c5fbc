#include "reason_text.hpp"

namespace penning::apps {

using namespace actors::literals;
using actors::any;
using actors::bind;
using actors::match;
using actors::term;
using actors::tup;

std::string reason_text(const term& reason) {
  if (auto m =
        match(reason, "shutdown"_a, tup("failed_to_start_child"_a, bind<term>, bind<term>))) {
    const auto& [id, why] = *m;
    return "child \"" + actors::text_of(id).value_or(to_string(id)) + "\": " + reason_text(why);
  }
  if (auto m =
        match(reason, "bad_option"_a, bind<actors::atom>, bind<std::string>, bind<std::string>)) {
    const auto& [option, value, problem] = *m;
    return std::string{option.text()} + " \"" + value + "\": " + problem;
  }
  // {enoent, <<"execve /no/such: No such file or directory">>}, {exception, <<"what">>}
  if (auto m = match(reason, bind<actors::atom>, bind<std::string>))
    return std::get<1>(*m);
  return to_string(reason);
}

} // namespace penning::apps
