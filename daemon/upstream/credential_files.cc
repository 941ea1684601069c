#include "daemon/upstream/credential_files.h"

#include <errno.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <string.h>
#include <sys/stat.h>

#include "daemon/base/fd.h"
#include "daemon/base/read_fully.h"

namespace claimsd::daemon {
namespace {

// In bytes. A system's CA bundle is a quarter of it.
constexpr std::size_t kMaxFile = 1024 * 1024;

std::int64_t nanoseconds(const timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

FileMark mark_of(const std::string& path) {
  struct stat found {};
  if (path.empty() || stat(path.c_str(), &found) != 0) return {};
  return {.device = found.st_dev,
          .inode = found.st_ino,
          .size = found.st_size,
          .modified = nanoseconds(found.st_mtim),
          .changed = nanoseconds(found.st_ctim)};
}

// Reads a file that the settings name; "" is an empty result.
Result<Secret> read_whole(const UpstreamSettings& settings, const char* option,
                          const std::string& path) {
  if (path.empty()) return Secret();
  const auto cannot = [&](const char* why) {
    return failure(
        fmt::format("upstream.{}.{}: cannot read {}: {}", settings.name, option, path, why));
  };
  // O_NONBLOCK: do not wait for a writer if it is a FIFO.
  const Fd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!file) return cannot(strerrordesc_np(errno));
  Secret text(kMaxFile);
  const auto size = read_fully(file.get(), {text.data(), kMaxFile});
  if (!size) return cannot(strerrordesc_np(size.error()));
  if (*size == kMaxFile) return cannot("the file is larger than 1 MiB");
  if (*size == 0) return cannot("the file is empty");
  return Secret(text.view().substr(0, *size));
}

}  // namespace

bool has_credential_files(const UpstreamSettings& settings) {
  return !settings.ca_file.empty() || !settings.client_certificate.empty();
}

FileMarks mark_credential_files(const UpstreamSettings& settings) {
  return {mark_of(settings.ca_file), mark_of(settings.client_certificate),
          mark_of(settings.client_key)};
}

Result<std::shared_ptr<const TlsCredentials>> read_credentials(const UpstreamSettings& settings) {
  const std::string& certificate = settings.client_certificate;
  const std::string& key = settings.client_key.empty() ? certificate : settings.client_key;
  CredentialTexts texts;
  texts.authorities = TRY(read_whole(settings, "ca_file", settings.ca_file));
  texts.certificate = TRY(read_whole(settings, "client_certificate", certificate));
  texts.key = TRY(read_whole(settings, "client_key", key));
  auto parsed = TlsCredentials::parse(texts);
  if (parsed) return std::move(*parsed);
  const auto& [option, why] = parsed.error();
  return failure(fmt::format("upstream.{}.{}: {}", settings.name, option, why));
}

}  // namespace claimsd::daemon
