// What a miss spends on its claims document: parsing, mapping and encoding. Run by hand: prints
// figures without checking them.
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <vector>

#include "daemon/claims/parse/claims_parser.h"
#include "daemon/claims/parse/jwt_parser.h"

namespace {

using namespace claimsd;
using namespace claimsd::claims;

constexpr int kRounds = 31;
constexpr int kPerRound = 2'000;

// Median of the rounds, in microseconds for one call.
template <class Run>
double measure(Run&& run) {
  std::vector<double> rounds;
  for (int round = 0; round < kRounds; ++round) {
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < kPerRound; ++i) run();
    const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - begin;
    rounds.push_back(took.count() / kPerRound);
  }
  std::nth_element(rounds.begin(), rounds.begin() + kRounds / 2, rounds.end());
  return rounds[kRounds / 2];
}

constexpr std::string_view kContract =
    R"({"id": "user-123", "email": "tess@example.com", "role": "rvt", "first_name": "Tess",)"
    R"( "last_name": "Technician", "clinic": {"id": 7, "name": "North"}, "active": true,)"
    R"( "permissions": ["study.read", "study.report"], "created": "2026-01-01T00:00:00Z"})";

constexpr std::string_view kKeycloak =
    R"({"sub":"f7f9c1d4-1b9e-4a53-9c70-3f24d0b7a111","resource_access":{"lumen":{"roles":["editor"]},)"
    R"("account":{"roles":["manage-account","view-profile"]}},"email_verified":true,)"
    R"("realm_access":{"roles":["offline_access","rvt","uma_authorization"]},"name":"Tess Technician",)"
    R"("preferred_username":"tess","given_name":"Tess","family_name":"Technician",)"
    R"("email":"tess@example.com"})";

ClaimMapping keycloak_mapping() {
  ClaimMapping mapping;
  mapping.id = ClaimPath::member("sub");
  mapping.roles = {{*ClaimPath::parse("/realm_access/roles"), RoleForm::kList},
                   {*ClaimPath::parse("/resource_access/lumen/roles"), RoleForm::kList},
                   {ClaimPath::member("groups"), RoleForm::kList}};
  mapping.require = {{ClaimPath::member("email_verified"), true}};
  return mapping;
}

void report(std::string_view name, std::string_view body, const ClaimMapping& mapping) {
  JsonBuffers buffers;
  std::size_t size = 0;
  const double took =
      measure([&] { size += parse_claims(body, mapping, buffers)->block.view().size(); });
  fmt::print("{:<44} {:>6} bytes {:>7.2f} µs  ({})\n", name, body.size(), took, size > 0);
}

std::string with_roles(int count) {
  std::string document = R"({"id":"u","role":[)";
  for (int i = 0; i < count; ++i)
    document += fmt::format("{}\"CN=group-{},OU=Groups\"", i == 0 ? "" : ",", i);
  return document + "]}";
}

}  // namespace

int main() {
  report("the contract's document, default names", kContract, {});
  report("Keycloak's document, 3 role claims, 1 required", kKeycloak, keycloak_mapping());
  report("64 roles", with_roles(64), {});
  report("256 roles", with_roles(256), {});
  return 0;
}
