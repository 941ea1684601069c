#include "daemon/config/cross_check.h"

#include <fmt/core.h>

#include <algorithm>
#include <bit>
#include <map>

#include "daemon/config/url.h"

namespace claimsd::config {
namespace {

constexpr std::uint32_t kUnauthorised = 401;

// The place of an option of `table`, or of the table itself if the option is absent.
Position place(const Member& table, std::string_view key) {
  const auto* member = table.value.find(key);
  return member ? member->value.at : table.at;
}

class Upstreams {
 public:
  Upstreams(const Member& tables, Urls needed, Problems& problems)
      : tables_(tables), needed_(needed), problems_(problems) {}

  void check(UpstreamConfig& upstream) {
    table_ = tables_.value.find(upstream.name);
    name_ = "upstream." + upstream.name;
    check_urls(upstream);
    check_certificate(upstream);
    check_statuses(upstream);
    check_kind(upstream);
    check_socket(upstream);
    check_scheme(upstream);
    if (!upstream.proxy_credentials_file.empty() && upstream.proxy.empty())
      add("proxy_credentials_file", "proxy is not set: set it, or remove this option");
    if (upstream.connect_timeout > upstream.timeout) {
      add("connect_timeout",
          fmt::format("{} ms is longer than timeout, {} ms: lower it or raise timeout",
                      upstream.connect_timeout.count(), upstream.timeout.count()));
    }
    if (!upstream.is_default) return;
    if (!default_.empty()) {
      add("default",
          fmt::format("upstream.{} is already the default: set default = true in one upstream only",
                      default_));
    }
    default_ = upstream.name;
  }

 private:
  void add(std::string_view key, std::string_view text) {
    problems_.add(place(*table_, key), fmt::format("{}.{}: {}", name_, key, text));
  }

  void check_urls(const UpstreamConfig& upstream) {
    const auto* url = table_->value.find("url");
    const auto* urls = table_->value.find("urls");
    if (url && urls) {
      add("urls", "url is set as well: remove one of the two");
    } else if (needed_ == Urls::kRequired && upstream.urls.empty() && !url_is_broken(url) &&
               !url_is_broken(urls)) {
      add("url", R"(is not set: add url = "https://auth.example.com")");
    }
    for (const auto& text : upstream.urls) {
      // Clients choose an upstream by its URL, so two upstreams must not share one.
      const auto [other, is_new] = owners_.emplace(text, upstream.name);
      if (!is_new)
        add(url ? "url" : "urls",
            fmt::format("upstream.{} has the same URL: give each upstream its own", other->second));
    }
  }

  // True if set to something other than an empty string or list. That problem is already reported.
  static bool url_is_broken(const Member* url) {
    return url && (url->value.kind != NodeKind::kArray || !url->value.items.empty()) &&
           (url->value.kind != NodeKind::kString || !url->value.text.empty());
  }

  void check_certificate(const UpstreamConfig& upstream) {
    if (upstream.client_certificate.empty() == upstream.client_key.empty()) return;
    const bool no_key = upstream.client_key.empty();
    const std::string_view given = no_key ? "client_certificate" : "client_key";
    add(given,
        fmt::format("{} is missing: set both", no_key ? "client_key" : "client_certificate"));
  }

  void check_statuses(UpstreamConfig& upstream) {
    auto& statuses = upstream.rejection_statuses;
    statuses.push_back(kUnauthorised);
    std::sort(statuses.begin(), statuses.end());
    statuses.erase(std::unique(statuses.begin(), statuses.end()), statuses.end());
    for (const std::uint32_t status : kNoRejections) {
      if (!std::binary_search(statuses.begin(), statuses.end(), status)) continue;
      add("rejection_statuses",
          fmt::format("remove {}: it does not mean that the token is rejected", status));
    }
  }

  bool has(std::string_view key) const { return table_->value.find(key) != nullptr; }

  void check_kind(const UpstreamConfig& upstream) {
    if (upstream.kind == UpstreamKind::kUserinfo) {
      for (const std::string_view key :
           {"client_id", "client_secret_file", "client_auth", "audience", "accept_bound"}) {
        if (has(key)) add(key, R"(is for kind = "introspection": set that, or remove this option)");
      }
      return;
    }
    if (!has("path"))
      add("path", R"(is not set: add the endpoint, such as path = "/o/introspect/")");
    if (has("scheme")) add("scheme", R"(is for kind = "userinfo": remove it)");
    if (upstream.client_auth == ClientAuth::kCertificate) {
      if (upstream.client_certificate.empty())
        add("client_certificate", R"(is not set: client_auth = "certificate" needs it)");
      if (!upstream.client_secret_file.empty())
        add("client_secret_file", R"(is not used with client_auth = "certificate": remove it)");
      return;
    }
    if (upstream.client_id.empty())
      add("client_id", "is not set: add the id that the Auth API gave to this daemon");
    if (upstream.client_secret_file.empty())
      add("client_secret_file", "is not set: add the file with the secret of client_id");
  }

  // A Unix socket is reached by its path alone.
  void check_socket(const UpstreamConfig& upstream) {
    const auto is_socket = [](const std::string& url) { return url.starts_with("http+unix:"); };
    const bool any = std::any_of(upstream.urls.begin(), upstream.urls.end(), is_socket);
    if (!any && has("socket_user")) add("socket_user", "is for an http+unix URL: remove it");
    const bool all = std::all_of(upstream.urls.begin(), upstream.urls.end(), is_socket);
    if (!any || !all) return;
    for (const std::string_view key : {"ca_file", "client_certificate", "proxy", "http2"}) {
      if (has(key)) add(key, "is not used with an http+unix URL: remove it");
    }
  }

  void check_scheme(const UpstreamConfig& upstream) {
    const bool good = std::all_of(upstream.scheme.begin(), upstream.scheme.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
    });
    if (!good) add("scheme", "use letters, digits and - only, as in \"Bearer\"");
  }

