// Names of the C ABI's enums.
#include "client/include/claimsd.h"
#include "proto/vocabulary.h"

const char* claimsd_version(void) {
  return CLAIMSD_VERSION_TEXT;
}

const char* claimsd_result_text(claimsd_result result) {
  switch (result) {
    case CLAIMSD_VALID: return "valid";
    case CLAIMSD_OK: return "ok";
    case CLAIMSD_INVALID: return "invalid";
    case CLAIMSD_UNAVAILABLE: return "unavailable";
    case CLAIMSD_AGAIN: return "again";
    case CLAIMSD_BAD_ARGUMENT: return "bad argument";
    case CLAIMSD_NO_MEMORY: return "out of memory";
    case CLAIMSD_RECORDED: return "recorded";
    case CLAIMSD_SENT: return "sent";
  }
  return "unknown result";
}

const char* claimsd_source_text(claimsd_source source) {
  // A caller's enum may hold anything; only what fits the wire's type has a name.
  const auto code = static_cast<unsigned>(source);
  const bool known = code <= CLAIMSD_SOURCE_STALE;
  return claimsd::proto::name_of(known ? static_cast<claimsd::proto::Source>(code)
                                       : claimsd::proto::Source::kNone)
      .data();
}
