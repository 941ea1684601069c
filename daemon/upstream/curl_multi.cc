#include "daemon/upstream/curl_multi.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

namespace claimsd::upstream {
namespace {

// How often curl may ask to be called again immediately before the loop continues.
constexpr int kMaxKicks = 64;

}  // namespace

CurlMulti::CurlMulti(loop::Loop& loop, Log& log, Done done)
    : loop_(loop), log_(log), done_(std::move(done)) {}

Result<std::unique_ptr<CurlMulti>> CurlMulti::create(loop::Loop& loop, long pool, Log& log,
                                                     Done done, const UnixPeer* peer) {
  std::unique_ptr<CurlMulti> self(new CurlMulti(loop, log, std::move(done)));
  self->peer_ = peer;
  self->timer_ = TRY(loop::TimerFd::create(loop, [raw = self.get()] { raw->wake(); }));
  self->nudge_ = TRY(loop::TimerFd::create(loop, [raw = self.get()] { raw->nudge(); }));
  self->multi_.reset(curl_multi_init());
  CURLM* multi = self->multi_.get();
  // CURLMOPT_MAX_HOST_CONNECTIONS stays unset: curl's own queue ignores deadlines. The Fetcher
  // queues.
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
  CURLcode code = curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
  if (code == CURLE_OK) code = curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, this);
  if (code == CURLE_OK) code = curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_request);
  if (code == CURLE_OK) code = curl_easy_setopt(easy, CURLOPT_PREREQDATA, this);
  if (code == CURLE_OK) code = curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close);
  return code != CURLE_OK ? code : curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, this);
}

