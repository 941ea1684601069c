#include "client/src/async_reporter.h"

#include "client/src/cancel_disabled.h"
#include "client/src/stream.h"

namespace claimsd::client {
namespace {

// The limit of unacknowledged reports: a burst arrives while the daemon commits earlier ones.
constexpr std::size_t kMaxUnsettled = 256;

claimsd_result lost(Reason why, claimsd_answer** out) {
  if (out != nullptr) *out = make_answer(lookup_result_of(why));
  return CLAIMSD_UNAVAILABLE;
}

}  // namespace

AsyncReporter::~AsyncReporter() {
  // Clear the member first: in a child that has not used the handle, the destructor calls
  // abandon().
  const Owned<Stream> closing(stream_);
  stream_ = nullptr;
}

// False if out of memory.
bool AsyncReporter::open() {
  if (stream_ != nullptr) return true;
  auto made = make_owned<Stream>(handle_, Stream::Sends::kBehindHello);
  if (!made || made->create() != CLAIMSD_OK) return false;
  stream_ = made.release();
  return true;
}

claimsd_result AsyncReporter::send(const ReportRequest& report_request, claimsd_answer** out) {
  const CancelDisabled cancel_disabled;
  const Locked locked(mutex_);
  if (!open()) {
    handle_.reports().count_lost(0);
    return lost(Reason::kNoResources, out);
  }
  progress(0, nullptr);
  if (stream_->pending() >= kMaxUnsettled) {
    handle_.reports().count_lost(0);
    return lost(Reason::kOverloaded, out);
  }
  const std::uint64_t tag = ++last_tag_;
  if (stream_->report(report_request, tag) != CLAIMSD_OK) return lost(Reason::kNoResources, out);
  const claimsd_result result = progress(tag, out);
  return result == CLAIMSD_AGAIN ? CLAIMSD_SENT : result;
}

// Reads all available receipts. Returns the result of the report `tag`, or CLAIMSD_AGAIN.
claimsd_result AsyncReporter::progress(std::uint64_t tag, claimsd_answer** out) {
  claimsd_result result = CLAIMSD_AGAIN;
  for (;;) {
    std::uint64_t settled = 0;
    claimsd_answer* why_not = nullptr;
    const claimsd_result received = stream_->receive(&settled, &why_not);
    if (received == CLAIMSD_AGAIN) return result;
    if (settled == tag) result = received;
    if (settled == tag && out != nullptr) {
      *out = why_not;
    } else {
      claimsd_answer_free(why_not);
    }
  }
}

void AsyncReporter::settle() {
  const Locked locked(mutex_);
  if (stream_ != nullptr) progress(0, nullptr);
}

void AsyncReporter::abandon() {
  const bool whole = mutex_.try_lock();
  mutex_.renew();
  if (stream_ == nullptr) return;
  stream_->abandon();
  Owned<Stream> inherited(stream_);
  stream_ = nullptr;
  if (!whole) inherited.release();
}

}  // namespace claimsd::client
