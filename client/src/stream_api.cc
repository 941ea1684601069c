// The C ABI of streams.
#include "client/src/cancel_disabled.h"
#include "client/src/stream.h"

namespace client = claimsd::client;

namespace {

// Null for a null stream and for one inherited across fork().
client::Stream* usable(claimsd_stream* stream) {
  return stream == nullptr || stream->stream.inherited() ? nullptr : &stream->stream;
}

}  // namespace

claimsd_result claimsd_stream_open(claimsd_handle* handle, claimsd_stream** out) {
  const client::CancelDisabled cancel_disabled;
  if (out == nullptr) return CLAIMSD_BAD_ARGUMENT;
  *out = nullptr;
  if (handle == nullptr) return CLAIMSD_BAD_ARGUMENT;
  auto made = client::make_owned<claimsd_stream>(handle->handle);
  if (!made) return CLAIMSD_NO_MEMORY;
  const claimsd_result result = made->stream.create();
  if (result == CLAIMSD_OK) *out = made.release();
  return result;
}

void claimsd_stream_close(claimsd_stream* stream) {
  const client::CancelDisabled cancel_disabled;
  const client::Owned<claimsd_stream> closing(stream);
}

int claimsd_stream_fd(const claimsd_stream* stream) {
  return stream == nullptr ? -1 : stream->stream.fd();
}

claimsd_result claimsd_stream_send(claimsd_stream* stream, const claimsd_query_request* request,
                                   uint64_t tag) {
  const client::CancelDisabled cancel_disabled;
  client::Stream* const usable_stream = usable(stream);
  return usable_stream == nullptr ? CLAIMSD_BAD_ARGUMENT : usable_stream->send(request, tag);
}

claimsd_result claimsd_stream_report(claimsd_stream* stream,
                                     const claimsd_report_request* report_request, uint64_t tag) {
  const client::CancelDisabled cancel_disabled;
  client::Stream* const usable_stream = usable(stream);
  return usable_stream == nullptr ? CLAIMSD_BAD_ARGUMENT
                                  : usable_stream->report(report_request, tag);
}

claimsd_result claimsd_stream_receive(claimsd_stream* stream, uint64_t* tag, claimsd_answer** out) {
  const client::CancelDisabled cancel_disabled;
  if (out != nullptr) *out = nullptr;
  client::Stream* const usable_stream = usable(stream);
  return usable_stream == nullptr ? CLAIMSD_BAD_ARGUMENT : usable_stream->receive(tag, out);
}

size_t claimsd_stream_pending(const claimsd_stream* stream) {
  return stream == nullptr ? 0 : stream->stream.pending();
}
