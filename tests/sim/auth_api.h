// auth_api.h: the Auth APIs of a history: what each truly thinks of a token, what it sends, and
// what comes of that on a bad day.
#pragma once

#include <array>
#include <vector>

#include "tests/sim/records.h"
#include "tests/sim/scenario.h"

namespace claimsd::sim {

// How an Auth API can be down.
enum class Outage : std::uint8_t {
  kNone,
  kRefuses,      // no connection
  kHangs,        // no answer
  kTls,          //
  kBreaksOff,    // half an answer
  kUnavailable,  // 503, most with Retry-After
  kError,        // 500
  kForbids,      // 403, as a firewall in front of it does
  kRedirects,    // 302 to a login page
  kGarbage,      // 200 without claims
  kTooLarge,
  kFlaps,  // every other request fails
  kCount
};

std::string_view name_of(Outage outage);

class AuthApi {
 public:
  AuthApi(const Scenario& scenario, Dice& dice);

  // What is sent for a request that arrives now.
  Response serve(const TokenRecord& token);
  // How long a request takes to arrive, and its answer to come back.
  daemon::Duration way_there();
  daemon::Duration way_back(const Response& response);

  // The user's role changes.
  void change_user(std::uint32_t user) { ++versions_[user]; }
  std::uint32_t users() const { return static_cast<std::uint32_t>(versions_.size()); }
  void begin_outage(daemon::UpstreamId upstream, Outage outage) { outages_[upstream] = outage; }
  void end_outage(daemon::UpstreamId upstream) { outages_[upstream] = Outage::kNone; }
  Outage outage(daemon::UpstreamId upstream) const { return outages_[upstream]; }

 private:
  Response fail(Outage outage);
  void add_headers(Response& response);

  const Scenario& scenario_;
  Dice& dice_;
  std::vector<std::uint32_t> versions_;
  std::array<Outage, 2> outages_{};
};

// The document about a user.
std::string body_of(std::uint32_t user, std::uint32_t version, bool huge);
// `response` as it is handed to the service.
daemon::FetchOutcome compose(const Response& response, std::uint32_t user);

}  // namespace claimsd::sim
