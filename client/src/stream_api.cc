// The C ABI of streams. A lock serializes the calls of threads that share one.
#include "client/src/cancel_disabled.h"
#include "client/src/stream.h"

namespace client = claimsd::client;

namespace {

// Runs `call` on the stream under its lock. CLAIMSD_BAD_ARGUMENT for a null stream and for one
// inherited across fork(), whose lock may be held by a thread that does not exist here.
template <class Call>
claimsd_result run(claimsd_stream* stream, Call&& call) {
  if (stream == nullptr || stream->stream.inherited()) return CLAIMSD_BAD_ARGUMENT;
  const client::CancelDisabled cancel_disabled;
  const client::Locked locked(stream->mutex);
  return call(stream->stream);
}

}  // namespace

claimsd_result claimsd_stream_open(claimsd_handle* handle, claimsd_stream** out) {
  if (out == nullptr) return CLAIMSD_BAD_ARGUMENT;
  *out = nullptr;
  if (handle == nullptr) return CLAIMSD_BAD_ARGUMENT;
  const client::CancelDisabled cancel_disabled;
  auto made = client::make_owned<claimsd_stream>(*handle);
  if (!made) return CLAIMSD_NO_MEMORY;
  const claimsd_result result = made->stream.create();
  if (result == CLAIMSD_OK) {
    *out = made.release();
  } else {
    claimsd_stream_close(made.release());
  }
  return result;
}

void claimsd_stream_close(claimsd_stream* stream) {
  if (stream == nullptr) return;
  const client::CancelDisabled cancel_disabled;
  claimsd_handle* const handle = stream->handle;
  client::Owned<claimsd_stream>(stream).reset(nullptr);
  claimsd_close(handle);
}

int claimsd_stream_fd(const claimsd_stream* stream) {
  return stream == nullptr ? -1 : stream->stream.fd();
}

claimsd_result claimsd_stream_send(claimsd_stream* stream, const claimsd_query_request* request,
                                   uint64_t tag) {
  return run(stream, [&](client::Stream& own) { return own.send(request, tag); });
}

claimsd_result claimsd_stream_report(claimsd_stream* stream,
                                     const claimsd_report_request* report_request, uint64_t tag) {
  return run(stream, [&](client::Stream& own) { return own.report(report_request, tag); });
}

claimsd_result claimsd_stream_receive(claimsd_stream* stream, uint64_t* tag, claimsd_answer** out) {
  if (out != nullptr) *out = nullptr;
  return run(stream, [&](client::Stream& own) { return own.receive(tag, out); });
}

claimsd_result claimsd_stream_cancel(claimsd_stream* stream, uint64_t tag) {
  return run(stream, [&](client::Stream& own) { return own.cancel(tag); });
}

size_t claimsd_stream_pending(const claimsd_stream* stream) {
  size_t pending = 0;
  // `run` changes nothing but the lock.
  run(const_cast<claimsd_stream*>(stream), [&pending](const client::Stream& own) {
    pending = own.pending();
    return CLAIMSD_OK;
  });
  return pending;
}
