// lookup.h: what the commands that use libclaimsd share: a client made from the options, and exit
// status from an answer.
#pragma once

#include <claimsd.hpp>

#include "client/claimsctl/command.h"

namespace claimsd::ctl {

// A client of the chosen socket; a Problem where an option cannot be one.
Expected<Client> make_client(const Globals& globals, const std::string& upstream_url);

// By verdict, and for `unavailable` by its reason: what an operator has to mend is told apart from
// what may pass.
Exit exit_of(const Answer& answer);

}  // namespace claimsd::ctl
