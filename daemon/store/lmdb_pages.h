// lmdb_pages.h: checks the page structure of an LMDB data file without LMDB, which trusts its file:
// a flipped bit makes it abort, or write over live pages. Pure; any thread.
//
// Checks everything that LMDB follows or counts: both headers, every page of the trees and of the
// list of free pages (lmdb_format.h). The content of keys and values is the caller's.
#pragma once

#include <string_view>

#include "daemon/base/result.h"

namespace claimsd::store {

// `file` is the whole content; empty is valid, because LMDB then creates the environment. Supported:
// named tables, but no duplicate keys and no custom order. The error says which page is damaged.
Status check_lmdb_pages(std::string_view file);

}  // namespace claimsd::store
