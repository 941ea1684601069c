// deferred_response.h: a response that is completed later, for example when the disk has confirmed
// an order. Shared by its producer and the HTTP server; loop thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "daemon/http/message.h"

namespace claimsd::http {

class DeferredResponse {
 public:
  using Send = std::function<void(Response)>;

  // Call once, before or after when_ready().
  void fulfil(Response response) {
    if (send_) {
      std::exchange(send_, nullptr)(std::move(response));
    } else {
      response_ = std::move(response);
    }
  }
  // The client has left: nothing is sent any more. Calls on_abandoned(), which may release what waits.
  void abandon() {
    send_ = nullptr;
    if (abandoned_) std::exchange(abandoned_, nullptr)();
  }
  void on_abandoned(std::function<void()> callback) { abandoned_ = std::move(callback); }
  bool ready() const { return response_.has_value(); }
  Response take() { return std::move(response_).value(); }
  // `send` is called once, later. Do not call this if the response is ready().
  void when_ready(Send send) { send_ = std::move(send); }

 private:
  std::optional<Response> response_;
  Send send_;
  std::function<void()> abandoned_;
};

// The response itself if it is ready, otherwise one that follows.
inline Response response_of(std::shared_ptr<DeferredResponse> later) {
  if (later->ready()) return later->take();
  Response response;
  response.later = std::move(later);
  return response;
}

}  // namespace claimsd::http
