#include "tests/support/fault_server.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <vector>

#include "daemon/base/fd.h"

namespace claimsd::test {
namespace {

[[noreturn]] void give_up(const std::string& what) {
  throw std::runtime_error("the fault server: " + what + ": " + std::strerror(errno));
}

std::string read_all(const Fd& fd) {
  std::string text;
  char part[4096];
  while (true) {
    const ssize_t got = read(fd.get(), part, sizeof part);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return text;
    text.append(part, static_cast<std::size_t>(got));
  }
}

pid_t spawn(std::vector<std::string> arguments) {
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  pid_t pid = -1;
  // The caller may block signals, and SIGTERM ends the server.
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  const int error = posix_spawn(&pid, argv[0], nullptr, &attributes, argv.data(), environ);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) {
    errno = error;
    give_up("cannot start " + arguments[0]);
  }
  return pid;
}

}  // namespace

int json_number(std::string_view json, std::string_view key) {
  const std::string quoted = "\"" + std::string(key) + "\":";
  const std::size_t at = json.find(quoted);
  if (at == std::string_view::npos) return -1;
  return std::atoi(std::string(json.substr(at + quoted.size(), 16)).c_str());
}

FaultServer::FaultServer() {
  directory_ = (std::filesystem::temp_directory_path() / "claimsd-fault-XXXXXX").string();
  if (mkdtemp(directory_.data()) == nullptr) give_up("cannot create a temporary directory");
  int ends[2] = {-1, -1};
  if (pipe(ends) != 0) give_up("cannot create a pipe");
  const Fd reading(ends[0]);
  Fd writing(ends[1]);
  fcntl(reading.get(), F_SETFD, FD_CLOEXEC);
  pid_ = spawn({"/usr/bin/python3", "-B", CLAIMSD_SOURCE_DIR "/tests/faultserver/serve.py",
                "--tls-dir", directory_, "--ready-fd", std::to_string(writing.get())});
  writing.reset();
  ports_ = read_all(reading);  // returns when the server has announced its ports or died
  if (json_number(ports_, "http") <= 0) give_up("did not start");
}

FaultServer::~FaultServer() {
  kill(pid_, SIGTERM);
  waitpid(pid_, nullptr, 0);
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

int FaultServer::port(std::string_view listener) const {
  const int port = json_number(ports_, listener);
  if (port <= 0)
    throw std::runtime_error("the fault server has no listener " + std::string(listener));
  return port;
}

std::string FaultServer::url(std::string_view mode, std::string_view listener) const {
  const std::string scheme = listener.starts_with("https") ? "https" : "http";
  return scheme + "://127.0.0.1:" + std::to_string(port(listener)) + "/" + std::string(mode);
}

std::string FaultServer::tls_file(std::string_view name) const {
  return directory_ + "/" + std::string(name);
}

std::string FaultServer::exchange(const std::string& method, const std::string& path,
                                  const std::string& body) const {
  const Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port("http")));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    give_up("cannot connect");
  }
  const std::string request = method + " " + path +
                              " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" +
                              "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  if (send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(request.size())) {
    give_up("cannot send a request");
  }
  const std::string answer = read_all(fd);
  const std::size_t end = answer.find("\r\n\r\n");
  if (!answer.starts_with("HTTP/1.1 200") || end == std::string::npos) {
    throw std::runtime_error("the fault server rejected " + method + " " + path + ": " + answer);
  }
  return answer.substr(end + 4);
}

std::string FaultServer::get(const std::string& path) const {
  return exchange("GET", path, "");
}

std::string FaultServer::post(const std::string& path, const std::string& body) const {
  return exchange("POST", path, body);
}

void FaultServer::wait_for(const std::string& mode, int count) const {
  get("/_wait?mode=" + mode + "&count=" + std::to_string(count));
}

int FaultServer::seen(const std::string& mode, std::string_view key) const {
  return json_number(get("/_seen?mode=" + mode), key);
}

int FaultServer::requests(const std::string& mode) const {
  return seen(mode, "count");
}
int FaultServer::connections(const std::string& mode) const {
  return seen(mode, "connections");
}
int FaultServer::most_at_once(const std::string& mode) const {
  return seen(mode, "concurrent_max");
}

bool FaultServer::trap_is_empty() const {
  const std::string trap = get("/_trap");
  return json_number(trap, "connections") == 0 && json_number(trap, "bytes") == 0;
}

}  // namespace claimsd::test
