#include "daemon/fleet/bus_thread.h"

#include <errno.h>
#include <fmt/core.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>

#include <system_error>

#include "daemon/base/random.h"
#include "daemon/fleet/bus_session.h"
#include "daemon/loop/signals_blocked.h"

namespace claimsd::fleet {
namespace {

constexpr Duration kFirstDelay = milliseconds(50);
constexpr Duration kLongestDelay = seconds(1);
// After these the bus looks for entries again.
constexpr std::size_t kCommandsAtOnce = 64;
constexpr std::size_t kBytesAtOnce = 256 * 1024;

// Between half of `most` and `most`: hosts do not reconnect all at once.
Duration jittered(Duration most, Random& random) {
  std::uint32_t number = 0;
  random.fill(&number, sizeof number);
  return most / 2 + (most / 2) * (number % 1024) / 1024;
}

}  // namespace

BusThread::BusThread(Options options, const Clock& clock, EventQueue::Consume consume)
    : options_(std::move(options)),
      keys_(options_.fleet),
      clock_(clock),
      consume_(std::move(consume)),
      stop_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

Result<std::unique_ptr<BusThread>> BusThread::create(Options options, loop::Loop& loop,
                                                     const Clock& clock,
                                                     EventQueue::Consume consume) {
  std::unique_ptr<BusThread> self(new BusThread(std::move(options), clock, std::move(consume)));
  TRY(self->start(loop));
  return self;
}

Status BusThread::start(loop::Loop& loop) {
  if (!stop_ || !wake_) return failure(fmt::format("eventfd: {}", strerrordesc_np(errno)));
  events_ = TRY(EventQueue::create(loop, [this](BusEvent&& event) { take(std::move(event)); }));
  const loop::SignalsBlocked blocked;
  try {
    thread_ = std::thread([this] { run(); });
  } catch (const std::system_error& error) {
    return failure(fmt::format("cannot start the bus thread: {}; raise TasksMax", error.what()));
  }
  return {};
}

BusThread::~BusThread() {
  if (!thread_.joinable()) return;
  eventfd_write(stop_.get(), 1);
  events_->close();
  thread_.join();
}

void BusThread::send(BusCommand command) {
  if (accepted_ == 0) return;
  const std::size_t bytes = command.bytes();
  const std::lock_guard lock(mutex_);
  if (commands_.size() >= kMaxCommands || command_bytes_ + bytes > kMaxCommandBytes) {
    ++status_.dropped;
    return;
  }
  command_bytes_ += bytes;
  commands_.push_back({accepted_, std::move(command)});
  if (commands_.size() == 1) eventfd_write(wake_.get(), 1);
}

void BusThread::publish(Field item) {
  send({.verb = BusVerb::kPublish, .fields = {std::move(item)}});
}
void BusThread::announce(std::string bytes) {
  send({.verb = BusVerb::kAnnounce, .fields = {{"", std::move(bytes)}}});
}
void BusThread::pulse(std::string bytes) {
  send({.verb = BusVerb::kPulse, .fields = {{"", std::move(bytes)}}});
}
void BusThread::put_row(Field row) {
  send({.verb = BusVerb::kPutRow, .fields = {std::move(row)}});
}
void BusThread::drop_rows(std::vector<std::string> names) {
  send({.verb = BusVerb::kDropRows, .names = std::move(names)});
}
void BusThread::put_items(std::vector<Field> items) {
  send({.verb = BusVerb::kPutItems, .fields = std::move(items)});
}
void BusThread::drop_items(std::vector<std::string> names) {
  send({.verb = BusVerb::kDropItems, .names = std::move(names)});
}
void BusThread::read_items() {
  send({.verb = BusVerb::kReadItems});
}
void BusThread::read_rows() {
  send({.verb = BusVerb::kReadRows});
}
void BusThread::count_items() {
  send({.verb = BusVerb::kCountItems});
}

void BusThread::take(BusEvent&& event) {
  switch (event.kind) {
    case BusEvent::Kind::kConnected:
      accepted_ = event.number;
      status_.connected = true;
      status_.server = event.name;
      status_.excess = event.text;
      status_.error.clear();
      status_.write_error.clear();
      ++status_.connects;
      break;
    case BusEvent::Kind::kDisconnected:
      accepted_ = 0;
      status_.connected = false;
      status_.error = event.text;
      break;
    case BusEvent::Kind::kWriteRefused: status_.write_error = event.text; break;
    case BusEvent::Kind::kPulse: status_.write_error.clear(); break;
    default: break;
  }
  consume_(std::move(event));
}

void BusThread::run() {
  pthread_setname_np(pthread_self(), "claimsd-bus");
  const redis::Wait wait(clock_, stop_.get());
  servers_ = std::make_unique<redis::Servers>(options_.servers, wait);
  SystemRandom random;
  Duration delay = kFirstDelay;
  while (!wait.stopping()) {
    const BootTime started = wait.now();
    const Status ended = serve();
    if (wait.stopping()) return;
    events_->push({.kind = BusEvent::Kind::kDisconnected,
                   .text = ended ? std::string() : ended.error().message,
                   .at = clock_.now()});
    servers_->try_another_first();
    delay =
        wait.now() - started > 2 * kLongestDelay ? kFirstDelay : std::min(2 * delay, kLongestDelay);
    wait.any({}, wait.now() + jittered(delay, random));
  }
}

Status BusThread::serve() {
  const redis::Wait wait(clock_, stop_.get());
  const std::uint64_t session = ++session_;
  BusSession connected = TRY(BusSession::open(*servers_, keys_, wait, [&](BusEvent event) {
    if (event.kind == BusEvent::Kind::kConnected) event.number = session;
    events_->push(std::move(event));
  }));
  while (!wait.stopping()) {
    TRY(connected.step(wake_.get()));
    TRY(connected.execute(take_commands()));
  }
  return {};
}

// The next commands of this session.
std::vector<BusCommand> BusThread::take_commands() {
  std::vector<BusCommand> taken;
  std::size_t taken_bytes = 0;
  const std::lock_guard lock(mutex_);
  while (!commands_.empty() && taken.size() < kCommandsAtOnce && taken_bytes < kBytesAtOnce) {
    Queued& next = commands_.front();
    const std::size_t bytes = next.command.bytes();
    command_bytes_ -= bytes;
    taken_bytes += bytes;
    if (next.session == session_) taken.push_back(std::move(next.command));
    commands_.pop_front();
  }
  if (commands_.empty()) {
    eventfd_t ignored = 0;
    eventfd_read(wake_.get(), &ignored);
  }
  return taken;
}

}  // namespace claimsd::fleet
