#include "daemon/redis/tls.h"

#include <errno.h>
#include <fmt/core.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <string.h>

namespace claimsd::redis {
namespace {

// The reason of the oldest error in the thread's queue, which is then empty.
std::string queued_error(const char* otherwise) {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  const char* const reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  return reason == nullptr ? otherwise : reason;
}

bool expect_host(SSL* session, const std::string& host) {
  X509_VERIFY_PARAM* const param = SSL_get0_param(session);
  if (X509_VERIFY_PARAM_set1_ip_asc(param, host.c_str()) == 1) return true;
  ERR_clear_error();
  X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return SSL_set1_host(session, host.c_str()) == 1 &&
         SSL_set_tlsext_host_name(session, host.c_str()) == 1;
}

}  // namespace

Result<TlsSession> TlsSession::create(int fd, const std::string& host,
                                      const crypto::TlsCredentials& credentials) {
  ERR_clear_error();
  TlsSession made;
  made.context_.reset(SSL_CTX_new(TLS_client_method()));
  SSL_CTX* const context = made.context_.get();
  if (context == nullptr || SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1 ||
      (!credentials.has_authorities() && SSL_CTX_set_default_verify_paths(context) != 1) ||
      !credentials.install(context))
    return failure(fmt::format("cannot set up TLS: {}", queued_error("out of memory")));
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  made.session_.reset(SSL_new(context));
  SSL* const session = made.session_.get();
  if (session == nullptr || !expect_host(session, host) || SSL_set_fd(session, fd) != 1)
    return failure(fmt::format("cannot set up TLS: {}", queued_error("out of memory")));
  SSL_set_connect_state(session);
  return made;
}

Result<TlsSession::Step> TlsSession::judge(int result, std::size_t done) {
  const int number = errno;
  switch (SSL_get_error(session_.get(), result)) {
    case SSL_ERROR_NONE: return Step{.done = done};
    case SSL_ERROR_WANT_READ: return Step{.wanted = POLLIN};
    case SSL_ERROR_WANT_WRITE: return Step{.wanted = POLLOUT};
    case SSL_ERROR_ZERO_RETURN: return failure("the server closed the connection");
    case SSL_ERROR_SYSCALL:
      ERR_clear_error();
      return failure(number == 0 ? "the server closed the connection" : strerrordesc_np(number));
    default: break;
  }
  const long verified = SSL_get_verify_result(session_.get());
  const std::string reason = queued_error("protocol error");
  if (verified != X509_V_OK)
    return failure(
        fmt::format("TLS: the server's certificate: {}", X509_verify_cert_error_string(verified)));
  return failure("TLS: " + reason);
}

Result<TlsSession::Step> TlsSession::shake_hands() {
  ERR_clear_error();
  errno = 0;
  return judge(SSL_do_handshake(session_.get()), 0);
}

Result<TlsSession::Step> TlsSession::read(std::span<char> into) {
  ERR_clear_error();
  errno = 0;
  std::size_t done = 0;
  const int result = SSL_read_ex(session_.get(), into.data(), into.size(), &done);
  return judge(result, done);
}

Result<TlsSession::Step> TlsSession::write(std::string_view bytes) {
  ERR_clear_error();
  errno = 0;
  std::size_t done = 0;
  const int result = SSL_write_ex(session_.get(), bytes.data(), bytes.size(), &done);
  return judge(result, done);
}

}  // namespace claimsd::redis
