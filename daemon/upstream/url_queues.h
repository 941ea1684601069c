// url_queues.h: maps an Auth API and one of its URLs to a position in the list of settings. Pure; any
// thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "daemon/claims/parse/token.h"
#include "daemon/upstream/settings.h"

namespace claimsd::upstream {

class UrlQueues {
 public:
  static constexpr std::size_t kNone = SIZE_MAX;

  explicit UrlQueues(const std::vector<UpstreamSettings>& settings) {
    for (std::size_t at = 0; at < settings.size(); ++at) {
      if (!settings[at].next_url || url_queues_.empty()) url_queues_.emplace_back();
      url_queues_.back().push_back(at);
    }
  }

  // The position; kNone if there is no such URL. Never the position of another Auth API.
  std::size_t of(claims::UpstreamId upstream, std::size_t url) const {
    const bool is_there = upstream < url_queues_.size() && url < url_queues_[upstream].size();
    return is_there ? url_queues_[upstream][url] : kNone;
  }

 private:
  std::vector<std::vector<std::size_t>> url_queues_;  // by UpstreamId, then by URL
};

}  // namespace claimsd::upstream
