#include "daemon/admin/reloader.h"

#include <memory>
#include <optional>
#include <utility>

#include "daemon/config/read_file.h"

namespace claimsd::admin {
void Reloader::request(config::ReloadDone done) {
  next_.push_back(std::move(done));
  if (current_.empty()) begin();
}

void Reloader::begin() {
  current_ = std::exchange(next_, {});
  // The other thread owns copies, because it may outlive this object.
  const auto fresh = std::make_shared<std::optional<Result<config::LoadedConfig>>>();
  const Status begun =
      background_.run([fresh, file = file_] { fresh->emplace(config::load_config_files(file)); },
                      [this, fresh] { finish(std::move(**fresh)); });
  if (!begun) finish(tl::make_unexpected(begun.error()));
}

void Reloader::finish(Result<config::LoadedConfig> fresh) {
  const config::ReloadResult result = take_over(std::move(fresh));
  for (const config::ReloadDone& done : std::exchange(current_, {})) done(result);
  if (!next_.empty() && current_.empty()) begin();
}

config::ReloadResult Reloader::take_over(Result<config::LoadedConfig> fresh) {
  const auto refused = [](config::ReloadOutcome outcome, std::string why) {
    return config::ReloadResult{.outcome = outcome, .message = std::move(why), .changes = {}};
  };
  if (stopped_) return refused(config::ReloadOutcome::kStopping, "the daemon is stopping");
  if (!fresh) return refused(config::ReloadOutcome::kBad, fresh.error().message);
  Result<std::vector<config::Change>> changes = config::compare(running_, *fresh);
  if (!changes) return refused(config::ReloadOutcome::kNeedsRestart, changes.error().message);
  if (const Status applied = apply_(std::move(*fresh)); !applied)
    return refused(config::ReloadOutcome::kBad, applied.error().message);
  return {.outcome = config::ReloadOutcome::kDone, .message = {}, .changes = std::move(*changes)};
}

}  // namespace claimsd::admin
