// front_door: the daemon's CPU time per check over the HTTP socket, on kept connections.
// front_door_nginx: a request through nginx whose auth_request asks claimsd, against the same nginx
// whose auth_request asks an nginx that returns 204. front_door_p99: how much later it is at worst.
// front_door_beside: the p99 of hits over the claims socket while the daemon answers 5,000 HTTP
// checks per second, against the same load on another daemon on the same cores.
#include <fmt/core.h>
#include <time.h>

#include <algorithm>
#include <utility>

#include "tests/bench/benchmarks.h"
#include "tests/bench/claimsd_daemon.h"
#include "tests/bench/http_check.h"
#include "tests/bench/http_load.h"
#include "tests/bench/regime.h"
#include "tests/bench/stats.h"

namespace claimsd::bench {
namespace {

const std::string kGate = "/v1/auth/authenticated";
constexpr double kCheckUs = 20;   // 50,000 per second and core
constexpr double kAddedUs = 300;  // at the 99th percentile
constexpr std::uint64_t kTokens = 200;
constexpr unsigned kChecksPerSecond = 5'000;

// nginx as a proxy of {2} for auth_request; and the nginx that returns 204.
constexpr std::string_view kNginx = R"(daemon off;
master_process off;
pid {0}/{1}.pid;
error_log {0}/{1}.log warn;
events {{ worker_connections 64; }}
http {{
  access_log off;
  keepalive_timeout 1h;
  keepalive_requests 1000000000;
  client_body_temp_path {0}/{1}-body;
  fastcgi_temp_path {0}/{1}-fastcgi;
  uwsgi_temp_path {0}/{1}-uwsgi;
  scgi_temp_path {0}/{1}-scgi;
  proxy_temp_path {0}/{1}-temp;
  upstream gate {{ server unix:{2}; keepalive 8; keepalive_requests 1000000000; keepalive_time 1h; }}
  server {{
    listen unix:{0}/{1}.sock;
    location / {{ auth_request /gate; empty_gif; }}
    location = /gate {{
      internal;
      proxy_pass http://gate/v1/auth/authenticated;
      proxy_http_version 1.1;
      proxy_pass_request_body off;
      proxy_set_header Connection "";
      proxy_set_header Content-Length "";
    }}
    location = /v1/auth/authenticated {{ return 204; }}
  }}
}}
)";

struct Front {
  Process process;
  std::string socket;
};

Result<Front> start_front(const Scratch& scratch, const std::string& name,
                          const std::string& gate) {
  const std::string configuration =
      TRY(scratch.write(name + ".conf", fmt::format(kNginx, scratch.path("."), name, gate)));
  const std::string log = scratch.path(name + ".log");
  Process process = TRY(Process::start({"nginx", "-e", log, "-c", configuration},
                                       {.log_path = log, .environment = {}}));
  std::string socket = scratch.path("./" + name + ".sock");
  TRY(process.wait_listening(socket, std::chrono::seconds(5)));
  return Front{std::move(process), std::move(socket)};
}

std::string http_socket(const Scratch& scratch) {
  return scratch.path("http.sock");
}

Result<Daemon> start_with_http(const Bench& bench, const Scratch& scratch, const HttpStub& stub,
                               Daemon::SharedMemory map = Daemon::SharedMemory::kOn) {
  const std::string table = fmt::format("\n[http]\nsocket = \"{}\"\n", http_socket(scratch));
  return Daemon::start(bench.daemon, scratch, stub, map, table);
}

// Of all threads of a process, in microseconds.
Result<double> cpu_time(pid_t pid) {
  clockid_t clock{};
  timespec time{};
  if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &time) != 0)
    return failure("cannot read the daemon's CPU time");
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}

// All figures of the two nginx; claimsd's first.
Result<std::vector<Figure>> measure_nginx(const Bench& bench) {
  const Scratch scratch = TRY(Scratch::make());
  const HttpStub stub = TRY(HttpStub::start());
  const Daemon daemon = TRY(start_with_http(bench, scratch, stub));
  const Front gated = TRY(start_front(scratch, "gated", http_socket(scratch)));
  const Front other = TRY(start_front(scratch, "other", "/nowhere"));
  const Front peer = TRY(start_front(scratch, "peer", other.socket));
  const ContenderPtr ours =
      TRY(http_check("claimsd", gated.socket, "/", {gated.process.pid(), daemon.pid()}));
  const ContenderPtr theirs =
      TRY(http_check("return 204", peer.socket, "/", {peer.process.pid(), other.process.pid()}));
  const Cores cores = TRY(Cores::available());
  const Placement placement = TRY(Placement::apply(
      Regime::kOneCore, cores,
      {daemon.pid(), gated.process.pid(), other.process.pid(), peer.process.pid()}));
  const Plan plan{.rounds = bench.rounds, .blocks = 10, .per_block = 500};
  return measure({ours.get(), theirs.get()}, plan, bench.interrupt);
}

