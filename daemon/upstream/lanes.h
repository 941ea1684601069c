// lanes.h: which of the listed settings is which URL of which Auth API. Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "daemon/claims/parse/token.h"
#include "daemon/upstream/settings.h"

namespace claimsd::daemon {

class Lanes {
 public:
  static constexpr std::size_t kNone = SIZE_MAX;

  explicit Lanes(const std::vector<UpstreamSettings>& settings) {
    for (std::size_t at = 0; at < settings.size(); ++at) {
      if (!settings[at].next_url || lanes_.empty()) lanes_.emplace_back();
      lanes_.back().push_back(at);
    }
  }

  // Its position; kNone: there is no such URL, and above all not another Auth API's.
  std::size_t of(UpstreamId upstream, std::size_t url) const {
    const bool is_there = upstream < lanes_.size() && url < lanes_[upstream].size();
    return is_there ? lanes_[upstream][url] : kNone;
  }

 private:
  std::vector<std::vector<std::size_t>> lanes_;  // by UpstreamId and URL
};

}  // namespace claimsd::daemon