bool CurlMulti::add(CURL* easy) {
  if (curl_multi_add_handle(multi_.get(), easy) != CURLM_OK) return false;
  // Drive it now, not one iteration later. If act() is already running, it includes this one.
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
  if (what == CURL_POLL_REMOVE) {
    unwatch(fd);
    return 0;
  }
  Result<Watched*> found = watched(fd);
  if (!found) {
    log_.error("fetch_poll", "{}", found.error().message);
    return -1;
  }
  Watched& socket = **found;
  socket.wanted = what;
  // While it connects, curl only waits for the socket to become writable.
  if (what != CURL_POLL_OUT) connecting_.erase(fd);
  if (socket.started == what) return 0;
  const bool started = socket.poll
                           .start(what == CURL_POLL_IN || what == CURL_POLL_INOUT,
                                  what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
                           .has_value();
  socket.started = started ? what : CURL_POLL_NONE;
  return started ? 0 : -1;
}

void CurlMulti::unwatch(curl_socket_t fd) {
  if (connecting_.contains(fd)) {
    // Its address was given up, and the socket may already be closed.
    forget(fd);
    return;
  }
  const auto found = polls_.find(fd);
  if (found == polls_.end()) return;
  Watched& socket = found->second;
  socket.wanted = CURL_POLL_NONE;
  // Otherwise a writable socket would wake us at once.
  if (socket.started == CURL_POLL_IN && opened_.contains(fd)) return;
  socket.poll.stop();
  socket.started = CURL_POLL_NONE;
}

Result<CurlMulti::Watched*> CurlMulti::watched(curl_socket_t fd) {
  const auto found = polls_.find(fd);
  if (found != polls_.end()) return &found->second;
  loop::Poll poll = TRY(loop::Poll::create(
      loop_, fd, [this, fd](const loop::PollEvents& events) { ready(fd, events); }));
  return &polls_.emplace(fd, Watched{std::move(poll)}).first->second;
}

void CurlMulti::ready(curl_socket_t fd, const loop::PollEvents& events) {
  Watched& socket = polls_.at(fd);
  if (events.error != 0) socket.started = CURL_POLL_NONE;
  if (socket.wanted == CURL_POLL_NONE) {
    // Between requests: most likely the connection was closed, which curl finds at its next check.
    socket.poll.stop();
    socket.started = CURL_POLL_NONE;
    return;
  }
  int mask = (events.readable ? CURL_CSELECT_IN : 0) | (events.writable ? CURL_CSELECT_OUT : 0);
  if (events.error != 0) mask = CURL_CSELECT_IN | CURL_CSELECT_OUT | CURL_CSELECT_ERR;
  act(fd, mask);
}

curl_socket_t CurlMulti::on_open(void* raw, curlsocktype /*purpose*/, curl_sockaddr* to) {
  auto* self = static_cast<CurlMulti*>(raw);
  const int fd = socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
  if (fd < 0) {
    self->nudge_->start(Duration(0));
    return CURL_SOCKET_BAD;
  }
  self->opened_[fd] = loop::Loop::hrtime();
  self->connecting_.insert(fd);
  if (self->peer_ != nullptr) self->unchecked_.insert(fd);
  return fd;
}

int CurlMulti::on_request(void* raw, char* /*peer*/, char* /*local*/, int /*peer_port*/,
                          int /*local_port*/) {
  return static_cast<CurlMulti*>(raw)->check_peers() ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

// curl does not say which connection the request will use, but a new one is among these.
bool CurlMulti::check_peers() {
  for (const curl_socket_t fd : unchecked_) {
    const Status trusted = peer_->check(fd);
    if (trusted) continue;
    log_.error("upstream_socket", "{}", trusted.error().message);
    return false;
  }
  unchecked_.clear();
  return true;
}

int CurlMulti::on_close(void* raw, curl_socket_t fd) {
  auto* self = static_cast<CurlMulti*>(raw);
  self->forget(fd);
  return close(fd);
}

void CurlMulti::forget(curl_socket_t fd) {
  polls_.erase(fd);
  opened_.erase(fd);
  unchecked_.erase(fd);
  if (connecting_.erase(fd) != 0) nudge_->start(Duration(0));
}

int CurlMulti::on_timer(CURLM* /*multi*/, long timeout_ms, void* raw) {
  auto* self = static_cast<CurlMulti*>(raw);
  self->kicked_ = timeout_ms == 0;
  self->due_.reset();
  if (timeout_ms > 0) self->wake_at(loop::Loop::hrtime() + milliseconds(timeout_ms));
  return 0;
}

// curl changes its timeout several times per request, nearly always to a later one than the
// timer's.
void CurlMulti::wake_at(Duration due) {
  due_ = due;
  if (timer_->active() && armed_ <= due) return;
  armed_ = due;
  timer_->start(std::max(Duration(0), due - loop::Loop::hrtime()));
}

void CurlMulti::wake() {
  if (!due_) return;
  if (*due_ > loop::Loop::hrtime()) return wake_at(*due_);
  due_.reset();
  act(CURL_SOCKET_TIMEOUT, 0);
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
  if (kicked_) wake_at(loop::Loop::hrtime() + milliseconds(1));
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
    const Duration age = age_of(easy);  // curl forgets the connection when the handle is removed
    curl_multi_remove_handle(multi_.get(), easy);
    done_(easy, code, age);
  }
}

Duration CurlMulti::age_of(CURL* easy) const {
  curl_socket_t fd = CURL_SOCKET_BAD;
  curl_easy_getinfo(easy, CURLINFO_ACTIVESOCKET, &fd);
  const auto found = opened_.find(fd);
  return found == opened_.end() ? Duration::max() : loop::Loop::hrtime() - found->second;
}

void CurlMulti::nudge() {
  driving_ = true;
  kicked_ = false;
  call_all();
  report();
  driving_ = false;
  if (kicked_) act(CURL_SOCKET_TIMEOUT, 0);
}

// Deprecated because it takes long with many transfers, but nothing else runs one without a socket.
void CurlMulti::call_all() {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  int running = 0;
  const CURLMcode code = curl_multi_socket_all(multi_.get(), &running);
#pragma GCC diagnostic pop
  if (code != CURLM_OK) log_.error("fetch_multi", "libcurl failed: {}", curl_multi_strerror(code));
}

}  // namespace claimsd::upstream
