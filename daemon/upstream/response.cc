#include "daemon/upstream/response.h"

#include <string.h>  // explicit_bzero(3), strncasecmp(3)

namespace claimsd::upstream {
namespace {

bool same(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

// RFC 9110 section 5.3: repeated fields form one list. False if it would grow too long.
bool append(std::string& joined, std::string_view value) {
  const std::size_t separator = joined.empty() ? 0 : 2;
  if (joined.size() + separator + value.size() > kMaxUpstreamHeaderValue) return false;
  if (separator != 0) joined += ", ";
  joined += value;
  return true;
}

}  // namespace

Response::Response(std::size_t max_body) : max_body_(max_body) {
  body_.reserve(max_body);
}

Response::~Response() {
  clear();
}

bool Response::fail(proto::Reason reason, const char* detail) {
  failure_ = reason;
  detail_ = detail;
  return false;
}

bool Response::add_header(std::string_view line) {
  header_bytes_ += line.size();
  if (header_bytes_ > kMaxUpstreamHeaders) {
    return fail(proto::Reason::kUpstreamProtocol, "more than 32 KiB of headers");
  }
  if (headers_done_) return true;  // a trailer: ignored
  if (line.starts_with("HTTP/")) return begin_message(line);
  if (trim(line).empty()) return end_headers();
  // RFC 9112 section 5.2. A folded "no-store" must not be missed, and no valid server folds.
  if (line.front() == ' ' || line.front() == '\t') {
    return fail(proto::Reason::kUpstreamProtocol, "a folded header line");
  }
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return true;
  return add_field(trim(line.substr(0, colon)), trim(line.substr(colon + 1)));
}

// Headers of an interim response do not apply to the final one.
bool Response::begin_message(std::string_view line) {
  clear_message();
  std::size_t at = line.find(' ');
  for (; at < line.size() && line[at] == ' '; ++at) {
  }
  for (; at < line.size() && line[at] >= '0' && line[at] <= '9' && status_ < 1000; ++at) {
    status_ = status_ * 10 + (line[at] - '0');
  }
  return true;
}

bool Response::end_headers() {
  // curl would wait for data of a protocol that was never requested.
  if (status_ == 101)
    return fail(proto::Reason::kUpstreamProtocol, "an unrequested protocol switch (status 101)");
  if (status_ < 200) return true;
  headers_done_ = true;
  // Only a 200's body is read; a 401 counts whatever its encoding.
  if (encoded_ && status_ == 200) {
    return fail(proto::Reason::kUpstreamBody, "an unrequested Content-Encoding");
  }
  return true;
}

bool Response::add_field(std::string_view name, std::string_view value) {
  if (same(name, "content-encoding")) {
    encoded_ |= !value.empty() && !same(value, "identity");
  } else if (same(name, "transfer-encoding")) {
    // curl would decompress it, although TE was not sent (RFC 9110 section 10.1.4).
    if (!same(value, "chunked") && !same(value, "identity")) {
      return fail(proto::Reason::kUpstreamProtocol, "an unrequested Transfer-Encoding");
    }
  } else if (same(name, "cache-control")) {
    unknown_life_ |= !append(cache_control_, value);
  } else if (same(name, "age")) {
    unknown_life_ |= !append(age_, value);
  } else if (same(name, "vary")) {
    unknown_life_ |= !append(vary_, value);
  } else if (same(name, "content-type")) {
    content_type_ = value.substr(0, kMaxUpstreamHeaderValue);
  }
  return true;
}

bool Response::add_body(std::string_view bytes) {
  if (bytes.size() > max_body_ - body_.size()) {
    return fail(proto::Reason::kUpstreamTooLarge, "the body is larger than the limit");
  }
  body_.insert(body_.end(), bytes.begin(), bytes.end());
  return true;
}

void Response::take(claims::FetchOutcome& outcome) {
  if (failure_ == proto::Reason::kOk && !headers_done_) {
    fail(proto::Reason::kUpstreamProtocol, "the response ended within its headers");
  }
  outcome.failure = failure_;
  outcome.detail = detail_;
  outcome.status = status_;
  if (failure_ != proto::Reason::kOk) return;
  outcome.body = Secret({body_.data(), body_.size()});
  // A truncated list could lack its "no-store".
  outcome.cache_control = unknown_life_ ? "no-store" : std::move(cache_control_);
  outcome.age = std::move(age_);
  outcome.vary = std::move(vary_);
  outcome.content_type = std::move(content_type_);
}

void Response::clear_message() {
  status_ = 0;
  encoded_ = false;
  unknown_life_ = false;
  cache_control_.clear();
  age_.clear();
  vary_.clear();
  content_type_.clear();
}

void Response::clear() {
  clear_message();
  explicit_bzero(body_.data(), body_.size());
  body_.clear();
  header_bytes_ = 0;
  headers_done_ = false;
  failure_ = proto::Reason::kOk;
  detail_ = "";
}

}  // namespace claimsd::upstream
