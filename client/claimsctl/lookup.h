// lookup.h: shared by the commands that use libclaimsd: making a client from the options, and
// mapping an answer to an exit status.
#pragma once

#include <claimsd.hpp>

#include "client/claimsctl/command.h"

namespace claimsd::claimsctl {

// A client of the chosen socket; a Problem if an option is not acceptable.
Expected<Client> make_client(const Globals& globals, const std::string& upstream_url);

// By verdict. For `unavailable` by reason, to separate what an operator has to fix from what may be
// temporary.
Exit exit_of(const Answer& answer);

}  // namespace claimsd::claimsctl
