// lanes.h: maps an Auth API and one of its URLs to a position in the list of settings. Pure; any
// thread.
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

  // The position; kNone if there is no such URL. Never the position of another Auth API.
  std::size_t of(UpstreamId upstream, std::size_t url) const {
    const bool is_there = upstream < lanes_.size() && url < lanes_[upstream].size();
    return is_there ? lanes_[upstream][url] : kNone;
  }

 private:
  std::vector<std::vector<std::size_t>> lanes_;  // by UpstreamId, then by URL
};

}  // namespace claimsd::daemon
