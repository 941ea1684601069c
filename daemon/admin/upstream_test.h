// upstream_test.h: POST /v1/upstream-test: asks an Auth API once about a token and describes the
// response: the document's members, what the configured claims match, and what to write instead.
// Names, types and sizes only, never a value. Loop thread.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "daemon/base/clock.h"
#include "daemon/claims/parse/document_report.h"
#include "daemon/claims/ports.h"
#include "daemon/http/message.h"

namespace claimsd::admin {

struct AdminServices;

struct UpstreamTest {
  std::string upstream;
  proto::Reason reason = proto::Reason::kInternal;
  std::string detail;  // why, if not kOk
  int status = 0;      // of the response; 0: there was none
  Duration took{};
  std::string content_type;
  std::string cache_control;
  std::size_t body_bytes = 0;
  bool truncated = false;                       // the claims exceed max_claims_bytes
  std::optional<claims::DocumentReport> token;  // of a 200
  std::optional<claims::DocumentReport> document;
};

using UpstreamTestDone = std::function<void(const UpstreamTest&)>;

enum class TestStart : std::uint8_t { kStarted, kUnknownUpstream, kBusy };

// Starts a test of the upstream with this name ("": the default one); `done` is called later, once, if
// it returns kStarted. `by`: uid of the caller, if known.
using UpstreamTestStarter =
    std::function<TestStart(std::string_view upstream, std::string_view token,
                            std::optional<std::uint32_t> by, UpstreamTestDone done)>;

http::Response upstream_test_route(const AdminServices& services, const http::Request& request);

}  // namespace claimsd::admin
