#include "daemon/redis/credentials.h"

#include <errno.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <string.h>

#include "daemon/base/fd.h"
#include "daemon/base/read_fully.h"

namespace claimsd::redis {
namespace {

constexpr std::size_t kMaxFile = 1024 * 1024;
constexpr std::size_t kMaxPassword = 512;

// "" is an empty result.
Result<Secret> read_option(const char* option, const std::string& path) {
  if (path.empty()) return Secret();
  Result<Secret> text = read_secret_file(path);
  if (!text) return failure(fmt::format("fleet.{}: {}", option, text.error().message));
  return text;
}

Result<Secret> read_password(const std::string& path) {
  const Secret text = TRY(read_option("password_file", path));
  std::string_view line = text.view();
  if (line.ends_with('\n')) line.remove_suffix(1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (!path.empty() && (line.empty() || line.size() > kMaxPassword ||
                        line.find_first_of("\r\n") != std::string_view::npos))
    return failure(fmt::format("fleet.password_file: {} must hold one line of at most {} bytes",
                               path, kMaxPassword));
  return Secret(line);
}

}  // namespace

Result<Secret> read_secret_file(const std::string& path) {
  const auto cannot = [&](const char* why) {
    return failure(fmt::format("cannot read {}: {}", path, why));
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

Result<Credentials> read_credentials(const Settings& settings) {
  Credentials all;
  all.password = TRY(read_password(settings.password_file));
  const std::string& certificate = settings.client_certificate;
  const std::string& key = settings.client_key.empty() ? certificate : settings.client_key;
  crypto::CredentialTexts texts;
  texts.authorities = TRY(read_option("ca_file", settings.ca_file));
  texts.certificate = TRY(read_option("client_certificate", certificate));
  texts.key = TRY(read_option("client_key", key));
  auto parsed = crypto::TlsCredentials::parse(texts);
  if (!parsed)
    return failure(fmt::format("fleet.{}: {}", parsed.error().option, parsed.error().why));
  all.tls = std::move(*parsed);
  return all;
}

}  // namespace claimsd::redis
