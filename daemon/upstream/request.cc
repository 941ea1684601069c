#include "daemon/upstream/request.h"

#include <openssl/evp.h>

#include <algorithm>

#include "daemon/base/percent_encoding.h"
#include "daemon/claims/parse/token.h"
#include "proto/limits.h"

namespace claimsd::upstream {
namespace {

constexpr std::string_view kUserAgent = "User-Agent: claimsd/" CLAIMSD_VERSION;

// One allocation, so that no partial copy is left behind.
Secret joined(std::initializer_list<std::string_view> parts) {
  std::size_t size = 0;
  for (const std::string_view part : parts) size += part.size();
  Secret text(size);
  char* at = text.data();
  for (const std::string_view part : parts) at = std::copy(part.begin(), part.end(), at);
  return text;
}

}  // namespace

Secret form_encoded(std::string_view text) {
  Secret encoded(percent_encoded_size(text));
  percent_encode(text, encoded.data());
  return encoded;
}

Secret basic_credentials(std::string_view id, std::string_view secret) {
  const Secret pair = joined({form_encoded(id).view(), ":", form_encoded(secret).view()});
  const auto size = static_cast<int>(pair.view().size());
  Secret base64(4 * ((pair.view().size() + 2) / 3) + 1);  // with a NUL: EVP_EncodeBlock(3)
  const int written =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(base64.data()),
                      reinterpret_cast<const unsigned char*>(pair.view().data()), size);
  return joined({"Basic ", base64.view().substr(0, static_cast<std::size_t>(written))});
}

Request::Request(const UpstreamSettings& settings, const Credentials* credentials)
    : is_introspection_(settings.kind == Kind::kIntrospection) {
  lines_.reserve(6);
  add_header(kUserAgent);
  add_header("Accept: application/json");
  add_header("Accept-Encoding: identity");
  if (credentials != nullptr && !credentials->request_header.empty())
    add_header(credentials->request_header.view());
  const std::string_view secret =
      credentials == nullptr ? std::string_view() : credentials->client_secret.view();
  if (!is_introspection_) {
    const Secret start = joined({"Authorization: ", settings.scheme, " "});
    authorization_ = lines_.size();
    authorization_end_ = start.view().size();
    Secret& line = lines_.emplace_back(authorization_end_ + proto::kMaxToken + 1);
    std::copy(start.view().begin(), start.view().end(), line.data());
  } else if (settings.client_auth == ClientAuth::kBasic) {
    add_header(
        joined({"Authorization: ", basic_credentials(settings.client_id, secret).view()}).view());
  }
  if (is_introspection_) {
    const bool in_form = settings.client_auth != ClientAuth::kBasic && !settings.client_id.empty();
    const bool with_secret = settings.client_auth == ClientAuth::kPost;
    form_start_ = joined(
        {in_form ? "client_id=" : "", in_form ? form_encoded(settings.client_id).view() : "",
         with_secret ? "&client_secret=" : "", with_secret ? form_encoded(secret).view() : "",
         in_form ? "&" : "", "token_type_hint=access_token&token="});
  }
  link_headers();
}

void Request::add_header(std::string_view line) {
  lines_.push_back(joined({line, std::string_view("", 1)}));
}

void Request::link_headers() {
  headers_.resize(lines_.size());
  for (std::size_t at = 0; at < lines_.size(); ++at)
    headers_[at] = {lines_[at].data(), at + 1 < lines_.size() ? &headers_[at + 1] : nullptr};
}

bool Request::set_token(std::string_view token) {
  clear();
  if (token.size() > proto::kMaxToken || claims::check_token(token) != proto::Reason::kOk)
    return false;
  token_ = Secret(token);
  if (is_introspection_) {
    form_ = joined({form_start_.view(), form_encoded(token).view()});
    return true;
  }
  char* const end =
      std::copy(token.begin(), token.end(), lines_[authorization_].data() + authorization_end_);
  *end = '\0';
  return true;
}

void Request::clear() {
  if (!is_introspection_ && !token_.empty())
    explicit_bzero(lines_[authorization_].data() + authorization_end_, token_.view().size());
  token_.wipe();
  form_.wipe();
}

}  // namespace claimsd::upstream
