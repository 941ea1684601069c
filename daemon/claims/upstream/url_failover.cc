#include "daemon/claims/upstream/url_failover.h"

namespace claimsd::claims {

std::size_t UrlFailover::pick(BootTime now) {
  std::size_t longest_ago = 0;
  for (std::size_t at = 0; at < urls_.size(); ++at) {
    Url& url = urls_[at];
    if (!url.failed) return at;
    if (url.backoff_until <= now) {
      url.backoff_until = now + kPause;  // this request is the trial
      return at;
    }
    if (url.backoff_until < urls_[longest_ago].backoff_until) longest_ago = at;
  }
  return longest_ago;
}

bool UrlFailover::has_other(std::size_t url) const {
  for (std::size_t at = 0; at < urls_.size(); ++at) {
    if (at != url && !urls_[at].failed) return true;
  }
  return false;
}

}  // namespace claimsd::claims
