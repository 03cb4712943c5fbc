#pragma once

#include "support/port_peer.hpp"

#include <penning/bridge/port_protocol.hpp>
#include <penning/io/pidfd.hpp>

#include <gmock/gmock.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>

namespace penning::test {

using namespace actors::literals;
using actors::binary;
using actors::bind;
using actors::list;
using actors::map_of;
using actors::match;
using actors::term;
using actors::tuple_of;
namespace atoms = actors::atoms;

inline bool dies(const io::unique_fd& process, int within_ms) {
  return !process || io::is_dead(process.get(), within_ms);
}

/// A test with a port program of its own.
class Penningd : public testing::Test {
 protected:
  explicit Penningd(const char* port_program = PENNING_TEST_PENNINGD) : peer{port_program} {}

  void greet() {
    peer.send(tuple_of("hello"_a, 1, map_of({})));
    hello = receive();
  }

  /// The next frame. Throws when the port program has ended, with what it said.
  term receive() {
    if (auto frame = peer.receive())
      return std::move(*frame);
    const int status = peer.wait_status();
    throw std::runtime_error{"penningd has ended with wait status " + std::to_string(status) + ": "
                             + peer.errors};
  }

  term request(const term& body) {
    const term ref = ++last_ref_;
    peer.send(tuple_of("request"_a, ref, body));
    for (;;) {
      auto frame = receive();
      if (auto m = match(frame, "reply"_a, ref, bind<term>))
        return std::get<0>(*m);
      others.push_back(std::move(frame));
    }
  }

  struct opened {
    std::uint64_t id = 0;
    pid_t pid = 0;
  };

  opened open(const std::string& program, std::vector<std::string> args = {},
              const term& options = map_of({})) {
    const auto answer =
      request(tuple_of("open"_a, program, actors::list_from(std::move(args)), options));
    const auto m = match(answer, "ok"_a, actors::tup(bind<std::uint64_t>, bind<pid_t>));
    if (!m)
      throw std::runtime_error{to_string(answer)};
    return {std::get<0>(*m), std::get<1>(*m)};
  }

  void send(const opened& to, const term& message) {
    peer.send(tuple_of("send"_a, to.id, message));
  }

  term next() {
    if (others.empty())
      return receive();
    auto frame = others.front();
    others.erase(others.begin());
    return frame;
  }

  term next_message(const opened& from) {
    const auto frame = next();
    const auto m = match(frame, "message"_a, from.id, bind<term>);
    return m ? std::get<0>(*m) : frame;
  }

  /// Takes all frames of a child to its end, acknowledging what it writes.
  struct whole {
    std::string data, error;
    term how, reason;
  };
  whole collect(const opened& child) {
    whole result;
    for (;;) {
      const auto frame = next();
      if (auto down = match(frame, "down"_a, child.id, bind<term>)) {
        result.reason = std::get<0>(*down);
        return result;
      }
      const auto message = match(frame, "message"_a, child.id, bind<term>);
      if (!message)
        throw std::runtime_error{to_string(frame)};
      take(child, std::get<0>(*message), result);
    }
  }

  void take(const opened& child, const term& message, whole& into) {
    for (auto [tag, text] : {std::pair{"data"_a, &into.data}, std::pair{"error"_a, &into.error}})
      if (auto m = match(message, tag, bind<std::string>)) {
        EXPECT_EQ(into.how, term{}) << "output comes before the end";
        text->append(std::get<0>(*m));
        peer.send(tuple_of("ack"_a, child.id, tag, std::get<0>(*m).size()));
      }
    if (auto m = match(message, "exited"_a, child.pid, bind<term>, actors::any))
      into.how = std::get<0>(*m);
  }

  /// What /proc/PID/status says of penningd, in KiB.
  std::size_t memory(const std::string& key) const {
    std::ifstream status{"/proc/" + std::to_string(peer.pid()) + "/status"};
    for (std::string word; status >> word;)
      if (std::size_t value = 0; word == key + ":" && status >> value)
        return value;
    return 0;
  }

  std::size_t descriptors() const {
    namespace fs = std::filesystem;
    const fs::path folder = "/proc/" + std::to_string(peer.pid()) + "/fd";
    return static_cast<std::size_t>(
      std::distance(fs::directory_iterator{folder}, fs::directory_iterator{}));
  }

  /// Children of all threads of a process, zombies included.
  static std::size_t children_of(pid_t pid) {
    std::size_t result = 0;
    for (const auto& task :
         std::filesystem::directory_iterator{"/proc/" + std::to_string(pid) + "/task"}) {
      std::ifstream list{task.path() / "children"};
      EXPECT_TRUE(list.is_open());
      for (pid_t child = 0; list >> child;)
        ++result;
    }
    return result;
  }

  static std::string program(const std::string& name) {
    return std::string{PENNING_TEST_PROGRAMS} + "/" + name;
  }

  port_peer peer;
  term hello;
  std::vector<term> others;

 private:
  std::int64_t last_ref_ = 0;
};

} // namespace penning::test
