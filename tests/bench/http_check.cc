#include "tests/bench/http_check.h"

#include <fmt/core.h>

#include <charconv>
#include <utility>

#include "tests/bench/socket.h"
#include "tests/bench/workload.h"

namespace claimsd::bench {
namespace {

constexpr std::string_view kOk = "HTTP/1.1 200";
constexpr std::string_view kLength = "\r\nContent-Length: ";

class HttpCheck final : public Contender {
 public:
  HttpCheck(std::string name, HttpLine line, std::vector<pid_t> servers)
      : name_(std::move(name)), line_(std::move(line)), servers_(std::move(servers)) {}

  std::string name() const override { return name_; }
  std::vector<pid_t> servers() const override { return servers_; }
  Status query() override {
    TRY(line_.send());
    return line_.receive();
  }
  Status check() override { return {}; }  // receive() has

 private:
  std::string name_;
  HttpLine line_;
  std::vector<pid_t> servers_;
};

}  // namespace

std::string get_request(const std::string& path) {
  return fmt::format("GET {} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\r\n", path,
                     make_token(0));
}

Result<HttpLine> HttpLine::connect(const std::string& socket, const std::string& path) {
  HttpLine line(TRY(connect_unix(socket)), get_request(path));
  TRY(line.send());
  TRY(line.learn());
  return line;
}

Status HttpLine::send() const {
  return send_all(fd_.get(), request_);
}

Status HttpLine::receive() {
  TRY(receive_exactly(fd_.get(), response_.data(), response_.size()));
  if (response_.starts_with(kOk)) return {};
  return failure("the server did not answer 200: " + response_.substr(0, 200));
}

Status HttpLine::learn() {
  std::string got;
  std::size_t end = std::string::npos;
  while ((end = got.find("\r\n\r\n")) == std::string::npos) {
    char piece[4096];
    got.append(piece, TRY(receive_some(fd_.get(), piece, sizeof piece)));
  }
  const std::size_t at = got.find(kLength);
  std::size_t length = 0;
  if (!got.starts_with(kOk) || at > end) return failure("the first response was: " + got);
  std::from_chars(got.data() + at + kLength.size(), got.data() + got.size(), length);
  response_.resize(end + 4 + length);
  if (got.size() >= response_.size()) return {};
  return receive_exactly(fd_.get(), response_.data(), response_.size() - got.size());
}

Result<ContenderPtr> http_check(std::string name, const std::string& socket,
                                const std::string& path, std::vector<pid_t> servers) {
  return std::make_unique<HttpCheck>(std::move(name), TRY(HttpLine::connect(socket, path)),
                                     std::move(servers));
}

}  // namespace claimsd::bench
