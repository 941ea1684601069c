// settings.h: one Auth API, as the fetch thread needs to know it. A value; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "daemon/base/clock.h"

namespace claimsd::daemon {

// Bytes of one response; more is an error of its own, never a truncated answer.
inline constexpr std::size_t kMaxUpstreamBody = 64 * 1024;
inline constexpr std::size_t kMaxUpstreamHeaders =
    32 * 1024;  // interim responses and trailers included
inline constexpr std::size_t kMaxUpstreamHeaderValue = 256;  // of those that are passed on

struct UpstreamSettings {
  std::string name;               // for messages
  bool next_url = false;          // not an Auth API of its own, but another URL of the one before
  std::string url;                // "https://auth.example.com"; http only for a loopback host
  std::string path = "/api/me/";  // appended to it
  milliseconds timeout{3000};  // from start() to the last byte, waiting for a connection included
  milliseconds connect_timeout{1000};  // of it: DNS, TCP and TLS
  std::string ca_file;             // PEM; takes the place of the system's authorities; "": those
  std::string client_certificate;  // PEM; "": none
  std::string client_key;          // PEM, without a passphrase; "": it is in client_certificate
  std::string proxy;               // "http://proxy:3128"; "": none, whatever the environment says
  bool http2 = false;              // offer HTTP/2; over TLS only
  std::uint32_t connections =
      64;  // requests at once, and connections kept alive; further flights wait
  std::size_t max_body = kMaxUpstreamBody;
};

}  // namespace claimsd::daemon
