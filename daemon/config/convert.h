// convert.h: converts one node of the file according to its row in the table. Pure; any thread.
#pragma once

#include <string>

#include "daemon/base/result.h"
#include "daemon/config/options.h"
#include "daemon/config/toml_reader.h"

namespace claimsd::config {

// The value in the row's type and range. The error is the text after option and place, which the
// caller adds: "found 0, expected 1 to 65536". It never contains a value that may be a password.
Result<Value> convert(const Option& option, const Node& node);

// A node that convert() accepted, as written in a file, for listings. An accepted URL contains no
// user name, password or query (url.h).
std::string display(const Node& node);

}  // namespace claimsd::config
