// url_order.h: which of an Auth API's URLs is asked: the first that works, in the order of the
// configuration.
//
// One that failed is left alone for a while; then a single request tries it, while the others go on
// where they went. Pure; loop thread.
#pragma once

#include <vector>

#include "daemon/base/clock.h"

namespace claimsd::daemon {

class UrlOrder {
 public:
  static constexpr Duration kPause = seconds(30);

  explicit UrlOrder(std::size_t urls) : urls_(urls) {}

  // Where the next request goes.
  std::size_t pick(BootTime now);
  void failed(std::size_t url, BootTime now) { urls_[url] = {true, now + kPause}; }
  void worked(std::size_t url) { urls_[url] = {}; }
  // Is there one beside `url` that has not failed lately?
  bool has_other(std::size_t url) const;
  std::size_t size() const { return urls_.size(); }

 private:
  struct Url {
    bool failed = false;
    BootTime left_alone_until{};
  };
  std::vector<Url> urls_;
};

}  // namespace claimsd::daemon
