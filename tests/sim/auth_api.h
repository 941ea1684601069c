// auth_api.h: the simulated Auth APIs: their verdict on each token, their responses, and their
// outages.
#pragma once

#include <array>
#include <vector>

#include "tests/sim/connections.h"
#include "tests/sim/records.h"
#include "tests/sim/scenario.h"

namespace claimsd::sim {

// Kinds of outage.
enum class Outage : std::uint8_t {
  kNone,
  kRefuses,      // connection refused
  kHangs,        // no response
  kTls,          // TLS error
  kBreaksOff,    // incomplete response
  kUnavailable,  // 503, mostly with Retry-After
  kError,        // 500
  kForbids,      // 403, as from a firewall
  kRedirects,    // 302 to a login page
  kGarbage,      // 200 without claims
  kTooLarge,
  kFlaps,  // random requests fail
  kCount
};

std::string_view name_of(Outage outage);

class AuthApi {
 public:
  AuthApi(const Scenario& scenario, Dice& dice);

  // The response to a request that arrives now.
  Response serve(const TokenRecord& token);
  // The same over a connection to an instance that was replaced.
  static Response serve_old(OldInstance how);
  // Delay until a request arrives, and until its response returns.
  Duration way_there();
  Duration way_back(const Response& response);

  // Changes the user's role.
  void change_user(std::uint32_t user) { ++versions_[user]; }
  std::uint32_t users() const { return static_cast<std::uint32_t>(versions_.size()); }
  void begin_outage(claims::UpstreamId upstream, Outage outage) { outages_[upstream] = outage; }
  void end_outage(claims::UpstreamId upstream) { outages_[upstream] = Outage::kNone; }
  Outage outage(claims::UpstreamId upstream) const { return outages_[upstream]; }

 private:
  Response fail(Outage outage);
  void add_headers(Response& response);

  const Scenario& scenario_;
  Dice& dice_;
  std::vector<std::uint32_t> versions_;
  std::array<Outage, 2> outages_{};
};

// The claims document of a user.
std::string body_of(std::uint32_t user, std::uint32_t version, bool huge);
// Converts the response of a request that completes now to the service's input.
claims::FetchOutcome compose(const RequestRecord& request, std::uint32_t user, BootTime now);

}  // namespace claimsd::sim
