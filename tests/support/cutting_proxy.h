// cutting_proxy.h: a TCP proxy on a loopback port that slows, swallows or cuts the connections to a
// server.
//
// Created and destroyed on one thread; modes may be set on any. Throws std::runtime_error if it cannot
// be started.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "daemon/base/fd.h"

namespace claimsd::test {

class CuttingProxy {
 public:
  enum class Mode : std::uint8_t {
    kPass,
    kSwallow,  // connections stay open, and nothing passes
    kCut,      // connections are reset, and new ones as well
  };

  explicit CuttingProxy(std::uint16_t server_port);
  ~CuttingProxy();
  CuttingProxy(const CuttingProxy&) = delete;
  CuttingProxy& operator=(const CuttingProxy&) = delete;

  std::uint16_t port() const { return port_; }
  void set(Mode mode) { mode_ = mode; }
  // Each direction takes this much longer.
  void set_delay(std::chrono::milliseconds delay) { delay_ = delay; }

 private:
  using Time = std::chrono::steady_clock::time_point;
  struct Chunk {
    Time due;
    std::string bytes;
  };
  struct Direction {
    int from = -1;
    int to = -1;
    std::vector<Chunk> chunks;  // in order
  };
  struct Link {
    Fd client;
    Fd server;
    Direction up;
    Direction down;
  };

  void run();
  void accept_one();
  bool move(Direction& direction, bool readable);

  const std::uint16_t server_port_;
  Fd listener_;
  Fd stop_;  // eventfd(2)
  std::uint16_t port_ = 0;
  std::atomic<Mode> mode_ = Mode::kPass;
  std::atomic<std::chrono::milliseconds> delay_{};
  std::vector<Link> links_;  // of the thread
  std::thread thread_;
};

}  // namespace claimsd::test
