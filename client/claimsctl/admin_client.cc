#include "client/claimsctl/admin_client.h"

#include <curl/curl.h>
#include <fmt/core.h>
#include <grp.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <system_error>

namespace claimsd::claimsctl {
namespace {

constexpr long kTimeoutMs = 5000;
constexpr long kDurableTimeoutMs = 60'000;
constexpr std::size_t kMaxReply = 16 * 1024 * 1024;

struct EasyCleanup {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
using Easy = std::unique_ptr<CURL, EasyCleanup>;

std::size_t collect(char* data, std::size_t size, std::size_t count, void* user) {
  auto& body = *static_cast<std::string*>(user);
  if (body.size() + size * count > kMaxReply)
    return 0;  // a short count makes libcurl abort the transfer
  body.append(data, size * count);
  return size * count;
}

// The group that owns the socket, by name if it has one; "" if it cannot be read.
std::string group_of(const std::string& socket) {
  struct stat about {};
  if (::stat(socket.c_str(), &about) != 0) return "";
  const group* found = ::getgrgid(about.st_gid);
  return found != nullptr ? found->gr_name : fmt::format("{}", about.st_gid);
}

Problem not_permitted(const std::string& socket) {
  const auto group = group_of(socket);
  const auto hint = group.empty()
                        ? std::string("run claimsctl as root or as a member of the socket's group")
                        : fmt::format(
                              "run claimsctl as root, or add this user to group {} (usermod -aG {} "
                              "USER) and log in again",
                              group, group);
  return {Exit::kNoPermission, "not_permitted",
          fmt::format("this user may not open the admin socket {}", socket), hint};
}

Problem not_connected(const std::string& socket, int error) {
  if (error == EACCES || error == EPERM) return not_permitted(socket);
  const std::string start =
      fmt::format("{} (systemctl status claimsd shows why it stopped)", kRestart);
  if (error == ENOENT) {
    return {Exit::kUnavailable, "no_daemon",
            fmt::format("the admin socket {} does not exist", socket), start};
  }
  if (error == ECONNREFUSED) {
    return {Exit::kUnavailable, "no_daemon",
            fmt::format("no process listens on the admin socket {}", socket), start};
  }
  return {Exit::kUnavailable, "no_daemon",
          fmt::format("cannot connect to the admin socket {}: {}", socket,
                      std::generic_category().message(error)),
          start};
}

Problem not_confirmed() {
  return {
      Exit::kTryAgain, "not_confirmed",
      fmt::format("the daemon did not confirm within {} s: the order is probably in effect, but "
                  "the disk has not confirmed it",
                  kDurableTimeoutMs / 1000),
      "find out with claimsctl revocations and claimsctl status, and repeat the command if it is "
      "missing; do not restart claimsd"};
}

Problem explain(CURL* easy, CURLcode code, const std::string& socket, Patience patience) {
  if (code == CURLE_COULDNT_CONNECT) {
    long error = 0;
    curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &error);
    return not_connected(socket, static_cast<int>(error));
  }
  if (code == CURLE_OPERATION_TIMEDOUT && patience == Patience::kUntilDurable)
    return not_confirmed();
  if (code == CURLE_OPERATION_TIMEDOUT) {
    return {Exit::kUnavailable, "timeout",
            fmt::format("the daemon on {} did not answer within {} s", socket, kTimeoutMs / 1000),
            "read its log (journalctl -u claimsd), then: systemctl restart claimsd"};
  }
  return {Exit::kUnavailable, "bad_reply",
          fmt::format("cannot read the reply from {}: {}", socket, curl_easy_strerror(code)),
          "check that claimsd listens there, and read its log (journalctl -u claimsd)"};
}

void set_up(CURL* easy, const std::string& socket, const std::string& url, std::string& body) {
  curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, socket.c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http");
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, kTimeoutMs);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, collect);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &body);
}

struct ListCleanup {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

// GET, or POST if there is a body.
Expected<AdminReply> request(const std::string& socket, const std::string& path, const Secret* body,
                             Patience patience) {
  // sun_path holds 107 bytes and a NUL: unix(7).
  if (socket.size() >= sizeof(sockaddr_un::sun_path)) {
    return tl::make_unexpected(Problem{Exit::kUsage, "path_too_long",
                                       "the path of the admin socket is longer than 107 bytes",
                                       "name a shorter path with --admin-socket"});
  }
  const Easy easy(curl_easy_init());
  if (!easy) {
    return tl::make_unexpected(
        Problem{Exit::kUnavailable, "no_resources", "cannot initialize libcurl", ""});
  }
  AdminReply reply;
  set_up(easy.get(), socket, "http://localhost" + path, reply.body);
  if (patience == Patience::kUntilDurable)
    curl_easy_setopt(easy.get(), CURLOPT_TIMEOUT_MS, kDurableTimeoutMs);
  std::unique_ptr<curl_slist, ListCleanup> headers;
  if (body != nullptr) {
    // An empty Expect header: otherwise libcurl waits a second for a 100 Continue.
    headers.reset(curl_slist_append(nullptr, "Expect:"));
    if (headers) curl_slist_append(headers.get(), "Content-Type: application/json");
    curl_easy_setopt(easy.get(), CURLOPT_HTTPHEADER, headers.get());
    curl_easy_setopt(easy.get(), CURLOPT_POSTFIELDSIZE, static_cast<long>(body->view().size()));
    curl_easy_setopt(easy.get(), CURLOPT_POSTFIELDS, body->view().data());
  }
  if (const auto code = curl_easy_perform(easy.get()); code != CURLE_OK) {
    return tl::make_unexpected(explain(easy.get(), code, socket, patience));
  }
  curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &reply.status);
  return reply;
}

}  // namespace

Expected<AdminReply> admin_get(const std::string& socket, const std::string& path) {
  return request(socket, path, nullptr, Patience::kUsual);
}

Expected<AdminReply> admin_post(const std::string& socket, const std::string& path,
                                const Secret& body, Patience patience) {
  return request(socket, path, &body, patience);
}

}  // namespace claimsd::claimsctl
