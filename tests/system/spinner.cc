// A worker that looks tokens up as fast as it can and counts the results in shared memory. For
// properties of thousands of lookups per second, which cannot be checked by printing each.
//
//   claimsd_spinner SOCKET spin FILE ROW   looks its tokens up in turn until stopped
//   claimsd_spinner SOCKET prefork N       like gunicorn: uses a client, then forks N children
//
// Standard input: lines of TOKEN<tab>ID (the expected user), then an empty line. The program then
// prints "loaded" and waits for a line before it makes a client, and prints "ready" once connected
// and waits again. FILE has rows of kRowSize bytes, shared with the test: row 0 has the test's
// commands; each other row is written by one process only. All times are CLOCK_MONOTONIC in ns.
// CLAIMSD_TIMEOUT_MS in the environment sets the lookup timeout.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <claimsd.hpp>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <string>
#include <vector>

namespace {

using Word = std::atomic<std::uint64_t>;
static_assert(Word::is_always_lock_free && sizeof(Word) == 8);

constexpr std::size_t kRowSize = 128;

struct Orders {
  Word stop;    // not 0: end
  Word moment;  // 0: none
};

// spinners.py has the same names in the same order.
struct Row {
  Word lookups;
  Word local;  // valid answers, by source: local, shared, socket
  Word shared;
  Word socket;
  Word invalid;
  Word unavailable;
  Word wrong;        // valid, but with another user's id
  Word moment;       // the following count from here; a new moment resets them
  Word after;        // began later than it
  Word valid_after;  // how many of these were valid
  // Ended later than it; durations do not include waits for a CPU.
  Word slow_after;          // more than 10 ms
  Word longest_after;       // ns
  Word first_socket_after;  // end of the first valid one over the socket
  Word last_valid;          // start of the last valid lookup
  Word last_map_hit;        // start of the last lookup answered by the map or local table
};
static_assert(sizeof(Row) <= kRowSize && sizeof(Orders) <= kRowSize);

constexpr std::uint64_t kSlow = 10'000'000;

struct Known {
  std::string token;
  std::string id;
};

std::uint64_t now() {
  return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
}

// How long this process was runnable but not running, in ns. Load of the machine is not a property
// of the lookup and is subtracted. 0 if the kernel does not count it.
class WaitedForCpu {
 public:
  WaitedForCpu() : file_(open("/proc/self/schedstat", O_RDONLY | O_CLOEXEC)) {}
  ~WaitedForCpu() { close(file_); }
  WaitedForCpu(const WaitedForCpu&) = delete;
  WaitedForCpu& operator=(const WaitedForCpu&) = delete;

  std::uint64_t read() const {
    char text[64] = {};
    if (pread(file_, text, sizeof text - 1, 0) <= 0) return 0;
    const char* const second = std::strchr(text, ' ');
    return second == nullptr ? 0 : std::strtoull(second, nullptr, 10);
  }

