// A minimal backend worker: queries claimsd through libclaimsd.
//
//   claimsd_worker SOCKET ask        each line of standard input is a query, answered at once
//   claimsd_worker SOCKET repeat N   one query N times, one after the other, each timed
//   claimsd_worker SOCKET burst N    one query N times at once, over one connection
//
// A query is TOKEN[<tab>MAX_AGE_MS], never an argument, which other processes can read. An answer
// is one line of tab-separated fields: verdict, reason, source; age, ttl and retry-after in ms; id,
// email, comma-separated roles, and the claims as JSON. No field can contain a tab or a line feed,
// because the daemon rejects claims with control characters. `repeat` and `burst` print "ready"
// after the first query once connected, start at the next line, and end with the count of each
// verdict and reason; `repeat` adds the mean and median lookup time in ns. In the environment,
// CLAIMSD_UPSTREAM names the expected Auth API, CLAIMSD_TIMEOUT_MS the timeout, and
// CLAIMSD_DAEMON_UID the trusted uid.
#include <poll.h>

#include <algorithm>
#include <chrono>
#include <claimsd.hpp>
#include <cstdlib>
#include <iostream>
#include <map>
#include <string>
#include <vector>

namespace {

struct QueryRequest {
  std::string token;
  claimsd::QueryOptions options;
};

bool read_query_request(QueryRequest& request) {
  std::string line;
  if (!std::getline(std::cin, line)) return false;
  const std::size_t tab = line.find('\t');
  request = {.token = line.substr(0, tab), .options = {}};
  if (tab != std::string::npos) {
    request.options.max_age = claimsd::Milliseconds(std::stoul(line.substr(tab + 1)));
  }
  return true;
}

const char* word(claimsd::Verdict verdict) {
  switch (verdict) {
    case claimsd::Verdict::kValid: return "valid";
    case claimsd::Verdict::kInvalid: return "invalid";
    case claimsd::Verdict::kUnavailable: break;
  }
  return "unavailable";
}

void print(const claimsd::Answer& answer) {
  const claimsd::Claims claims = answer.claims();
  std::cout << word(answer.verdict()) << '\t' << answer.reason() << '\t'
            << claimsd_source_text(static_cast<claimsd_source>(answer.source())) << '\t'
            << answer.age().count() << '\t' << answer.ttl().count() << '\t'
            << answer.retry_after().count() << '\t' << claims.id() << '\t' << claims.email()
            << '\t';
  const char* comma = "";
  for (const std::string_view role : claims.roles()) {
    std::cout << comma << role;
    comma = ",";
  }
  std::cout << '\t' << claims.json() << std::endl;
}

using Tally = std::map<std::string, std::size_t>;

void count(Tally& tally, const claimsd::Answer& answer) {
  if (tally.empty()) print(answer);
  ++tally[word(answer.verdict())];
  ++tally["reason " + std::string(answer.reason())];
}

void print(const Tally& tally) {
  for (const auto& [what, times] : tally) std::cout << what << '\t' << times << '\n';
}

// Connects, prints "ready" and waits for a line, so that many workers start together.
bool wait_for_start(const claimsd::Client& client) {
  const bool connected = client.ping().has_value();
  std::cout << (connected ? "ready" : "no daemon") << std::endl;
  std::string go;
  return connected && std::getline(std::cin, go);
}

int ask(const claimsd::Client& client) {
  for (QueryRequest request; read_query_request(request);) {
    print(client.query(request.token, request.options));
  }
  return 0;
}

int repeat(const claimsd::Client& client, std::size_t times) {
  QueryRequest request;
  if (!read_query_request(request) || !wait_for_start(client)) return 1;
  Tally tally;
  std::vector<std::size_t> took;
  took.reserve(times);
  for (std::size_t i = 0; i < times; ++i) {
    const auto start = std::chrono::steady_clock::now();
    const claimsd::Answer answer = client.query(request.token, request.options);
    took.push_back(static_cast<std::size_t>((std::chrono::steady_clock::now() - start).count()));
    count(tally, answer);
  }
  std::sort(took.begin(), took.end());
  tally["median_ns"] = took.at(times / 2);
  for (const std::size_t one : took) tally["mean_ns"] += one;
  tally["mean_ns"] /= times;
  print(tally);
  return 0;
}

int burst(const claimsd::Client& client, std::size_t times) {
  QueryRequest request;
  if (!read_query_request(request) || !wait_for_start(client)) return 1;
  claimsd::Stream stream(client);
  for (std::size_t i = 0; i < times; ++i) {
    if (!stream.send(request.token, i, request.options)) return 1;
  }
  Tally tally;
  std::vector<bool> answered(times);
  while (stream.pending() > 0) {
    pollfd waiting{.fd = stream.fd(), .events = POLLIN, .revents = 0};
    ::poll(&waiting, 1, -1);
    while (const auto done = stream.receive()) {
      if (answered.at(done->tag)) return 1;  // one query, one answer
      answered[done->tag] = true;
      count(tally, done->answer);
    }
  }
  print(tally);
  return 0;
}

const char* variable(const char* name, const char* otherwise) {
  const char* const value = std::getenv(name);
  return value == nullptr ? otherwise : value;
}

int run(const std::vector<std::string>& words) {
  if (words.size() < 2) return 2;
  const claimsd::Client client(
      {.socket_path = words[0],
       .upstream_url = variable("CLAIMSD_UPSTREAM", ""),
       .client_name = "worker",
       .timeout = claimsd::Milliseconds(std::stoul(variable("CLAIMSD_TIMEOUT_MS", "30000"))),
       .daemon_uid = static_cast<std::uint32_t>(std::stoul(
           variable("CLAIMSD_DAEMON_UID", std::to_string(CLAIMSD_ANY_TRUSTED_UID).c_str())))});
  const std::size_t times = words.size() > 2 ? std::stoul(words[2]) : 0;
  if (words[1] == "ask") return ask(client);
  if (words[1] == "repeat" && times > 0) return repeat(client, times);
  if (words[1] == "burst" && times > 0) return burst(client, times);
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const int result = run({argv + 1, argv + argc});
    if (result == 2) std::cerr << "usage: claimsd_worker SOCKET ask|repeat N|burst N\n";
    return result;
  } catch (const std::exception& error) {
    std::cerr << "claimsd_worker: " << error.what() << '\n';
    return 1;
  }
}
