// admin_harness.h: what the tests of the admin API share: its HTTP server on a loop of its own, and a
// status.
#pragma once

#include "daemon/admin/http_server.h"
#include "daemon/admin/status.h"
#include "daemon/http/server.h"
#include "tests/support/http_harness.h"
#include "tests/support/scratch_directory.h"

namespace claimsd::admin {

using namespace testing;  // NOLINT: this directory's tests are written in its terms

// The two HTTP servers, for tests of what they have in common.
struct AdminServer {
  using Limits = HttpLimits;
  static auto create(loop::Loop& loop, Fd socket, http::Handler handler,
                     const Limits& limits = {}) {
    return HttpServer::create(loop, std::move(socket), std::move(handler), limits);
  }
};
struct KeepAliveServer {
  using Limits = http::Limits;
  static auto create(loop::Loop& loop, Fd socket, http::Handler handler,
                     const Limits& limits = {}) {
    return http::Server::create(loop, std::move(socket), std::move(handler), limits);
  }
};

// A socket bound at `path`, with a server on it.
template <class Server>
LoopThread::Start serve_by(std::string path, http::Handler handler,
                           typename Server::Limits limits = {}) {
  return serve_with(std::move(path), [handler, limits](loop::Loop& loop, Fd socket) {
    return Server::create(loop, std::move(socket), handler, limits);
  });
}
inline LoopThread::Start serve(std::string path, http::Handler handler, HttpLimits limits = {}) {
  return serve_by<AdminServer>(std::move(path), std::move(handler), limits);
}

// A status with a different number in every field.
DaemonStatus sample_status();

}  // namespace claimsd::admin
