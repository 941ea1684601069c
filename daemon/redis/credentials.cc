#include "daemon/redis/credentials.h"

#include <fmt/core.h>

#include "daemon/base/secret_file.h"

namespace claimsd::redis {
namespace {

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
  const std::string_view line = without_line_end(text.view());
  if (!path.empty() && (line.empty() || line.size() > kMaxPassword ||
                        line.find_first_of("\r\n") != std::string_view::npos))
    return failure(fmt::format("fleet.password_file: {} must hold one line of at most {} bytes",
                               path, kMaxPassword));
  return Secret(line);
}

}  // namespace

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
