#include "client/src/fork_guard.h"

#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <new>

#include "client/src/random.h"

namespace claimsd::client {
namespace {

// A timer's interval is returned exactly as it was set, so that is where the secret is. The timer
// does not fire within the life of a process, and sends no signal if it does.
constexpr std::int64_t kIntervalSeconds = 1'000'000'000;  // 31 years
constexpr std::uint64_t kSecretBits = 29;                 // below a second, in nanoseconds
constexpr std::uint64_t kSecretMask = (std::uint64_t{1} << kSecretBits) - 1;
constexpr unsigned kNumberBits = 32;

std::size_t page_size() {
  return static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

timer_t number_of(std::uint64_t mark) {
  // timer_create(2) numbers timers; glibc passes the number as a pointer.
  return reinterpret_cast<timer_t>(  // NOLINT(performance-no-int-to-ptr)
      static_cast<std::uintptr_t>(mark & UINT32_MAX));
}

// 0 when the process may not have a timer.
std::uint64_t make_timer() {
  std::uint64_t secret = 0;
  if (!read_random(&secret, sizeof secret)) return 0;
  secret = (secret & kSecretMask) | 1;  // a mark is never 0, which is kWiped
  sigevent silent{};
  silent.sigev_notify = SIGEV_NONE;
  timer_t timer{};
  if (timer_create(CLOCK_MONOTONIC, &silent, &timer) != 0) return 0;
  const auto number = reinterpret_cast<std::uintptr_t>(timer);
  const timespec interval{.tv_sec = kIntervalSeconds, .tv_nsec = static_cast<long>(secret)};
  const itimerspec setting{.it_interval = interval, .it_value = interval};
  // The kernel's numbers are small. (glibc's timers are pointers only with SIGEV_THREAD.)
  if (number > UINT32_MAX || timer_settime(timer, 0, &setting, nullptr) != 0) {
    timer_delete(timer);
    return 0;
  }
  return secret << kNumberBits | number;
}

bool shows_secret(std::uint64_t mark) {
  itimerspec seen{};
  if (timer_gettime(number_of(mark), &seen) != 0) return false;
  const std::uint64_t secret = mark >> kNumberBits & kSecretMask;
  return seen.it_interval.tv_sec == kIntervalSeconds &&
         static_cast<std::uint64_t>(seen.it_interval.tv_nsec) == secret;
}

}  // namespace

ForkGuard::~ForkGuard() {
  if (word_ == nullptr) return;
  const std::uint64_t mark = word_->load(std::memory_order_relaxed);
  if (method_ == Method::kTimer && is_our_timer(mark)) timer_delete(number_of(mark));
  munmap(word_, page_size());
}

ForkGuard::Created ForkGuard::create(Method method) {
  void* const page =
      mmap(nullptr, page_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return Created::kNoMemory;
  word_ = new (page) std::atomic<std::uint64_t>(kPageMark);
  const bool wiped =
      method == Method::kWipedPage && madvise(page, page_size(), MADV_WIPEONFORK) == 0;
  if (wiped) return Created::kYes;
  method_ = Method::kTimer;
  const std::uint64_t mark = make_timer();
  word_->store(mark, std::memory_order_release);
  return mark == 0 ? Created::kNoMethod : Created::kYes;
}

bool ForkGuard::is_our_timer(std::uint64_t word) {
  return (word & kResetting) == 0 && shows_secret(word);
}

bool ForkGuard::is_inherited(std::uint64_t word) const {
  return method_ == Method::kWipedPage ? word == kWiped : !shows_secret(word);
}

ForkGuard::Claim ForkGuard::claim() {
  std::uint64_t seen = word_->load(std::memory_order_acquire);
  while (!is_inherited(seen)) {
    if ((seen & kResetting) == 0) return Claim::kSettled;
    sched_yield();
    seen = word_->load(std::memory_order_acquire);
  }
  const std::uint64_t mark = method_ == Method::kWipedPage ? kPageMark : make_timer();
  if (mark == 0) return Claim::kFailed;
  if (word_->compare_exchange_strong(seen, mark | kResetting, std::memory_order_acq_rel)) {
    return Claim::kOurs;
  }
  if (method_ == Method::kTimer) timer_delete(number_of(mark));
  return claim();  // another thread was first
}

}  // namespace claimsd::client
