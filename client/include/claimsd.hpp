// claimsd.hpp: claimsd.h for C++20, header-only.
//
//   claimsd::Client client({.upstream_url = "https://auth.example.com"});
//   const auto answer = client.query(token, {.route = "GET /worklist"});
//   if (answer.valid() && answer.claims().has_role("rvt")) ...
//
// Purpose    RAII and std::string_view over the C ABI. The rules of claimsd.h on threads and fork()
//            apply.
// Ownership  Client, Stream and Cancellation are move-only and close what they hold. A Client and
//            its Streams may be destroyed in any order. An Answer is move-only. Claims and all
//            views live as long as their Answer.
// Errors     Constructors throw std::invalid_argument, which names the wrong option,
//            std::bad_alloc, or std::runtime_error. Lookups never throw: every failure is an Answer
//            that is `unavailable` and has a reason.
#ifndef CLAIMSD_HPP
#define CLAIMSD_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "claimsd.h"

namespace claimsd {

using Milliseconds = std::chrono::duration<std::uint32_t, std::milli>;

enum class Verdict : std::uint8_t {
  kValid,        // the token is valid
  kInvalid,      // the user must log in again: HTTP 401
  kUnavailable,  // there is no verdict: HTTP 503
};

enum class Source : std::uint8_t {
  kNone = CLAIMSD_SOURCE_NONE,
  kLocal = CLAIMSD_SOURCE_LOCAL,
  kShared = CLAIMSD_SOURCE_SHARED,
  kCache = CLAIMSD_SOURCE_CACHE,
  kUpstream = CLAIMSD_SOURCE_UPSTREAM,
  kStale = CLAIMSD_SOURCE_STALE,
};

// Like claimsd_options.
struct ClientOptions {
  std::string socket_path = CLAIMSD_DEFAULT_SOCKET;
  std::string upstream_url = {};
  std::string client_name = {};
  Milliseconds timeout{CLAIMSD_DEFAULT_TIMEOUT_MS};
  std::uint32_t max_connections = 0;
  std::uint32_t daemon_uid = CLAIMSD_ANY_TRUSTED_UID;
  std::uint32_t flags = 0;          // CLAIMSD_SOCKET_ONLY, CLAIMSD_NO_LOCAL_TABLE
  std::uint32_t local_entries = 0;  // 0: the default
};

// Ends queries early, from another thread.
class Cancellation {
 public:
  Cancellation() {
    claimsd_cancellation* made = nullptr;
    if (claimsd_cancellation_create(&made) != CLAIMSD_OK) throw std::bad_alloc();
    cancellation_.reset(made);
  }
  // Any thread; async-signal-safe.
  void cancel() const { claimsd_cancel(cancellation_.get()); }
  claimsd_cancellation* get() const { return cancellation_.get(); }

 private:
  struct Free {
    void operator()(claimsd_cancellation* cancellation) const {
      claimsd_cancellation_free(cancellation);
    }
  };
  std::unique_ptr<claimsd_cancellation, Free> cancellation_;
};

// Like claimsd_query_request, without the token.
struct QueryOptions {
  Milliseconds timeout{0};                // 0: the client's timeout
  Milliseconds max_age{CLAIMSD_ANY_AGE};  // 0: ask the Auth API now
  std::string client_address = {};
  std::string trace_id = {};
  std::string route = {};
  const Cancellation* cancellation = nullptr;  // for Client::query(); must outlive the call
};

// Like claimsd_report_request: a request that the caller refused, for the audit log.
struct ReportRequest {
  std::uint32_t status = 0;     // the HTTP status: 401, 403, 503, or another from 400 to 599
  std::string_view token = {};  // of the request
  Milliseconds timeout{0};      // 0: the client's timeout
  std::string reason = {};      // Answer::reason() of the answer that caused it; may be empty
  std::string user = {};
  std::string method = {};
  std::string route = {};     // the pattern that matched
  std::string required = {};  // the missing permission: "HasRole(doctor)"
  std::string client_address = {};
  std::string trace_id = {};
  bool await_record = false;  // Client::report() waits for the record; streams always report it
};

// The claims of a user: a view into an Answer.
class Claims {
 public:
  explicit Claims(const claimsd_answer* answer) : answer_(answer) {}

