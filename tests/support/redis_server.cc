#include "tests/support/redis_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <random>
#include <stdexcept>
#include <thread>

#include "daemon/base/fd.h"

namespace claimsd::test {
namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

}  // namespace

std::uint16_t free_port() {
  std::random_device random;
  std::uniform_int_distribution<std::uint16_t> ports(10000, 31999);
  for (int attempt = 0; attempt != 100; ++attempt) {
    const Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const std::uint16_t port = ports(random);
    sockaddr_in address = loopback(port);
    if (bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return port;
  }
  throw std::runtime_error("100 ports of 127.0.0.1 are taken");
}

RedisServer::RedisServer(const std::vector<std::string>& settings, const std::string& program)
    : port_(free_port()) {
  const std::string config = file("redis.conf");
  std::ofstream out(config);
  out << "port " << port_ << "\nbind 127.0.0.1\ndir " << directory_.path() << "\nlogfile "
      << file("log") << "\n";
  if (program == "redis-server") out << "save \"\"\nappendonly no\n";
  for (const std::string& line : settings) out << line << "\n";
  out.close();
  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    if (getppid() == parent) execlp(program.c_str(), program.c_str(), config.c_str(), nullptr);
    _exit(127);
  }
  wait_until_ready();
}

RedisServer::~RedisServer() {
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

void RedisServer::freeze() {
  kill(pid_, SIGSTOP);
}

void RedisServer::thaw() {
  kill(pid_, SIGCONT);
}

void RedisServer::wait_until_ready() const {
  for (int tries = 0; tries < 1000; ++tries) {
    const Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_in address = loopback(port_);
    if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return;
    if (waitpid(pid_, nullptr, WNOHANG) == pid_) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  throw std::runtime_error("redis-server did not start: see its log in " + file("log"));
}

}  // namespace claimsd::test