// Hits while the load is on one server or the other.
class Beside final : public Contender {
 public:
  Beside(ContenderPtr hits, const HttpLoad& load, bool at_second)
      : hits_(std::move(hits)), load_(load), at_second_(at_second) {}
  std::string name() const override { return hits_->name(); }
  std::vector<pid_t> servers() const override { return hits_->servers(); }
  Status begin_round() override { return hits_->begin_round(); }
  Status prepare() override {
    load_.aim(at_second_);
    return hits_->prepare();
  }
  Status query() override { return hits_->query(); }
  Status check() override { return hits_->check(); }

 private:
  ContenderPtr hits_;
  const HttpLoad& load_;
  bool at_second_;
};

Figure p99_of(const Figure& figure) {
  return {.name = figure.name, .value = figure.p99, .p99 = 0, .spread = figure.spread};
}

}  // namespace

Result<Measurement> run_front_door(const Bench& bench) {
  constexpr int kLines = 16;
  constexpr int kWaves = 2'000;
  const Scratch scratch = TRY(Scratch::make());
  const HttpStub stub = TRY(HttpStub::start());
  const Daemon daemon = TRY(start_with_http(bench, scratch, stub));
  std::vector<HttpLine> lines;
  for (int i = 0; i < kLines; ++i)
    lines.push_back(TRY(HttpLine::connect(http_socket(scratch), kGate)));
  std::vector<double> costs;
  for (int round = 0; round < bench.rounds; ++round) {
    if (bench.interrupt.requested()) return failure("interrupted");
    const double before = TRY(cpu_time(daemon.pid()));
    for (int wave = 0; wave < kWaves; ++wave) {
      for (const HttpLine& line : lines) TRY(line.send());
      for (HttpLine& line : lines) TRY(line.receive());
    }
    costs.push_back((TRY(cpu_time(daemon.pid())) - before) / (kLines * kWaves));
  }
  return Measurement{
      .subject = {.name = "claimsd", .value = median(costs), .p99 = 0, .spread = spread(costs)},
      .peers = {{.name = "50,000/s", .value = kCheckUs}},
      .beside = {}};
}

Result<Measurement> run_front_door_nginx(const Bench& bench) {
  const std::vector<Figure> figures = TRY(measure_nginx(bench));
  return Measurement{.subject = figures.at(0), .peers = {figures.at(1)}, .beside = {}};
}

Result<Measurement> run_front_door_p99(const Bench& bench) {
  const std::vector<Figure> figures = TRY(measure_nginx(bench));
  const double added = std::max(0.0, figures.at(0).p99 - figures.at(1).p99);
  return Measurement{
      .subject = {.name = "added", .value = added, .p99 = 0, .spread = figures.at(0).spread},
      .peers = {{.name = "300 us", .value = kAddedUs}},
      .beside = {{.regime = "p99 through each",
                  .figures = {p99_of(figures.at(0)), p99_of(figures.at(1))}}}};
}

Result<Measurement> run_front_door_beside(const Bench& bench) {
  const Cores cores = TRY(Cores::available());
  if (!cores.two())
    return failure("this benchmark needs two cores: one for the daemons, one for their clients");
  const Scratch scratch = TRY(Scratch::make());
  const Scratch other_scratch = TRY(Scratch::make());
  const HttpStub stub = TRY(HttpStub::start());
  // Without the map every hit and every check is the loop's.
  constexpr auto kNoMap = Daemon::SharedMemory::kOff;
  const Daemon daemon = TRY(start_with_http(bench, scratch, stub, kNoMap));
  const Daemon other = TRY(start_with_http(bench, other_scratch, stub, kNoMap));
  TRY(daemon.fill(kTokens));
  const HttpLoad load = TRY(HttpLoad::start(http_socket(scratch), http_socket(other_scratch), kGate,
                                            kChecksPerSecond, cores.client));
  Beside same(TRY(daemon.hit_among("same daemon", kTokens)), load, false);
  Beside apart(TRY(daemon.hit_among("other daemon", kTokens)), load, true);
  const Placement placement =
      TRY(Placement::apply(Regime::kTwoAwake, cores, {daemon.pid(), other.pid()}));
  const Plan plan{.rounds = bench.rounds, .blocks = 10, .per_block = 1000};
  const std::vector<Figure> figures = TRY(measure({&same, &apart}, plan, bench.interrupt));
  return Measurement{.subject = p99_of(figures.at(0)),
                     .peers = {p99_of(figures.at(1))},
                     .beside = {{.regime = "means", .figures = {figures.at(0), figures.at(1)}}}};
}

}  // namespace claimsd::bench
