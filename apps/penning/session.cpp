#include "session.hpp"

#include "journal.hpp"
#include "line_writer.hpp"
#include "reason_text.hpp"
#include "tree_builder.hpp"
#include "tree_question.hpp"
#include "tree_reload.hpp"

#include <unistd.h>

#include <csignal>
#include <functional>
#include <utility>

namespace penning::apps {

namespace atoms = actors::atoms;

session::session(caf::actor_config& config, io::child_host& host, session_options options)
    : process{config},
      host_{host},
      options_{std::move(options)} {
  trap_exit(true);
}

void session::start() {
  auto writer = spawn<line_writer, caf::detached>(options_.output, caf::actor{this});
  journal_ = spawn_link<journal>(std::move(writer), options_.format);
  supervision::subscribe_reports(journal_);
  supervision::set_report_log(supervision::report_log::off); // the journal is the log
  tell(options_.greeting);
  top_ = spawn_link<supervision::supervisor>(build_tree(options_.tree, host_, journal_));
}

caf::message_handler session::receive() {
  return {
    [this](run_session) { start(); },
    [this](const signal_came& message) { on_signal(message.number); },
    [this](const output_gone& message) { stop("the log cannot be written: " + message.reason); },
    [this](tree_request& request) { on_question(request); },
  };
}

void session::on_signal(int number) {
  const auto name = describe(io::exit_status{io::exit_status::kind::signal, number});
  if (!top_)
    return end({status_, false});
  if (number == SIGHUP)
    return reload();
  if (stopping_) {
    tell(name + " again: killing what is left");
    return kill();
  }
  status_ = 0;
  stop(name);
}

void session::reload() {
  if (!stopping_)
    spawn<tree_reload, caf::detached>(std::ref(host_),
                                      tree_reload::plan{options_.file, top_, journal_});
}

void session::on_question(tree_request& request) {
  if (!top_)
    return request.answer(std::nullopt);
  tree_node root;
  root.id = options_.file;
  root.type = to_string(supervision::child_type::supervisor);
  root.state = "running";
  root.os_pid = ::getpid();
  root.up = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now()
                                                                  - since_);
  spawn<tree_question>(top_, journal_, std::move(root), std::move(request.answer));
}

void session::stop(const std::string& why) {
  if (!top_ || std::exchange(stopping_, true))
    return;
  tell(why + ": stopping");
  exit(top_, atoms::shutdown());
}

void session::kill() {
  status_ = 1;
  exit(top_, atoms::kill()); // first, so that it restarts nothing
  actors::post(journal_, kill_all{});
}

void session::handle_exit(const caf::actor_addr& from, const actors::term& reason) {
  if (top_ && from == top_.address())
    return on_top_ended(reason);
  if (journal_ && from == journal_.address() && reason != atoms::normal()) {
    end({1, false}); // a defect of ours: whoever waits ends the program, and with it the tree
    exit(reason);
  }
}

void session::on_top_ended(const actors::term& reason) {
  top_ = nullptr;
  if (stopping_)
    tell("stopped");
  else
    tell("the tree has ended: " + reason_text(reason));
  actors::request(this, journal_, finish{}).then([this] {
    end({status_, true});
    exit(atoms::normal());
  });
}

void session::end(session_end how) {
  if (auto call = std::exchange(options_.done, nullptr))
    call(how);
}

void session::tell(std::string text) {
  actors::post(journal_, note{std::move(text)});
}

void session::terminate(const actors::term&) {
  journal_ = nullptr;
  top_ = nullptr;
}

} // namespace penning::apps
