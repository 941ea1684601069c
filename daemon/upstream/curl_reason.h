// curl_reason.h: maps a curl error to the reason that the waiting caller gets. Pure; any thread.
#pragma once

#include <curl/curl.h>

#include <string>
#include <string_view>

#include "proto/vocabulary.h"

namespace claimsd::upstream {

struct CurlFailure {
  proto::Reason reason = proto::Reason::kUpstreamProtocol;
  std::string detail;  // for the log; contains nothing that the Auth API sent
};

// `words`: the contents of CURLOPT_ERRORBUFFER. Never returns kOk.
CurlFailure explain(CURLcode code, std::string_view words);

}  // namespace claimsd::upstream
