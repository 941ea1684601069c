// gate.h: what the HTTP front door requires of a request, as configured. Plain values.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/claims/ports.h"
#include "daemon/server/admission.h"
#include "proto/claims_block.h"

namespace claimsd::front_door {

// [http.gate.NAME]: requests to /v1/auth/NAME need a valid token of a user with one of the roles.
struct Gate {
  std::string name;
  std::vector<std::string> roles;  // empty: every valid token
  claims::UpstreamId upstream = 0;

  bool admits(const proto::ClaimsView& claims) const {
    bool found = roles.empty();
    claims.roles.each([&](std::string_view role) {
      found = found || std::find(roles.begin(), roles.end(), role) != roles.end();
      return !found;
    });
    return found;
  }
};

struct Settings {
  std::vector<Gate> gates;            // with the built-in one, if there is a default upstream
  bool serves_document = false;       // GET /api/me/: there is a default upstream with a document
  claims::UpstreamId upstream = 0;    // of GET /api/me/
  std::string realm;                  // of WWW-Authenticate
  std::string client_address_header;  // "": the client's address is not known
  std::vector<std::uint32_t> trusted_uids;  // whose client_address_header is believed
  server::AdmissionPolicy admission;        // who may ask, as on the claims socket

  const Gate* gate(std::string_view name) const {
    const auto found =
        std::find_if(gates.begin(), gates.end(), [&](const Gate& one) { return one.name == name; });
    return found == gates.end() ? nullptr : &*found;
  }
};

}  // namespace claimsd::front_door
