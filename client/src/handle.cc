#include "client/src/handle.h"

#include <unistd.h>

#include <cstddef>

#include "client/src/cancel_disabled.h"
#include "client/src/sized_struct.h"

namespace claimsd::client {
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

constexpr std::uint32_t kKnownFlags = CLAIMSD_SOCKET_ONLY | CLAIMSD_NO_LOCAL_TABLE;

constexpr char kNoMemoryProblem[] = "this process is out of memory";
constexpr char kPathProblem[] = "socket_path: 1 to 107 bytes";
constexpr char kNameProblem[] = "client_name: at most 64 bytes";
constexpr char kUrlProblem[] = "upstream_url: at most 1,024 bytes";
static_assert(proto::kMaxName == 64 && proto::kMaxUrl == 1024);

// Which number is out of range; null if none is.
const char* problem_of(const claimsd_options& options) {
  if ((options.flags & ~kKnownFlags) != 0) {
    return "flags: only CLAIMSD_SOCKET_ONLY and CLAIMSD_NO_LOCAL_TABLE";
  }
  if (options.reserved != 0) return "reserved: must be 0";
  if (options.max_connections > kMaxConnections) return "max_connections: at most 1,024";
  if (options.local_entries > kMaxLocalEntries) return "local_entries: at most 65,536";
  return nullptr;
}

LocalLookup::Options local_lookup_of(const claimsd_options& options) {
  return {
      .on = (options.flags & CLAIMSD_SOCKET_ONLY) == 0,
      .local_table = (options.flags & CLAIMSD_NO_LOCAL_TABLE) == 0,
      .local_entries = options.local_entries == 0 ? kDefaultLocalEntries : options.local_entries};
}

}  // namespace

claimsd_result Handle::create(const claimsd_options& options, const char*& problem) {
  const char* const path =
      options.socket_path == nullptr ? CLAIMSD_DEFAULT_SOCKET : options.socket_path;
  problem = problem_of(options);
  if (!address_.set(path, options.daemon_uid)) problem = kPathProblem;
  if (!copy_text(options.client_name, client_name_)) problem = kNameProblem;
  if (!copy_text(options.upstream_url, upstream_url_)) problem = kUrlProblem;
  if (problem != nullptr) return CLAIMSD_BAD_ARGUMENT;

  problem = kNoMemoryProblem;
  const std::uint32_t connections =
      options.max_connections == 0 ? kDefaultConnections : options.max_connections;
  if (!pool_.create(connections)) return CLAIMSD_NO_MEMORY;
  switch (guard_.create()) {
    case ForkGuard::Created::kNoMemory: return CLAIMSD_NO_MEMORY;
    case ForkGuard::Created::kNoMethod:
      problem =
          "this process cannot detect fork(): the kernel or a seccomp policy must allow "
          "madvise(MADV_WIPEONFORK) or timer_create";
      return CLAIMSD_UNAVAILABLE;
    case ForkGuard::Created::kYes: break;
  }
  uid_ = geteuid();
  local_lookup_.create(local_lookup_of(options));
  timeout_ms_ = options.timeout_ms == 0 ? CLAIMSD_DEFAULT_TIMEOUT_MS : options.timeout_ms;
  problem = nullptr;
  return CLAIMSD_OK;
}

void destroy(Handle& handle) {
  // The handle was allocated as a claimsd_handle, which has nothing else in it.
  static_assert(sizeof(claimsd_handle) == sizeof(Handle));
  const CancelDisabled cancel_disabled;
  const Owned<Handle> closing(&handle);
}

void Handle::welcome(const proto::Welcome& message, OwnedFd map) {
  welcomed_.store(true, std::memory_order_release);
  may_take_reports_.store((message.features & proto::kFeatureReports) != 0,
                          std::memory_order_relaxed);
  local_lookup_.welcome(message, std::move(map));
  fetch_map_at_ns_.store(local_lookup_.map_was_missed() ? now_ns() + kMapRetryNs : INT64_MAX,
                         std::memory_order_relaxed);
}

