#include "daemon/upstream/credential_files.h"

#include <fmt/core.h>
#include <sys/stat.h>

#include <algorithm>

#include "daemon/base/secret_file.h"
#include "daemon/upstream/request.h"

namespace claimsd::upstream {
namespace {

constexpr std::size_t kMaxLine = 4096;

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
  Result<Secret> text = read_secret_file(path);
  if (!text)
    return failure(fmt::format("upstream.{}.{}: {}", settings.name, option, text.error().message));
  return text;
}

// The single line of a file, without its line end. Printable ASCII only: it goes into a header.
Result<Secret> read_line(const UpstreamSettings& settings, const char* option,
                         const std::string& path) {
  const Secret text = TRY(read_whole(settings, option, path));
  const std::string_view line = without_line_end(text.view());
  const bool printable =
      std::all_of(line.begin(), line.end(), [](char c) { return c >= ' ' && c < 0x7f; });
  if (!path.empty() && (line.empty() || line.size() > kMaxLine || !printable))
    return failure(
        fmt::format("upstream.{}.{}: {} must hold one line of at most {} characters of "
                    "ASCII",
                    settings.name, option, path, kMaxLine));
  return Secret(line);
}

// NUL-terminated and percent-encoded: CURLOPT_PROXYUSERPWD(3) decodes both. CURLOPT_PROXYUSERNAME
// decodes in some versions of libcurl only.
Secret user_and_password(std::string_view user, std::string_view password) {
  const Secret first = form_encoded(user);
  const Secret second = form_encoded(password);
  Secret both(first.view().size() + second.view().size() + 2);
  char* end = std::copy(first.view().begin(), first.view().end(), both.data());
  *end++ = ':';
  end = std::copy(second.view().begin(), second.view().end(), end);
  *end = '\0';
  return both;
}

bool is_header(std::string_view line) {
  const std::size_t colon = std::min(line.find(':'), line.size());
  std::string name(line.substr(0, colon));
  for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  const bool is_name = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
  // Those that frame the message, route it, or that a Request sets.
  constexpr std::string_view kOurs[] = {"accept",
                                        "accept-encoding",
                                        "authorization",
                                        "connection",
                                        "content-length",
                                        "expect",
                                        "host",
                                        "content-type",
                                        "te",
                                        "trailer",
                                        "user-agent",
                                        "upgrade",
                                        "transfer-encoding",
                                        "range"};
  const bool ours = std::find(std::begin(kOurs), std::end(kOurs), name) != std::end(kOurs) ||
                    name.starts_with("proxy-") || name.starts_with("if-");
  // Without a value, libcurl would remove a header of its own.
  const bool has_value =
      colon + 1 < line.size() && line.find_first_not_of(' ', colon + 1) != std::string_view::npos;
  return is_name && !ours && has_value;
}

Result<std::shared_ptr<const crypto::TlsCredentials>> read_tls(const UpstreamSettings& settings) {
  const std::string& certificate = settings.client_certificate;
  const std::string& key = settings.client_key.empty() ? certificate : settings.client_key;
  crypto::CredentialTexts texts;
  texts.authorities = TRY(read_whole(settings, "ca_file", settings.ca_file));
  texts.certificate = TRY(read_whole(settings, "client_certificate", certificate));
  texts.key = TRY(read_whole(settings, "client_key", key));
  auto parsed = crypto::TlsCredentials::parse(texts);
  if (parsed) return std::move(*parsed);
  const auto& [option, why] = parsed.error();
  return failure(fmt::format("upstream.{}.{}: {}", settings.name, option, why));
}

}  // namespace

bool has_credential_files(const UpstreamSettings& settings) {
  const auto& it = settings;
  for (const std::string* const path : {&it.ca_file, &it.client_certificate, &it.client_secret_file,
                                        &it.request_header_file, &it.proxy_credentials_file}) {
    if (!path->empty()) return true;
  }
  return false;
}

FileMarks mark_credential_files(const UpstreamSettings& settings) {
  return {mark_of(settings.ca_file),
          mark_of(settings.client_certificate),
          mark_of(settings.client_key),
          mark_of(settings.client_secret_file),
          mark_of(settings.request_header_file),
          mark_of(settings.proxy_credentials_file)};
}

Result<std::shared_ptr<const Credentials>> read_credentials(const UpstreamSettings& settings) {
  auto all = std::make_shared<Credentials>();
  all->tls = TRY(read_tls(settings));
  all->client_secret = TRY(read_line(settings, "client_secret_file", settings.client_secret_file));
  all->request_header =
      TRY(read_line(settings, "request_header_file", settings.request_header_file));
  if (!all->request_header.empty() && !is_header(all->request_header.view()))
    return failure(fmt::format(
        "upstream.{}.request_header_file: {} must hold one header, such as \"X-Api-Key: value\", "
        "and none that claimsd sets itself",
        settings.name, settings.request_header_file));
  const Secret proxy =
      TRY(read_line(settings, "proxy_credentials_file", settings.proxy_credentials_file));
  if (proxy.empty()) return all;
  const std::size_t colon = proxy.view().find(':');
  if (colon == 0 || colon == std::string_view::npos)
    return failure(fmt::format("upstream.{}.proxy_credentials_file: {} must hold user:password",
                               settings.name, settings.proxy_credentials_file));
  all->proxy = user_and_password(proxy.view().substr(0, colon), proxy.view().substr(colon + 1));
  return all;
}

}  // namespace claimsd::upstream
