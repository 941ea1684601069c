// convert.h: one node of the file against one row of the table. Pure; any thread.
#pragma once

#include <string>

#include "daemon/base/result.h"
#include "daemon/config/options.h"
#include "daemon/config/toml_reader.h"

namespace claimsd::daemon {

// The node's value in the row's type and range. The error names neither option nor place, which the
// loader knows: it reads "found 0, allowed are 1 to 65536". What stands in an option that may hold
// a password is never repeated.
Result<Value> convert(const Option& option, const Node& node);

// The node as it would stand in a file, for listings; "(hidden)" where the option may hold a
// password.
std::string display(const Option& option, const Node& node);

}  // namespace claimsd::daemon
