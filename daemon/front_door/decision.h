// decision.h: what the front door decided about a request, and the response that says so. Pure; any
// thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "daemon/base/clock.h"
#include "daemon/base/secret.h"
#include "daemon/front_door/request.h"
#include "daemon/http/message.h"
#include "daemon/loop/unix_socket.h"
#include "proto/messages.h"
#include "proto/vocabulary.h"

namespace claimsd::front_door {

// Travels between threads, so it owns its parts.
struct Decision {
  enum class Kind : std::uint8_t {
    kAnswered,      // `reason` holds
    kNoToken,       // none was sent
    kDenied,        // the token is valid; the gate requires a role that the user does not have
    kUnknownGate,   // no such table in the configuration
    kNotPermitted,  // this uid may not ask
    kNoDocument,    // the default upstream has no document, or there is none
  };
  Kind kind = Kind::kAnswered;
  Resource resource = Resource::kDocument;
  proto::Reason reason = proto::Reason::kInternal;  // kAnswered only
  Duration retry_after{};                           // with an unavailable verdict; 0: no advice
  Secret claims;                                    // a claims block, if valid
  Secret document;  // as the Auth API sent it, if it is not in the claims as a whole
};

// Whether an answer with these flags holds the Auth API's document as it was sent. A part of it could
// pass for the whole.
constexpr bool has_whole_document(int flags) {
  return (flags & (proto::kAnswerTruncated | proto::kAnswerCompacted)) == 0;
}

// What a request asks for.
struct Target {
  Decision::Kind kind = Decision::Kind::kAnswered;  // anything else: it is decided, without a query
  const Gate* gate = nullptr;                       // of the settings; null for the document
  claims::UpstreamId upstream = 0;
};

// `gate` is the name in the request, "" for the document; `peer`: none over TCP.
Target target_of(Resource resource, std::string_view gate,
                 const std::optional<loop::PeerCredentials>& peer, const Settings& settings);

// - 200: the document, or the gate's identity headers;
// - 401 with WWW-Authenticate (RFC 6750, section 3);
// - 403: denied, or not permitted; 404: unknown gate, or no document;
// - 503 with Retry-After: no verdict.
// `realm` is a quoted-string's content: it holds no quote or backslash.
http::Response response_of(const Decision& decision, const std::string& realm);

// The status that response_of() gives this decision.
unsigned status_of(const Decision& decision);

}  // namespace claimsd::front_door