  std::string_view id() const { return claimsd_answer_id(answer_); }
  std::string_view email() const { return claimsd_answer_email(answer_); }

  std::vector<std::string_view> roles() const {
    std::vector<std::string_view> roles;
    roles.reserve(claimsd_answer_role_count(answer_));
    for (std::size_t i = 0; i < claimsd_answer_role_count(answer_); ++i) {
      roles.emplace_back(claimsd_answer_role(answer_, i));
    }
    return roles;
  }

  bool has_role(std::string_view role) const {
    for (std::size_t i = 0; i < claimsd_answer_role_count(answer_); ++i) {
      if (role == claimsd_answer_role(answer_, i)) return true;
    }
    return false;
  }

  bool has_any_role(std::initializer_list<std::string_view> roles) const {
    for (const std::string_view role : roles) {
      if (has_role(role)) return true;
    }
    return false;
  }

  // True if the claims exceeded the daemon's max_claims_bytes: json() then has at most id, email and
  // roles.
  bool truncated() const { return claimsd_answer_truncated(answer_) != 0; }

  // All claims as the Auth API sent them: one JSON object.
  std::string_view json() const {
    std::size_t size = 0;
    const char* const text = claimsd_answer_json(answer_, &size);
    return {text, size};
  }

 private:
  const claimsd_answer* answer_;
};

class Answer {
 public:
  explicit Answer(claimsd_answer* answer, claimsd_result result = CLAIMSD_UNAVAILABLE)
      : answer_(answer), result_(result) {}

  Verdict verdict() const {
    switch (claimsd_answer_verdict(answer_.get())) {
      case CLAIMSD_VALID: return Verdict::kValid;
      case CLAIMSD_INVALID: return Verdict::kInvalid;
      default: return Verdict::kUnavailable;
    }
  }
  bool valid() const { return verdict() == Verdict::kValid; }
  bool invalid() const { return verdict() == Verdict::kInvalid; }
  bool unavailable() const { return verdict() == Verdict::kUnavailable; }

  // For a report: the record is in the audit log.
  bool recorded() const { return result_ == CLAIMSD_RECORDED; }
  // For a report: it is recorded or was sent. Otherwise unavailable() is true; see reason().
  bool sent() const { return recorded() || result_ == CLAIMSD_SENT; }

  // Empty unless valid().
  Claims claims() const& { return Claims(answer_.get()); }
  Claims claims() const&& = delete;  // the claims would outlive the answer

  std::string_view reason() const {
    return sent() ? claimsd_result_text(result_) : claimsd_answer_reason(answer_.get());
  }
  std::string_view text() const {
    if (recorded()) return "it is in the audit log";
    return sent() ? "it is on its way to the audit log" : claimsd_answer_text(answer_.get());
  }
  Source source() const { return static_cast<Source>(claimsd_answer_source(answer_.get())); }
  // All fields at once. The pointers are valid as long as this answer.
  claimsd_answer_view view() const& {
    claimsd_answer_view view = CLAIMSD_ANSWER_VIEW_INIT;
    claimsd_read_answer(answer_.get(), &view);
    return view;
  }
  claimsd_answer_view view() const&& = delete;  // the pointers would outlive the answer
  Milliseconds age() const { return Milliseconds(claimsd_answer_age_ms(answer_.get())); }
  Milliseconds ttl() const { return Milliseconds(claimsd_answer_ttl_ms(answer_.get())); }
  Milliseconds retry_after() const {
    return Milliseconds(claimsd_answer_retry_after_ms(answer_.get()));
  }

