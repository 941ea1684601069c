// Loads that libclaimsd would not generate: a hostile or broken worker, and one that suffers from
// it.
//
//   claimsd_flood SOCKET junk SECONDS   sends queries with unknown tokens as fast as the daemon
//                                       accepts them, over four connections
//   claimsd_flood SOCKET hits SECONDS   queries the tokens on standard input (one per line) in
//                                       turn, one query per millisecond, and times each answer
//   claimsd_flood SOCKET crowd SECONDS  queries all tokens on standard input at once and again
//                                       when all are answered, over one connection per 1,000;
//                                       a further line of standard input ends it early
//   claimsd_flood SOCKET connects SECONDS  connects and closes in a loop; `refused`: connections on
//                                       which the daemon said something first
//   claimsd_flood PORT scrapes SECONDS  GET /metrics in a loop on this port of the loopback
//
// Speaks the protocol directly (proto/), because the library would answer from the lease map.
// Prints "ready" once connected, starts at the next line of standard input, and ends with lines of
// name<tab>number: `asked`, the count of each verdict, reason and source, and for hits the median
// and p99 in ns.
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <iostream>
#include <map>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "daemon/base/fd.h"
#include "proto/codec.h"

namespace {

using namespace claimsd::proto;
using claimsd::Fd;
using Clock = std::chrono::steady_clock;
using Tally = std::map<std::string, std::size_t>;

// Counts answers of all connections.
struct Counting {
  Tally& tally;
  std::size_t answers = 0;

