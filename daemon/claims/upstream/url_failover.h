// url_failover.h: selects which URL of an Auth API to use: the first working one, in configured order.
//
// A failed URL is skipped for kPause. Then one request tries it, while the others keep using the
// next working URL. Pure; loop thread.
#pragma once

#include <vector>

#include "daemon/base/clock.h"

namespace claimsd::claims {

class UrlFailover {
 public:
  static constexpr Duration kPause = seconds(30);

  explicit UrlFailover(std::size_t urls) : urls_(urls) {}

  // Index of the URL for the next request.
  std::size_t pick(BootTime now);
  void failed(std::size_t url, BootTime now) { urls_[url] = {true, now + kPause}; }
  void worked(std::size_t url) { urls_[url] = {}; }
  // True if there is a URL other than `url` that has not failed recently.
  bool has_other(std::size_t url) const;
  std::size_t size() const { return urls_.size(); }

 private:
  struct Url {
    bool failed = false;
    BootTime backoff_until{};
  };
  std::vector<Url> urls_;
};

}  // namespace claimsd::claims
