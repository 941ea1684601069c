#include "daemon/upstream/curl_multi.h"

#include <unistd.h>

namespace claimsd::daemon {
namespace {

// How often curl may ask to be called again at once before the loop gets a turn.
constexpr int kMaxKicks = 64;

}  // namespace

CurlMulti::CurlMulti(Loop& loop, Log& log, Done done)
    : loop_(loop),
      log_(log),
      done_(std::move(done)),
      timer_(loop, [this] { act(CURL_SOCKET_TIMEOUT, 0); }) {}

Result<std::unique_ptr<CurlMulti>> CurlMulti::create(Loop& loop, long pool, Log& log, Done done) {
  std::unique_ptr<CurlMulti> self(new CurlMulti(loop, log, std::move(done)));
  self->multi_.reset(curl_multi_init());
  CURLM* multi = self->multi_.get();
  // CURLMOPT_MAX_HOST_CONNECTIONS stays unset: curl's own queue of pending transfers does not heed
  // their deadlines. The Fetcher queues.
  if (multi == nullptr ||
      curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket) != CURLM_OK ||
      curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, self.get()) != CURLM_OK ||
      curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer) != CURLM_OK ||
      curl_multi_setopt(multi, CURLMOPT_TIMERDATA, self.get()) != CURLM_OK ||
      curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, pool) != CURLM_OK) {
    return failure("cannot set up libcurl's multi interface: out of memory?");
  }
  return self;
}

CurlMulti::~CurlMulti() = default;

CURLcode CurlMulti::attach(CURL* easy) {
  const CURLcode code = curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close);
  return code != CURLE_OK ? code : curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, this);
}

bool CurlMulti::add(CURL* easy) {
  if (curl_multi_add_handle(multi_.get(), easy) != CURLM_OK) return false;
  // Now, not a turn of the loop later; where act() is running already, it goes on with this one.
  if (!driving_) act(CURL_SOCKET_TIMEOUT, 0);
  return true;
}

void CurlMulti::remove(CURL* easy) {
  curl_multi_remove_handle(multi_.get(), easy);
}

int CurlMulti::on_socket(CURL* /*easy*/, curl_socket_t fd, int what, void* self, void* /*unused*/) {
  return static_cast<CurlMulti*>(self)->watch(fd, what);
}

int CurlMulti::watch(curl_socket_t fd, int what) {
  auto found = polls_.find(fd);
  if (what == CURL_POLL_REMOVE) {
    if (found != polls_.end()) found->second.stop();
    return 0;
  }
  if (found == polls_.end()) {
    Result<Poll> poll = Poll::create(loop_, fd, [this, fd](const PollEvents& events) {
      int mask = (events.readable ? CURL_CSELECT_IN : 0) | (events.writable ? CURL_CSELECT_OUT : 0);
      if (events.error != 0) mask = CURL_CSELECT_IN | CURL_CSELECT_OUT | CURL_CSELECT_ERR;
      act(fd, mask);
    });
    if (!poll) {
      log_.error("fetch_poll", "{}", poll.error().message);
      return -1;
    }
    found = polls_.emplace(fd, std::move(*poll)).first;
  }
  const bool started = found->second
                           .start(what == CURL_POLL_IN || what == CURL_POLL_INOUT,
                                  what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
                           .has_value();
  return started ? 0 : -1;
}

int CurlMulti::on_close(void* self, curl_socket_t fd) {
  static_cast<CurlMulti*>(self)->polls_.erase(fd);
  return close(fd);
}

int CurlMulti::on_timer(CURLM* /*multi*/, long timeout_ms, void* raw) {
  auto* self = static_cast<CurlMulti*>(raw);
  self->kicked_ = timeout_ms == 0;
  if (timeout_ms > 0) {
    self->timer_.start(milliseconds(timeout_ms));
  } else {
    self->timer_.stop();
  }
  return 0;
}

void CurlMulti::act(curl_socket_t fd, int events) {
  driving_ = true;
  kicked_ = false;
  call(fd, events);
  report();
  for (int kicks = 0; kicked_ && kicks < kMaxKicks; ++kicks) {
    kicked_ = false;
    call(CURL_SOCKET_TIMEOUT, 0);
    report();
  }
  if (kicked_) timer_.start(milliseconds(1));
  driving_ = false;
}

void CurlMulti::call(curl_socket_t fd, int events) {
  int running = 0;
  const CURLMcode code = curl_multi_socket_action(multi_.get(), fd, events, &running);
  if (code != CURLM_OK) log_.error("fetch_multi", "libcurl failed: {}", curl_multi_strerror(code));
}

void CurlMulti::report() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    // Removing the handle frees the message.
    CURL* easy = message->easy_handle;
    const CURLcode code = message->data.result;
    curl_multi_remove_handle(multi_.get(), easy);
    done_(easy, code);
  }
}

}  // namespace claimsd::daemon
