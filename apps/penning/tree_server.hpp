#pragma once

#include "tree_view.hpp"

#include <caf/actor.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <memory>
#include <string>

namespace penning::apps {

/// What a running instance says of itself, and what it serves.
struct tree_service {
  std::string name, file;
  caf::actor session; ///< Gets a `tree_request` for each question.
};

/// Answers `penning tree` over a unix socket: one line with the request `tree`, one line with the
/// tree as JSON, then the end. Works on the thread of `io`, which never waits for an actor.
class tree_server : public std::enable_shared_from_this<tree_server> {
 public:
  /// Listens at once. Throws `std::runtime_error`, if the path exists say.
  static std::shared_ptr<tree_server> listen(boost::asio::io_context& io, const std::string& path,
                                             tree_service service);

  /// Waits until no further question will be taken; then the path is gone too. Not on io's thread.
  void close();

 private:
  tree_server(boost::asio::io_context& io, const std::string& path, tree_service service);
  void accept();

  boost::asio::io_context& io_;
  std::string path_;
  boost::asio::local::stream_protocol::acceptor acceptor_;
  tree_service service_;
};

} // namespace penning::apps
