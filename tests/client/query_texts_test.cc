// Texts of queries and reports that have a size instead of a NUL, and empty tokens.
#include <mutex>

#include "tests/client/report_host.h"
#include "tests/client/stream_helpers.h"
#include "tests/support/catch.h"

namespace claimsd::testing {
namespace {

TEST_CASE("an empty token is invalid, with or without a pointer, with or without a daemon") {
  const char* const token = GENERATE(static_cast<const char*>(nullptr), "");
  Host host;
  if (GENERATE(true, false)) host.daemon.stop();
  claimsd_query_request request = CLAIMSD_QUERY_REQUEST_INIT;
  request.token = token;
  claimsd_answer* answer = nullptr;
  CHECK(claimsd_query(host.client.get(), &request, &answer) == CLAIMSD_INVALID);
  CHECK(std::string(claimsd_answer_reason(answer)) == "malformed");
  claimsd_answer_free(answer);
  Stream stream(host.client);
  REQUIRE(stream.send({token, 0}, 1));
  CHECK(receive_one(stream).answer.invalid());
  CHECK(host.daemon.connections() == 0);
}

TEST_CASE("sized hints need no NUL, and an empty one is no hint") {
  std::mutex mutex;
  std::vector<std::string> seen;
  Host host([&](Peer& peer) {
    if (!peer.welcome()) return;
    while (const auto frame = peer.receive()) {
      const auto query = frame->as<proto::Query>();
      const std::lock_guard locked(mutex);
      seen = {std::string(query->client_address), std::string(query->trace_id),
              std::string(query->route)};
      peer.send(valid_answer(claims_block("u")), frame->header.request_id);
    }
  });
  const char text[] = {'1', '0', '.', '1', 't', 'r', 'G', 'E', 'T'};  // without a NUL
  claimsd_query_request request = CLAIMSD_QUERY_REQUEST_INIT;
  request.token = "t";
  request.token_size = 1;
  request.client_address = text;
  request.client_address_size = 4;
  request.trace_id = text + 4;
  request.trace_id_size = 0;
  request.route = text + 6;
  request.route_size = 3;
  REQUIRE(claimsd_query(host.client.get(), &request, nullptr) == CLAIMSD_VALID);
  CHECK(seen == std::vector<std::string>{"10.1", "", "GET"});
}

TEST_CASE("sized texts of a report need no NUL") {
  ReportHost host;
  const char text[] = {'P', 'O', 'S', 'T', 'u', '7', 'r'};
  claimsd_report_request report = CLAIMSD_REPORT_REQUEST_INIT;
  report.status = 403;
  report.flags = CLAIMSD_AWAIT_RECORD;
  report.method = text;
  report.method_size = 4;
  report.user = text + 4;
  report.user_size = 2;
  report.route = text + 6;
  report.route_size = 1;
  report.required = text;
  report.required_size = 0;
  report.reason = "revoked and more";
  report.reason_size = 7;
  REQUIRE(claimsd_report(host.client.get(), &report, nullptr) == CLAIMSD_RECORDED);
  const auto& seen = host.registrar.seen.back();
  CHECK(seen.method == "POST");
  CHECK(seen.user == "u7");
  CHECK(seen.route == "r");
  CHECK(seen.required.empty());
  CHECK(seen.report.reason == static_cast<std::uint16_t>(proto::Reason::kRevoked));
}

}  // namespace
}  // namespace claimsd::testing
