// settings.h: one Auth API as the fetch thread needs it. A value; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "daemon/base/clock.h"

namespace claimsd::upstream {

// In bytes, per response. A larger one is an error, never a truncated answer.
inline constexpr std::size_t kMaxUpstreamBody = 256 * 1024;
inline constexpr std::size_t kMaxUpstreamHeaders =
    32 * 1024;  // interim responses and trailers included
inline constexpr std::size_t kMaxUpstreamHeaderValue = 256;  // per header that is passed on

// How an Auth API is asked about a token.
enum class Kind : std::uint8_t {
  kUserinfo,       // GET, with the token in the Authorization header
  kIntrospection,  // POST of a form with the token (RFC 7662)
};
// How we authenticate to an introspection endpoint.
enum class ClientAuth : std::uint8_t {
  kBasic,        // id and secret in the Authorization header
  kPost,         // in the form
  kCertificate,  // by client_certificate (RFC 8705); the form has the id only
};

struct UpstreamSettings {
  std::string name;       // for messages
  bool next_url = false;  // another URL of the previous Auth API, not an Auth API of its own
  // "https://auth.example.com"; "http+unix:///run/auth.sock"; http only for a loopback host
  std::string url;
  std::string path = "/api/me/";  // appended to it, or requested at the socket; may have a query
  std::string socket_user;        // who may listen on the socket besides root: unix_peer.h
  Kind kind = Kind::kUserinfo;
  std::string scheme = "Bearer";  // of the Authorization header, for kUserinfo
  std::string client_id;          // for kIntrospection
  ClientAuth client_auth = ClientAuth::kBasic;
  std::string client_secret_file;      // "": none
  std::string request_header_file;     // one more header, "Name: value"; "": none
  std::string proxy_credentials_file;  // "user:password"; "": none
  milliseconds timeout{3000};  // from start() to the last byte, including the wait for a connection
  milliseconds connect_timeout{1000};  // part of it: DNS, TCP and TLS
  std::string ca_file;                 // PEM; replaces the system's CA certificates; "": those
  std::string client_certificate;      // PEM; "": none
  std::string client_key;              // PEM, no passphrase; "": in client_certificate
  std::string proxy;   // "http://proxy:3128"; "": none, even if the environment has one
  bool http2 = false;  // offer HTTP/2; over TLS only
  std::uint32_t connections =
      64;  // requests at once, and connections kept alive; further flights wait
  seconds connection_max_age{60};  // no request starts on an older connection; 0: each its own
  seconds dns_cache{10};           // how long a resolved name is used; 0: resolve each time
  // For benchmarks: keeps the connections that failed, as a client without recovery would.
  bool keep_failed_connections = false;
  std::size_t max_body = kMaxUpstreamBody;
};

}  // namespace claimsd::upstream