 private:
  int file_;
};

void add(Word& word) {
  word.store(word.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

std::vector<Known> read_tokens() {
  std::vector<Known> tokens;
  for (std::string line; std::getline(std::cin, line) && !line.empty();) {
    const std::size_t tab = line.find('\t');
    tokens.push_back({.token = line.substr(0, tab), .id = line.substr(tab + 1)});
  }
  return tokens;
}

bool say_and_wait(const char* what) {
  std::cout << what << std::endl;
  std::string go;
  return static_cast<bool>(std::getline(std::cin, go));
}

class Control {
 public:
  Control(const std::string& path, std::size_t row) {
    const int file = open(path.c_str(), O_RDWR | O_CLOEXEC);
    const std::size_t size = (row + 1) * kRowSize;
    at_ = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (at_ == MAP_FAILED) throw std::runtime_error("cannot map " + path);
    row_ = reinterpret_cast<Row*>(static_cast<char*>(at_) + row * kRowSize);
  }
  const Orders& orders() const { return *static_cast<const Orders*>(at_); }
  Row& row() const { return *row_; }

 private:
  void* at_;  // mapped until the process ends
  Row* row_;
};

class Spinner {
 public:
  Spinner(const claimsd::Client& client, const Control& control)
      : client_(client), orders_(control.orders()), row_(control.row()) {}

  bool stopped() const { return orders_.stop.load(std::memory_order_relaxed) != 0; }

  void look_up(const Known& known) {
    const bool is_timed = orders_.moment.load(std::memory_order_relaxed) != 0;
    const std::uint64_t waited = is_timed ? waited_.read() : 0;
    const std::uint64_t begin = now();
    const claimsd::Answer answer = client_.query(known.token);
    const std::uint64_t end = now();
    const std::uint64_t for_cpu = is_timed ? waited_.read() - waited : 0;
    const Kind kind = count(answer, known, begin);
    if (follow_moment()) {
      note_end(kind, end, end - begin - std::min(end - begin, for_cpu));
      if (begin > moment_) note_begin(kind);
    }
    add(row_.lookups);
  }

 private:
  enum class Kind : std::uint8_t { kMapHit, kSocketHit, kOther };

  Kind count(const claimsd::Answer& answer, const Known& known, std::uint64_t begin) {
    if (!answer.valid()) {
      add(answer.invalid() ? row_.invalid : row_.unavailable);
      return Kind::kOther;
    }
    if (answer.claims().id() != known.id) add(row_.wrong);
    row_.last_valid.store(begin, std::memory_order_relaxed);
    const bool local = answer.source() == claimsd::Source::kLocal;
    if (!local && answer.source() != claimsd::Source::kShared) {
      add(row_.socket);
      return Kind::kSocketHit;
    }
    add(local ? row_.local : row_.shared);
    row_.last_map_hit.store(begin, std::memory_order_relaxed);
    return Kind::kMapHit;
  }

  // Read after the lookup has ended, so that a moment set before its start is seen.
  bool follow_moment() {
    const std::uint64_t moment = orders_.moment.load(std::memory_order_acquire);
    if (moment != moment_) {
      moment_ = moment;
      for (Word* word : {&row_.after, &row_.valid_after, &row_.slow_after, &row_.longest_after,
                         &row_.first_socket_after}) {
        word->store(0, std::memory_order_relaxed);
      }
      row_.moment.store(moment, std::memory_order_release);
    }
    return moment != 0;
  }

  void note_begin(Kind kind) {
    if (kind != Kind::kOther) add(row_.valid_after);
    add(row_.after);
  }

  void note_end(Kind kind, std::uint64_t end, std::uint64_t took) {
    if (end <= moment_) return;
    if (took > kSlow) add(row_.slow_after);
    if (took > row_.longest_after.load(std::memory_order_relaxed)) {
      row_.longest_after.store(took, std::memory_order_relaxed);
    }
    if (kind == Kind::kSocketHit && row_.first_socket_after.load(std::memory_order_relaxed) == 0) {
      row_.first_socket_after.store(end, std::memory_order_relaxed);
    }
  }

  const claimsd::Client& client_;
  const Orders& orders_;
  Row& row_;
  const WaitedForCpu waited_;
  std::uint64_t moment_ = 0;
};

claimsd::Client make_client(const std::string& socket) {
  const char* const patience = std::getenv("CLAIMSD_TIMEOUT_MS");
  return claimsd::Client(
      {.socket_path = socket,
       .client_name = "spinner",
       .timeout = claimsd::Milliseconds(patience == nullptr ? 30000 : std::stoul(patience))});
}

int spin(const std::string& socket, const std::string& file, std::size_t row) {
  const std::vector<Known> tokens = read_tokens();
  const Control control(file, row);
  if (tokens.empty() || !say_and_wait("loaded")) return 1;
  const claimsd::Client client = make_client(socket);
  if (!say_and_wait(client.ping() ? "ready" : "no daemon")) return 1;
  Spinner spinner(client, control);
  while (!spinner.stopped()) {
    for (std::size_t i = 0; i < tokens.size() && !spinner.stopped(); ++i) {
      spinner.look_up(tokens[i]);
    }
  }
  return 0;
}

bool gets(const claimsd::Client& client, const Known& known) {
  const claimsd::Answer answer = client.query(known.token);
  return answer.valid() && answer.claims().id() == known.id;
}

// Work of one forked child: all tokens a few times, in its own order.
int work(const claimsd::Client& client, const std::vector<Known>& tokens, std::size_t number) {
  constexpr std::size_t kRounds = 20;
  for (std::size_t i = 0; i < kRounds * tokens.size(); ++i) {
    const std::size_t stride = number % 2 == 0 ? 1 : tokens.size() - 1;  // forwards or backwards
    if (!gets(client, tokens[(number + i * stride) % tokens.size()])) return 1;
  }
  const claimsd_statistics from = client.statistics();
  // Statistics count from the fork; this process must have answered from its own table and map.
  const bool own = from.local_hits > 0 && from.shared_hits > 0 && from.map_in_use == 1;
  return own && from.local_hits + from.shared_hits <= kRounds * tokens.size() ? 0 : 2;
}

int prefork(const std::string& socket, std::size_t children) {
  const std::vector<Known> tokens = read_tokens();
  if (tokens.empty() || !say_and_wait("loaded")) return 1;
  const claimsd::Client client = make_client(socket);
  for (int round = 0; round < 2; ++round) {
    for (const Known& known : tokens) {
      if (!gets(client, known)) return 1;
    }
  }
  if (!say_and_wait("ready")) return 1;
  std::vector<pid_t> forked(children);
  for (std::size_t number = 0; number < children; ++number) {
    forked[number] = fork();
    if (forked[number] == 0) _exit(work(client, tokens, number));
  }
  std::size_t content = 0;
  for (const pid_t child : forked) {
    int status = -1;
    if (waitpid(child, &status, 0) == child && status == 0) ++content;
  }
  const bool goes_on = std::all_of(tokens.begin(), tokens.end(),
                                   [&](const Known& known) { return gets(client, known); });
  std::cout << content << '\t' << (goes_on ? "parent goes on" : "parent does not go on") << '\n';
  return 0;
}

int run(const std::vector<std::string>& words) {
  if (words.size() == 4 && words[1] == "spin")
    return spin(words[0], words[2], std::stoul(words[3]));
  if (words.size() == 3 && words[1] == "prefork") return prefork(words[0], std::stoul(words[2]));
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const int result = run({argv + 1, argv + argc});
    if (result == 2) std::cerr << "usage: claimsd_spinner SOCKET spin FILE ROW | prefork N\n";
    return result;
  } catch (const std::exception& error) {
    std::cerr << "claimsd_spinner: " << error.what() << '\n';
    return 1;
  }
}
