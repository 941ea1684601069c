// curl_reason.h: what an error of curl means to somebody who waits for an answer. Pure; any thread.
#pragma once

#include <curl/curl.h>

#include <string>
#include <string_view>

#include "proto/vocabulary.h"

namespace claimsd::daemon {

struct CurlFailure {
  proto::Reason reason = proto::Reason::kUpstreamProtocol;
  std::string detail;  // for the log; nothing that the Auth API sent
};

// `words` is what curl left in CURLOPT_ERRORBUFFER. Never kOk.
CurlFailure explain(CURLcode code, std::string_view words);

}  // namespace claimsd::daemon