  const Member& tables_;
  const Urls needed_;
  Problems& problems_;
  const Member* table_ = nullptr;
  std::string name_;
  std::string default_;
  std::map<std::string, std::string> owners_;
};

void check_sockets(const Config& config, const Node& root, Problems& problems) {
  if (config.daemon.socket.empty() || config.daemon.socket != config.daemon.admin_socket) return;
  const auto* table = root.find("daemon");
  problems.add(table ? place(*table, "admin_socket") : Position{},
               "daemon.admin_socket: same path as daemon.socket: choose another one");
}

void check_map(const Config& config, const Node& root, Problems& problems) {
  const std::uint64_t slots = config.cache.map_slots;
  if (std::has_single_bit(slots)) return;
  const auto* table = root.find("cache");
  problems.add(table ? place(*table, "map_slots") : Position{},
               fmt::format("cache.map_slots: {} is not a power of two: use {} or {}", slots,
                           std::bit_floor(slots), std::bit_ceil(slots)));
}

// The upstream of each gate is known only after all tables have been read.
void check_gates(const Config& config, const Node& root, Problems& problems) {
  const auto* const http = root.find("http");
  const auto* const tables = http ? http->value.find("gate") : nullptr;
  for (const GateConfig& gate : config.http.gates) {
    const auto* const table = tables ? tables->value.find(gate.name) : nullptr;
    const auto add = [&](std::string_view key, std::string_view text) {
      problems.add(table ? place(*table, key) : Position{},
                   fmt::format("http.gate.{}: {}", gate.name, text));
    };
    if (gate.name == kBuiltInGate) add("", "this gate is built in: choose another name");
    const bool known =
        std::any_of(config.upstreams.begin(), config.upstreams.end(),
                    [&](const UpstreamConfig& it) { return it.name == gate.upstream; });
    if (gate.upstream.empty()) {
      if (!config.default_upstream())
        add("upstream", "set upstream, because there is no default upstream");
    } else if (!known) {
      add("upstream", fmt::format("there is no upstream.{}", gate.upstream));
    }
  }
}

// A quote or backslash would end the quoted string in WWW-Authenticate early.
void check_http(const Config& config, const Node& root, Problems& problems) {
  const auto* const table = root.find("http");
  const auto add = [&](std::string_view key, std::string_view text) {
    problems.add(table ? place(*table, key) : Position{}, fmt::format("http.{}: {}", key, text));
  };
  if (config.http.realm.find_first_of("\"\\") != std::string::npos)
    add("realm", "remove the quote or backslash");
  if (!config.http.client_address_header.empty() && config.http.trusted_uids.empty())
    add("client_address_header", "set trusted_uids as well: the uid of the proxy");
  if (!config.http.socket.empty() && (config.http.socket == config.daemon.socket ||
                                      config.http.socket == config.daemon.admin_socket))
    add("socket", "another socket has this path: choose another one");
}

class Fleet {
 public:
  Fleet(const FleetConfig& fleet, const Member& table, Problems& problems)
      : fleet_(fleet), table_(table), problems_(problems) {}