 private:
  struct Free {
    void operator()(claimsd_answer* answer) const { claimsd_answer_free(answer); }
  };
  std::unique_ptr<claimsd_answer, Free> answer_;
  claimsd_result result_;  // for a report
};

namespace detail {

inline const char* text_or_null(const std::string& text) {
  return text.empty() ? nullptr : text.c_str();
}

inline void set_text(const std::string& text, const char*& data, std::size_t& size) {
  data = text.data();
  size = text.size();
}

inline claimsd_query_request query_request_of(std::string_view token, const QueryOptions& options) {
  claimsd_query_request request = CLAIMSD_QUERY_REQUEST_INIT;
  request.token = token.data();
  request.token_size = token.size();
  request.timeout_ms = options.timeout.count();
  request.max_age_ms = options.max_age.count();
  set_text(options.client_address, request.client_address, request.client_address_size);
  set_text(options.trace_id, request.trace_id, request.trace_id_size);
  set_text(options.route, request.route, request.route_size);
  if (options.cancellation != nullptr) request.cancellation = options.cancellation->get();
  return request;
}

inline claimsd_report_request report_request_of(const ReportRequest& given) {
  claimsd_report_request report_request = CLAIMSD_REPORT_REQUEST_INIT;
  report_request.token = given.token.empty() ? nullptr : given.token.data();
  report_request.token_size = given.token.size();
  report_request.timeout_ms = given.timeout.count();
  report_request.status = given.status;
  set_text(given.reason, report_request.reason, report_request.reason_size);
  set_text(given.user, report_request.user, report_request.user_size);
  set_text(given.method, report_request.method, report_request.method_size);
  set_text(given.route, report_request.route, report_request.route_size);
  set_text(given.required, report_request.required, report_request.required_size);
  set_text(given.client_address, report_request.client_address, report_request.client_address_size);
  set_text(given.trace_id, report_request.trace_id, report_request.trace_id_size);
  report_request.flags = given.await_record ? CLAIMSD_AWAIT_RECORD : 0u;
  return report_request;
}

inline void throw_unless_ok(claimsd_result result, const char* tried, const char* problem) {
  if (result == CLAIMSD_OK) return;
  if (result == CLAIMSD_NO_MEMORY) throw std::bad_alloc();
  const std::string message = std::string(tried) + ": " + problem;
  if (result == CLAIMSD_BAD_ARGUMENT) throw std::invalid_argument(message);
  throw std::runtime_error(message);
}

}  // namespace detail

class Client {
 public:
  explicit Client(const ClientOptions& options = {}) {
    claimsd_options given = CLAIMSD_OPTIONS_INIT;
    given.socket_path = options.socket_path.c_str();
    given.upstream_url = detail::text_or_null(options.upstream_url);
    given.client_name = detail::text_or_null(options.client_name);
    given.timeout_ms = options.timeout.count();
    given.max_connections = options.max_connections;
    given.daemon_uid = options.daemon_uid;
    given.flags = options.flags;
    given.local_entries = options.local_entries;
    claimsd_handle* handle = nullptr;
    const char* problem = nullptr;
    const claimsd_result result = claimsd_open(&given, &handle, &problem);
    detail::throw_unless_ok(result, "claimsd: cannot open a client", problem);
    handle_.reset(handle);
  }

  // Looks up a token. Blocks for at most the timeout. Any thread.
  Answer query(std::string_view token, const QueryOptions& options = {}) const {
    const claimsd_query_request request = detail::query_request_of(token, options);
    claimsd_answer* answer = nullptr;
    // A result that is no verdict leaves no answer, which reads as unavailable.
    claimsd_query(handle_.get(), &request, &answer);
    return Answer(answer);
  }

