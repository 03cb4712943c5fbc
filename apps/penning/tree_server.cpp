#include "tree_server.hpp"

#include "run_on.hpp"
#include "session.hpp"

#include <penning/actors/caf.hpp>

#include <boost/asio/buffer.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

#include <unistd.h>

#include <stdexcept>
#include <utility>

namespace penning::apps {

namespace {

namespace asio = boost::asio;
using protocol = asio::local::stream_protocol;
using boost::system::error_code;

constexpr std::size_t longest_request = 256;
constexpr std::chrono::seconds patience{10}; // from the connection to the end of the answer

/// One client with one question.
class connection : public std::enable_shared_from_this<connection> {
 public:
  explicit connection(protocol::socket socket)
      : socket_{std::move(socket)},
        deadline_{socket_.get_executor()} {}

  void serve(const tree_service& service) {
    deadline_.expires_after(patience);
    deadline_.async_wait([self = shared_from_this()](error_code error) {
      if (!error)
        self->close();
    });
    asio::async_read_until(socket_, asio::dynamic_buffer(text_, longest_request), '\n',
                           [self = shared_from_this(), service](error_code error, std::size_t) {
                             error ? self->close() : self->on_request(service);
                           });
  }

 private:
  void on_request(const tree_service& service) {
    if (text_ != "tree\n")
      return reply("{\"error\":\"unknown request\"}");
    // Comes back on an actor's thread: the JSON is made there, the socket is touched here.
    auto answer = [self = shared_from_this(), name = service.name,
                   file = service.file](std::optional<tree_node> root) {
      auto text = self->text_of(name, file, std::move(root));
      asio::post(self->socket_.get_executor(),
                 [self, text = std::move(text)] { self->reply(text); });
    };
    // Not spawned here: CAF's logger would stay with this thread and its system never end.
    actors::post(service.session, tree_request{std::move(answer)});
  }

  static std::string text_of(const std::string& name, const std::string& file,
                             std::optional<tree_node> root) {
    if (!root)
      return "{\"error\":\"the tree did not answer: it is busy or ending\"}";
    return to_json({name, ::getpid(), file, std::move(*root)});
  }

  void reply(std::string text) {
    text_ = std::move(text) + "\n";
    asio::async_write(socket_, asio::buffer(text_),
                      [self = shared_from_this()](error_code, std::size_t) { self->close(); });
  }

  void close() {
    error_code ignored;
    deadline_.cancel();
    socket_.close(ignored);
  }

  protocol::socket socket_;
  asio::steady_timer deadline_;
  std::string text_;
};

} // namespace

tree_server::tree_server(asio::io_context& io, const std::string& path, tree_service service)
    : io_{io},
      path_{path},
      acceptor_{io, protocol::endpoint{path}},
      service_{std::move(service)} {}

std::shared_ptr<tree_server> tree_server::listen(asio::io_context& io, const std::string& path,
                                                 tree_service service) {
  try {
    std::shared_ptr<tree_server> server{new tree_server{io, path, std::move(service)}};
    asio::post(io, [server] { server->accept(); });
    return server;
  } catch (const boost::system::system_error& error) { // its what() names lines of Boost's sources
    throw std::runtime_error{path + ": " + error.code().message()};
  }
}

void tree_server::accept() {
  acceptor_.async_accept([self = shared_from_this()](error_code error, protocol::socket socket) {
    if (!self->acceptor_.is_open())
      return;
    if (!error)
      std::make_shared<connection>(std::move(socket))->serve(self->service_);
    self->accept();
  });
}

void tree_server::close() {
  run_on(io_, [this] {
    error_code ignored;
    ::unlink(path_.c_str());
    acceptor_.close(ignored);
    service_.session = nullptr; // no actor may be held when its system ends
  });
}

} // namespace penning::apps
