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

struct UpstreamSettings {
  std::string name;       // for messages
  bool next_url = false;  // another URL of the previous Auth API, not an Auth API of its own
  std::string url;        // "https://auth.example.com"; http only for a loopback host
  std::string path = "/api/me/";  // appended to it
  milliseconds timeout{3000};  // from start() to the last byte, including the wait for a connection
  milliseconds connect_timeout{1000};  // part of it: DNS, TCP and TLS
  std::string ca_file;                 // PEM; replaces the system's CA certificates; "": those
  std::string client_certificate;      // PEM; "": none
  std::string client_key;              // PEM, no passphrase; "": in client_certificate
  std::string proxy;   // "http://proxy:3128"; "": none, even if the environment has one
  bool http2 = false;  // offer HTTP/2; over TLS only
  std::uint32_t connections =
      64;  // requests at once, and connections kept alive; further flights wait
  std::size_t max_body = kMaxUpstreamBody;
};

}  // namespace claimsd::upstream