  void check() {
    if (!fleet_.is_on()) return add("name", R"(is not set: add name = "prod")");
    if (!is_name(fleet_.name)) add("name", "use letters, digits, - and _ only, as in \"prod\"");
    check_servers();
    check_keys();
    check_tls();
    if (!fleet_.user.empty() && fleet_.password_file.empty())
      add("password_file", "is not set: add the file with the password of user");
  }

 private:
  void add(std::string_view key, std::string_view text) {
    problems_.add(place(table_, key), fmt::format("fleet.{}: {}", key, text));
  }

  static bool is_name(std::string_view name) {
    return std::all_of(name.begin(), name.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             c == '-' || c == '_';
    });
  }

  void check_servers() {
    const bool urls = !fleet_.urls.empty();
    const bool sentinels = !fleet_.sentinels.empty();
    if (urls && sentinels) add("sentinels", "urls is set as well: remove one of the two");
    if (!urls && !sentinels)
      add("urls", R"(is not set: add urls = ["rediss://redis-1.example.com:6379"])");
    if (sentinels && fleet_.master.empty())
      add("master", R"(is not set: add the master's name, as in master = "mymaster")");
    if (!sentinels && !fleet_.master.empty()) add("master", "is for sentinels: remove it");
    check_each("urls", fleet_.urls);
    check_each("sentinels", fleet_.sentinels);
  }

  void check_each(std::string_view key, const std::vector<std::string>& urls) {
    for (std::size_t at = 0; at < urls.size(); ++at) {
      const auto url = parse_redis_url(urls[at]);
      if (!url) add(key, fmt::format("URL {} {}", at + 1, url.error().message));
    }
  }

  void check_keys() {
    if (fleet_.seal_key_files.empty())
      add("seal_key_files",
          R"(is not set: create a key with "openssl rand -out seal.key 32", copy it to all hosts, and add seal_key_files = ["/etc/claimsd/fleet/seal.key"])");
    if (fleet_.seal_key_files.size() > 2)
      add("seal_key_files", "has more than two files: keep the new and the previous key");
    for (const std::string& file : fleet_.seal_key_files) {
      if (!file.starts_with('/')) add("seal_key_files", "must hold absolute paths");
    }
    if (fleet_.fingerprint_key_file.empty())
      add("fingerprint_key_file",
          R"(is not set: create a key with "openssl rand -out fingerprint.key 32", copy it to all hosts, and add fingerprint_key_file = "/etc/claimsd/fleet/fingerprint.key")");
  }

  void check_tls() {
    if (!fleet_.client_key.empty() && fleet_.client_certificate.empty())
      add("client_key", "client_certificate is not set: set it, or remove this option");
  }

  const FleetConfig& fleet_;
  const Member& table_;
  Problems& problems_;
};

}  // namespace

void cross_check(Config& config, const Node& root, Urls urls, Problems& problems) {
  check_sockets(config, root, problems);
  check_map(config, root, problems);
  const auto* tables = root.find("upstream");
  const bool none =
      !tables || (tables->value.kind == NodeKind::kTable && tables->value.members.empty());
  if (none && urls == Urls::kOptional) return;
  if (none) {
    problems.add({},
                 "no Auth API is configured: add these two lines with its "
                 "URL:\n[upstream.main]\nurl = \"https://auth.example.com\"");
    return;
  }
  Upstreams upstreams(*tables, urls, problems);
  for (auto& upstream : config.upstreams) upstreams.check(upstream);
  if (config.upstreams.size() == 1) config.upstreams[0].is_default = true;
  check_gates(config, root, problems);
  check_http(config, root, problems);
  if (const Member* const fleet = root.find("fleet")) Fleet(config.fleet, *fleet, problems).check();
}

}  // namespace claimsd::config