uid_t Handle::current_uid() {
  const uid_t uid = geteuid();
  if (uid_.load(std::memory_order_relaxed) != uid && uid_.exchange(uid) != uid) {
    local_lookup_.forget_map();
  }
  return uid;
}

bool Handle::should_fetch_map() {
  std::int64_t at = fetch_map_at_ns_.load(std::memory_order_relaxed);
  return at != INT64_MAX && now_ns() >= at &&
         fetch_map_at_ns_.compare_exchange_strong(at, INT64_MAX, std::memory_order_relaxed);
}

std::uint32_t Handle::take_local_hits(std::int64_t now) {
  std::int64_t at = count_hits_at_ns_.load(std::memory_order_relaxed);
  if (now < at || !count_hits_at_ns_.compare_exchange_strong(at, now + kLocalHitsIntervalNs))
    return 0;
  const std::uint64_t hits = local_lookup_.hits();
  const std::uint64_t taken = taken_hits_.exchange(hits, std::memory_order_relaxed);
  const std::uint64_t untaken = hits > taken ? hits - taken : 0;
  return untaken < UINT32_MAX ? static_cast<std::uint32_t>(untaken) : UINT32_MAX;
}

void Handle::count(claimsd_statistics& out) const {
  local_lookup_.count(out);
  out.socket_queries = socket_queries_.load(std::memory_order_relaxed);
  out.reports_recorded = reports_.recorded();
  out.reports_lost = reports_.lost();
}

}  // namespace claimsd::client

claimsd_result claimsd_open(const claimsd_options* options, claimsd_handle** out,
                            const char** problem) {
  const char* unwanted = nullptr;
  const char*& why_not = problem == nullptr ? unwanted : *problem;
  why_not = "out: must not be NULL";
  if (out == nullptr) return CLAIMSD_BAD_ARGUMENT;
  *out = nullptr;
  claimsd_options known = CLAIMSD_OPTIONS_INIT;
  constexpr std::size_t kOldest = offsetof(claimsd_options, flags) + sizeof known.flags;
  why_not = "size: initialize the options with CLAIMSD_OPTIONS_INIT";
  if (options != nullptr && !claimsd::client::copy_sized(options, kOldest, known)) {
    return CLAIMSD_BAD_ARGUMENT;
  }
  const claimsd::client::CancelDisabled cancel_disabled;
  why_not = claimsd::client::kNoMemoryProblem;
  auto made = claimsd::client::make_owned<claimsd_handle>();
  if (!made) return CLAIMSD_NO_MEMORY;
  const claimsd_result result = made->handle.create(known, why_not);
  if (result == CLAIMSD_OK) *out = made.release();
  return result;
}

claimsd_result claimsd_read_statistics(claimsd_handle* handle, claimsd_statistics* out) {
  constexpr std::size_t kOldest = offsetof(claimsd_statistics, map_text) + sizeof out->map_text;
  if (handle == nullptr || out == nullptr || !claimsd::client::is_struct_size(out->size, kOldest)) {
    return CLAIMSD_BAD_ARGUMENT;
  }
  const claimsd::client::CancelDisabled cancel_disabled;
  if (handle->handle.enter()) handle->handle.async_reporter().settle();
  claimsd_statistics counted{};
  counted.size = sizeof counted;
  handle->handle.count(counted);
  const std::size_t size = out->size < sizeof counted ? out->size : sizeof counted;
  std::memcpy(out, &counted, size);
  out->size = size;
  return CLAIMSD_OK;
}

claimsd_handle* claimsd_retain(claimsd_handle* handle) {
  if (handle != nullptr) handle->handle.references().add_owner();
  return handle;
}

void claimsd_close(claimsd_handle* handle) {
  // In a forked child enter() drops the count of the parent's calls.
  if (handle == nullptr || !handle->handle.enter()) return;
  if (handle->handle.references().remove_owner()) claimsd::client::destroy(handle->handle);
}
