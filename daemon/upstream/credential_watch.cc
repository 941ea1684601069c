#include "daemon/upstream/credential_watch.h"

#include <utility>

namespace claimsd::upstream {

Result<std::unique_ptr<CredentialWatch>> CredentialWatch::create(const UpstreamSettings& settings) {
  std::unique_ptr<CredentialWatch> self(new CredentialWatch(settings));
  // Mark first: the next look finds what is written while we read.
  self->seen_ = self->judged_ = mark_credential_files(settings);
  self->current_ = TRY(read_credentials(settings));
  return self;
}

std::optional<CredentialReport> CredentialWatch::look() {
  const FileMarks now = mark_credential_files(settings_);
  if (std::exchange(seen_, now) != now) return std::nullopt;  // still being written
  if (now == judged_ && error_.empty()) return std::nullopt;
  auto fresh = read_credentials(settings_);
  std::string error = fresh ? std::string() : std::move(fresh.error().message);
  const bool is_news = now != judged_ || error != error_;
  judged_ = now;
  error_ = std::move(error);
  if (fresh) current_ = std::move(*fresh);
  if (!is_news) return std::nullopt;
  return report();
}

CredentialReport CredentialWatch::report() const {
  return {.error = error_, .certificate_end = current_->tls->certificate_end()};
}

}  // namespace claimsd::upstream
