#include "client/src/handle.h"

#include <unistd.h>

#include <cstddef>

#include "client/src/sized_struct.h"

namespace claimsd::client_impl {
namespace {

// False when it does not fit. NULL is the empty string.
template <std::size_t capacity>
bool copy_text(const char* text, char (&out)[capacity]) {
  if (text == nullptr) return true;
  const std::size_t length = strnlen(text, capacity);
  if (length == capacity) return false;
  std::memcpy(out, text, length + 1);
  return true;
}

constexpr std::uint32_t kKnownFlags = CLAIMSD_NO_FAST_PATH | CLAIMSD_NO_LOCAL_TABLE;

bool are_valid(const claimsd_options& options) {
  return (options.flags & ~kKnownFlags) == 0 && options.reserved == 0 &&
         options.max_connections <= kMaxConnections && options.local_entries <= kMaxLocalEntries;
}

FastPath::Options fast_path_of(const claimsd_options& options) {
  return {
      .on = (options.flags & CLAIMSD_NO_FAST_PATH) == 0,
      .local_table = (options.flags & CLAIMSD_NO_LOCAL_TABLE) == 0,
      .local_entries = options.local_entries == 0 ? kDefaultLocalEntries : options.local_entries};
}

}  // namespace

Handle::Made Handle::create(const claimsd_options& options) {
  const char* const path =
      options.socket_path == nullptr ? CLAIMSD_DEFAULT_SOCKET : options.socket_path;
  if (!are_valid(options) || !address_.set(path, options.daemon_uid) ||
      !copy_text(options.client_name, client_name_) ||
      !copy_text(options.upstream_url, upstream_url_)) {
    return Made::kBadArgument;
  }
  uid_ = geteuid();
  fast_path_.create(fast_path_of(options));
  timeout_ms_ = options.timeout_ms == 0 ? CLAIMSD_DEFAULT_TIMEOUT_MS : options.timeout_ms;
  const std::uint32_t connections =
      options.max_connections == 0 ? kDefaultConnections : options.max_connections;
  switch (guard_.create()) {
    case ForkGuard::Created::kNoMemory: return Made::kNoMemory;
    case ForkGuard::Created::kNoMethod: return Made::kNoForkGuard;
    case ForkGuard::Created::kYes: break;
  }
  return pool_.create(connections) ? Made::kYes : Made::kNoMemory;
}

void Handle::welcome(const proto::Welcome& message, OwnedFd map) {
  welcomed_.store(true, std::memory_order_release);
  may_take_reports_.store((message.features & proto::kFeatureReports) != 0,
                          std::memory_order_relaxed);
  fast_path_.welcome(message, std::move(map));
  fetch_map_at_ns_.store(fast_path_.map_was_missed() ? now_ns() + kMapRetryNs : INT64_MAX,
                         std::memory_order_relaxed);
}

uid_t Handle::current_uid() {
  const uid_t uid = geteuid();
  if (uid_.load(std::memory_order_relaxed) != uid && uid_.exchange(uid) != uid) {
    fast_path_.forget_map();
  }
  return uid;
}

bool Handle::should_fetch_map() {
  std::int64_t at = fetch_map_at_ns_.load(std::memory_order_relaxed);
  return at != INT64_MAX && now_ns() >= at &&
         fetch_map_at_ns_.compare_exchange_strong(at, INT64_MAX, std::memory_order_relaxed);
}

void Handle::count(claimsd_statistics& out) const {
  fast_path_.count(out);
  out.socket_questions = socket_questions_.load(std::memory_order_relaxed);
  out.reports_recorded = reports_.recorded();
  out.reports_lost = reports_.lost();
}

}  // namespace claimsd::client_impl

using claimsd::client_impl::Handle;

claimsd_result claimsd_open(const claimsd_options* options, claimsd_handle** out) {
  if (out == nullptr) return CLAIMSD_BAD_ARGUMENT;
  *out = nullptr;
  claimsd_options known = CLAIMSD_OPTIONS_INIT;
  constexpr std::size_t kOldest = offsetof(claimsd_options, flags) + sizeof known.flags;
  if (options != nullptr && !claimsd::client_impl::copy_sized(options, kOldest, known)) {
    return CLAIMSD_BAD_ARGUMENT;
  }
  const claimsd::client_impl::CancelDisabled cancel_disabled;
  auto made = claimsd::client_impl::make_owned<claimsd_handle>();
  if (!made) return CLAIMSD_NO_MEMORY;
  switch (made->handle.create(known)) {
    case Handle::Made::kBadArgument: return CLAIMSD_BAD_ARGUMENT;
    case Handle::Made::kNoMemory: return CLAIMSD_NO_MEMORY;
    case Handle::Made::kNoForkGuard: return CLAIMSD_UNAVAILABLE;
    case Handle::Made::kYes: break;
  }
  *out = made.release();
  return CLAIMSD_OK;
}

claimsd_result claimsd_read_statistics(claimsd_handle* handle, claimsd_statistics* out) {
  constexpr std::size_t kOldest = offsetof(claimsd_statistics, map_text) + sizeof out->map_text;
  if (handle == nullptr || out == nullptr ||
      !claimsd::client_impl::is_struct_size(out->size, kOldest)) {
    return CLAIMSD_BAD_ARGUMENT;
  }
  const claimsd::client_impl::CancelDisabled cancel_disabled;
  if (handle->handle.enter()) handle->handle.report_lane().settle();
  claimsd_statistics counted{};
  counted.size = sizeof counted;
  handle->handle.count(counted);
  const std::size_t size = out->size < sizeof counted ? out->size : sizeof counted;
  std::memcpy(out, &counted, size);
  out->size = size;
  return CLAIMSD_OK;
}

void claimsd_close(claimsd_handle* handle) {
  const claimsd::client_impl::CancelDisabled cancel_disabled;
  const claimsd::client_impl::Owned<claimsd_handle> closing(handle);
}