  void operator()(const Answer& answer, std::uint32_t) {
    ++answers;
    ++tally["verdict " + std::string(name_of(static_cast<Verdict>(answer.verdict)))];
    ++tally["reason " + std::string(name_of(static_cast<Reason>(answer.reason)))];
    ++tally["source " + std::string(name_of(static_cast<Source>(answer.source)))];
  }
  void operator()(const Failure& failure, std::uint32_t) {
    throw std::runtime_error("the daemon rejected the connection: " + std::string(failure.text));
  }
  void operator()(const Welcome&, std::uint32_t) { ++answers; }
  void operator()(const Pong&, std::uint32_t) {}
  void operator()(const Receipt&, std::uint32_t) {}
};

class Connection {
 public:
  explicit Connection(const std::string& path)
      : fd_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)), in_(256 * 1024) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    if (connect(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
      throw std::runtime_error("cannot connect to " + path);
    add(Hello{.version_min = kVersion, .version_max = kVersion});
    Tally ignored;
    flush();
    receive(1, ignored);
  }

  int fd() const { return fd_.get(); }

  template <class Message>
  void add(const Message& message) {
    std::array<char, kMaxFrame> frame;
    const std::size_t size = encode(message, ++id_, frame.data(), frame.size());
    out_.append(frame.data(), size);
  }
  void flush() {
    for (std::string_view rest = out_; !rest.empty();) {
      const ssize_t sent = send(fd_.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
      if (sent <= 0) throw std::runtime_error("the daemon closed the connection");
      rest.remove_prefix(static_cast<std::size_t>(sent));
    }
    out_.clear();
  }
  // Waits for `wanted` answers.
  void receive(std::size_t wanted, Tally& tally) {
    Counting counting{tally};
    while (counting.answers < wanted) {
      const ssize_t got = recv(fd_.get(), in_.data() + used_, in_.size() - used_, 0);
      if (got <= 0) throw std::runtime_error("the daemon closed the connection");
      used_ += static_cast<std::size_t>(got);
      take(counting);
    }
  }

 private:
  void take(Counting& counting) {
    std::string_view bytes(in_.data(), used_);
    for (FrameHeader header; frame_status(bytes, header) == FrameStatus::kComplete;) {
      dispatch<Sender::kDaemon>(header, bytes.substr(kHeaderSize, header.payload_size), counting);
      bytes.remove_prefix(header.frame_size());
    }
    used_ = bytes.size();
    std::memmove(in_.data(), bytes.data(), used_);
  }

  Fd fd_;
  std::uint32_t id_ = 0;
  std::string out_;
  std::vector<char> in_;
  std::size_t used_ = 0;
};

void wait_for_start() {
  std::cout << "ready" << std::endl;
  std::string go;
  std::getline(std::cin, go);
}

Tally junk(const std::string& path, Clock::duration length) {
  constexpr std::size_t kConnections = 4;
  constexpr std::size_t kBatch = 64;
  std::vector<Connection> connections;
  for (std::size_t i = 0; i < kConnections; ++i) connections.emplace_back(path);
  std::mt19937_64 random{std::random_device{}()};
  Tally tally;
  wait_for_start();
  for (const auto end = Clock::now() + length; Clock::now() < end;) {
    for (Connection& connection : connections) {
      for (std::size_t i = 0; i < kBatch; ++i) {
        const std::string token = "junk-" + std::to_string(random()) + std::to_string(random());
        connection.add(Query{.timeout_ms = 5000, .max_age_ms = kAnyAge, .token = token});
      }
      connection.flush();
    }
    for (Connection& connection : connections) connection.receive(kBatch, tally);
    tally["asked"] += kConnections * kBatch;
  }
  return tally;
}

bool told_to_stop() {
  pollfd input{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
  return poll(&input, 1, 0) > 0;
}

std::vector<std::string> read_tokens() {
  std::vector<std::string> tokens;
  for (std::string line; std::getline(std::cin, line) && !line.empty();) tokens.push_back(line);
  return tokens;
}

Tally crowd(const std::string& path, Clock::duration length) {
  constexpr std::size_t kShare = 1000;
  const std::vector<std::string> tokens = read_tokens();
  std::vector<Connection> connections;
  for (std::size_t i = 0; i < tokens.size(); i += kShare) connections.emplace_back(path);
  Tally tally;
  wait_for_start();
  for (const auto end = Clock::now() + length; Clock::now() < end && !told_to_stop();) {
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      connections[i / kShare].add(
          Query{.timeout_ms = 30'000, .max_age_ms = kAnyAge, .token = tokens[i]});
    }
    for (Connection& connection : connections) connection.flush();
    Tally round;
    for (std::size_t i = 0; i < connections.size(); ++i) {
      connections[i].receive(std::min(kShare, tokens.size() - i * kShare), round);
    }
    for (const auto& [what, times] : round) tally[what] += times;
    tally["asked"] += tokens.size();
    tally["valid in the last round"] = round["reason ok"];
    const timespec pause{.tv_sec = 0, .tv_nsec = 20'000'000};
    nanosleep(&pause, nullptr);
  }
  return tally;
}

Tally hits(const std::string& path, Clock::duration length) {
  const std::vector<std::string> tokens = read_tokens();
  Connection connection(path);
  Tally tally;
  std::vector<std::size_t> took;
  wait_for_start();
  for (const auto end = Clock::now() + length; Clock::now() < end;) {
    const auto begin = Clock::now();
    connection.add(Query{.timeout_ms = 5000,
                         .max_age_ms = kAnyAge,
                         .token = tokens.at(took.size() % tokens.size())});
    connection.flush();
    connection.receive(1, tally);
    took.push_back(static_cast<std::size_t>((Clock::now() - begin).count()));
    const timespec pause{.tv_sec = 0, .tv_nsec = 1'000'000};
    nanosleep(&pause, nullptr);
  }
  std::sort(took.begin(), took.end());
  tally["asked"] = took.size();
  tally["median_ns"] = took.at(took.size() / 2);
  tally["p99_ns"] = took.at(took.size() * 99 / 100);
  return tally;
}

Tally connects(const std::string& path, Clock::duration length) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  Tally tally;
  wait_for_start();
  for (const auto end = Clock::now() + length; Clock::now() < end;) {
    const Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0)
      ++tally["asked"];
    char byte = 0;
    if (recv(fd.get(), &byte, 1, MSG_DONTWAIT) > 0) ++tally["refused"];
  }
  return tally;
}

Tally scrapes(const std::string& port, Clock::duration length) {
  constexpr std::string_view kRequest = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(std::stoul(port)));
  std::vector<char> body(64 * 1024);
  Tally tally;
  wait_for_start();
  for (const auto end = Clock::now() + length; Clock::now() < end;) {
    const Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) continue;
    send(fd.get(), kRequest.data(), kRequest.size(), MSG_NOSIGNAL);
    std::size_t size = 0;
    for (ssize_t got = 1; got > 0; size += static_cast<std::size_t>(std::max<ssize_t>(got, 0)))
      got = recv(fd.get(), body.data(), body.size(), 0);
    if (size > 1000) ++tally["asked"];
  }
  return tally;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const std::vector<std::string> words(argv + 1, argv + argc);
    const std::map<std::string, Tally (*)(const std::string&, Clock::duration)> loads = {
        {"junk", junk},
        {"hits", hits},
        {"crowd", crowd},
        {"connects", connects},
        {"scrapes", scrapes}};
    if (words.size() != 3 || !loads.contains(words[1])) {
      std::cerr << "usage: claimsd_flood SOCKET|PORT junk|hits|crowd|connects|scrapes SECONDS\n";
      return 2;
    }
    const Tally tally = loads.at(words[1])(words[0], std::chrono::seconds(std::stoul(words[2])));
    for (const auto& [what, times] : tally) std::cout << what << '\t' << times << '\n';
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "claimsd_flood: " << error.what() << '\n';
    return 1;
  }
}