  // Cache-only lookup: never blocks and sends no query. Empty if the token is not known in this
  // process; then use query(). Any thread.
  std::optional<Answer> peek(std::string_view token, const QueryOptions& options = {}) const {
    const claimsd_query_request request = detail::query_request_of(token, options);
    claimsd_answer* answer = nullptr;
    if (claimsd_peek(handle_.get(), &request, &answer) != CLAIMSD_VALID) return std::nullopt;
    return Answer(answer);
  }

  // Reports a refusal to the audit log. With await_record it waits until the record is on disk.
  Answer report(const ReportRequest& report_request) const {
    const claimsd_report_request given = detail::report_request_of(report_request);
    claimsd_answer* why_not = nullptr;
    const claimsd_result result = claimsd_report(handle_.get(), &given, &why_not);
    return Answer(why_not, result);
  }

  // The round-trip time to the daemon; empty if it does not answer.
  std::optional<std::chrono::nanoseconds> ping(Milliseconds timeout = Milliseconds(0)) const {
    std::uint64_t nanoseconds = 0;
    if (claimsd_ping(handle_.get(), timeout.count(), &nanoseconds, nullptr) != CLAIMSD_OK)
      return {};
    return std::chrono::nanoseconds(nanoseconds);
  }

  // Counters of this process; see claimsd_statistics.
  claimsd_statistics statistics() const {
    claimsd_statistics counted = CLAIMSD_STATISTICS_INIT;
    claimsd_read_statistics(handle_.get(), &counted);
    return counted;
  }

  // For calls of the C ABI. The client keeps ownership.
  claimsd_handle* get() const { return handle_.get(); }

 private:
  struct Close {
    void operator()(claimsd_handle* handle) const { claimsd_close(handle); }
  };
  std::unique_ptr<claimsd_handle, Close> handle_;
};

// Many concurrent queries, for an event loop: send; when fd() is readable, call receive() until it
// returns nothing. Any thread.
class Stream {
 public:
  struct Completed {
    std::uint64_t tag;
    Answer answer;
  };

  explicit Stream(const Client& client) {
    claimsd_stream* stream = nullptr;
    const claimsd_result result = claimsd_stream_open(client.get(), &stream);
    detail::throw_unless_ok(result, "claimsd: cannot open a stream",
                            "this process has no descriptors left");
    stream_.reset(stream);
  }

  int fd() const { return claimsd_stream_fd(stream_.get()); }
  std::size_t pending() const { return claimsd_stream_pending(stream_.get()); }

  // False: no answer will come (too many open queries, or out of memory).
  [[nodiscard]] bool send(std::string_view token, std::uint64_t tag,
                          const QueryOptions& options = {}) {
    const claimsd_query_request request = detail::query_request_of(token, options);
    return claimsd_stream_send(stream_.get(), &request, tag) == CLAIMSD_OK;
  }

  // The same for a report.
  [[nodiscard]] bool report(const ReportRequest& report_request, std::uint64_t tag) {
    const claimsd_report_request given = detail::report_request_of(report_request);
    return claimsd_stream_report(stream_.get(), &given, tag) == CLAIMSD_OK;
  }

  // Cancels the open queries with this tag: each is received as unavailable, "canceled". False if
  // there is none.
  bool cancel(std::uint64_t tag) const {
    return claimsd_stream_cancel(stream_.get(), tag) == CLAIMSD_OK;
  }

  std::optional<Completed> receive() {
    std::uint64_t tag = 0;
    claimsd_answer* answer = nullptr;
    const claimsd_result result = claimsd_stream_receive(stream_.get(), &tag, &answer);
    if (answer == nullptr && result != CLAIMSD_RECORDED) return std::nullopt;
    return Completed{tag, Answer(answer, result)};
  }

 private:
  struct Close {
    void operator()(claimsd_stream* stream) const { claimsd_stream_close(stream); }
  };
  std::unique_ptr<claimsd_stream, Close> stream_;
};

}  // namespace claimsd

#endif  // CLAIMSD_HPP
