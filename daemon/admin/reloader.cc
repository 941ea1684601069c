#include "daemon/admin/reloader.h"

#include <memory>
#include <optional>
#include <utility>

#include "daemon/config/read_file.h"

namespace claimsd::daemon {
namespace {

Result<LoadedConfig> load(const std::string& file) {
  return load_config(TRY(read_config_file(file)), file);
}

}  // namespace

void Reloader::request(ReloadDone done) {
  next_.push_back(std::move(done));
  if (current_.empty()) begin();
}

void Reloader::begin() {
  current_ = std::exchange(next_, {});
  // The other thread owns copies, because it may outlive this object.
  const auto fresh = std::make_shared<std::optional<Result<LoadedConfig>>>();
  const Status begun = background_.run([fresh, file = file_] { fresh->emplace(load(file)); },
                                       [this, fresh] { finish(std::move(**fresh)); });
  if (!begun) finish(tl::make_unexpected(begun.error()));
}

void Reloader::finish(Result<LoadedConfig> fresh) {
  const ReloadResult result = take_over(std::move(fresh));
  for (const ReloadDone& done : std::exchange(current_, {})) done(result);
  if (!next_.empty() && current_.empty()) begin();
}

ReloadResult Reloader::take_over(Result<LoadedConfig> fresh) {
  const auto refused = [](ReloadOutcome outcome, std::string why) {
    return ReloadResult{.outcome = outcome, .message = std::move(why), .changes = {}};
  };
  if (stopped_) return refused(ReloadOutcome::kStopping, "the daemon is stopping");
  if (!fresh) return refused(ReloadOutcome::kBad, fresh.error().message);
  Result<std::vector<Change>> changes = compare(running_, *fresh);
  if (!changes) return refused(ReloadOutcome::kNeedsRestart, changes.error().message);
  if (const Status applied = apply_(std::move(*fresh)); !applied)
    return refused(ReloadOutcome::kBad, applied.error().message);
  return {.outcome = ReloadOutcome::kDone, .message = {}, .changes = std::move(*changes)};
}

}  // namespace claimsd::daemon
