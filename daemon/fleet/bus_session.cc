#include "daemon/fleet/bus_session.h"

#include <fmt/core.h>

#include <utility>

#include "daemon/base/parse_integer.h"
#include "daemon/redis/command.h"

namespace claimsd::fleet {
namespace {

using redis::Value;

constexpr char kBlock[] = "1000";  // ms that XREAD waits
constexpr Duration kBlockTime = seconds(1);
constexpr char kEntries[] = "256";  // of one XREAD, per stream
constexpr char kScanned[] = "500";  // fields of one HSCAN, about

Error refused(std::string_view what, const Value& reply) {
  return {fmt::format("{}: {}", what, reply.is_error() ? reply.text : "unexpected reply")};
}

// Errors after which another server, or a new connection, may do better.
bool ends_session(const Value& error) {
  for (const std::string_view code :
       {"READONLY", "NOREPLICAS", "LOADING", "MASTERDOWN", "CLUSTERDOWN", "NOAUTH", "UNBLOCKED"}) {
    if (error.is_error(code)) return true;
  }
  return false;
}

// "1526985054069-0"
std::optional<std::pair<std::uint64_t, std::uint64_t>> parse_id(std::string_view text) {
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto time = parse_integer<std::uint64_t>(text.substr(0, dash));
  const auto number = parse_integer<std::uint64_t>(text.substr(dash + 1));
  if (!time || !number) return std::nullopt;
  return std::pair(*time, *number);
}

}  // namespace

BusSession::BusSession(redis::Servers& servers, redis::Connection writer, redis::Connection reader,
                       const BusKeys& keys, const redis::Wait& wait, Report report)
    : servers_(&servers),
      writer_(std::move(writer)),
      reader_(std::move(reader)),
      keys_(keys),
      wait_(wait),
      report_(std::move(report)),
      streams_{Stream{keys.log, "0-0", BusEvent::Kind::kMessage},
               Stream{keys.pulse, "0-0", BusEvent::Kind::kPulse}},
      scans_{Scan{keys.actions, BusEvent::Kind::kItem, BusEvent::Kind::kItemsRead, {}},
             Scan{keys.hosts, BusEvent::Kind::kRow, BusEvent::Kind::kRowsRead, {}}},
      next_check_(wait.now() + kCheckInterval) {}

Result<BusSession> BusSession::open(redis::Servers& servers, const BusKeys& keys,
                                    const redis::Wait& wait, Report report) {
  redis::Connection writer = TRY(servers.connect());
  redis::Connection reader = TRY(servers.connect_to(writer.endpoint()));
  BusSession session(servers, std::move(writer), std::move(reader), keys, wait, std::move(report));
  for (Stream& stream : session.streams_) stream.position = TRY(session.last_id(stream));
  BusEvent connected = TRY(session.read_time(BusEvent::Kind::kConnected));
  connected.name = session.writer_.endpoint().text();
  connected.text = TRY(session.find_excess());
  TRY(session.start_read());
  session.report_(std::move(connected));
  return session;
}

Result<Value> BusSession::call(std::initializer_list<std::string_view> arguments) {
  return writer_.call(arguments, deadline());
}

Result<std::string> BusSession::last_id(const Stream& stream) {
  const Value reply = TRY(call({"XREVRANGE", stream.key, "+", "-", "COUNT", "1"}));
  if (!reply.is_array()) return tl::unexpected(refused("XREVRANGE", reply));
  if (reply.items.empty()) return std::string("0-0");
  const Value& entry = reply.items.front();
  if (!entry.is_array() || entry.items.empty() || !parse_id(entry.items[0].text))
    return tl::unexpected(refused("XREVRANGE", entry));
  return entry.items[0].text;
}

Result<BusEvent> BusSession::read_time(BusEvent::Kind kind) {
  const Now before = wait_.clock().now();
  const Value reply = TRY(call({"TIME"}));
  const Now after = wait_.clock().now();
  if (!reply.is_array() || reply.items.size() != 2) return tl::unexpected(refused("TIME", reply));
  const auto whole = parse_integer<std::uint64_t>(reply.items[0].text);
  const auto micro = parse_integer<std::uint64_t>(reply.items[1].text);
  if (!whole || !micro || *whole > 1ULL << 33U || *micro >= 1'000'000)
    return tl::unexpected(refused("TIME", reply));
  // The server read its clock in between.
  const Duration half = (after.boot - before.boot) / 2;
  BusEvent event{.kind = kind};
  event.time = WallTime(seconds(*whole) + std::chrono::microseconds(*micro));
  event.at = {.boot = after.boot - half, .wall = after.wall - half};
  return event;
}

// What the user of the connection may do that claimsd does not need.
Result<std::string> BusSession::find_excess() {
  std::string excess;
  const Value other = TRY(call({"HLEN", "claimsd-permission-check"}));
  if (!other.is_error("NOPERM")) excess = "read keys of others";
  const Value config = TRY(call({"CONFIG", "GET", "maxmemory-policy"}));
  if (!config.is_error("NOPERM"))
    excess += excess.empty() ? "change the server's configuration"
                             : " and change the server's configuration";
  return excess;
}

Status BusSession::start_read() {
  read_deadline_ = deadline() + kBlockTime;
  return reader_.send(redis::format_command({"XREAD", "BLOCK", kBlock, "COUNT", kEntries, "STREAMS",
                                             streams_[0].key, streams_[1].key, streams_[0].position,
                                             streams_[1].position}),
                      deadline());
}

Status BusSession::step(int wake_fd) {
  pollfd fds[] = {{.fd = reader_.fd(), .events = POLLIN, .revents = 0},
                  {.fd = wake_fd, .events = POLLIN, .revents = 0}};
  const BootTime now = wait_.now();
  const BootTime until = scanning() ? now : std::min(next_check_, read_deadline_);
  wait_.any(fds, until);
  if (fds[0].revents != 0) TRY(take_entries());
  if (wait_.now() >= read_deadline_)
    return failure(fmt::format("{}: XREAD: timed out", reader_.endpoint().text()));
  for (Scan& scan : scans_) {
    if (scan.cursor) TRY(scan_step(scan));
  }
  if (wait_.now() >= next_check_) return check();
  return {};
}

Status BusSession::take_entries() {
  const std::optional<Value> reply = TRY(reader_.receive_ready());
  if (!reply) return {};
  if (reply->is_array()) {
    for (const Value& stream : reply->items) TRY(take_stream(stream));
  } else if (!reply->is_nil()) {
    return tl::unexpected(refused("XREAD", *reply));
  }
  return start_read();
}

Status BusSession::take_stream(const Value& stream) {
  if (!stream.is_array() || stream.items.size() != 2)
    return tl::unexpected(refused("XREAD", stream));
  const bool is_pulse = stream.items[0].text == keys_.pulse;
  Stream& known = streams_.at(is_pulse ? 1 : 0);
  if (is_pulse) last_pulse_ = wait_.now();
  for (const Value& entry : stream.items[1].items) {
    if (!entry.is_array() || entry.items.size() != 2 || !parse_id(entry.items[0].text))
      return tl::unexpected(refused("XREAD", entry));
    known.position = entry.items[0].text;
    // Entries of another shape are not ours.
    const std::vector<Value>& fields = entry.items[1].items;
    if (fields.size() == 2)
      report_({.kind = known.kind, .text = fields[1].text, .at = wait_.clock().now()});
  }
  return {};
}

Status BusSession::check() {
  next_check_ = wait_.now() + kCheckInterval;
  report_(TRY(read_time(BusEvent::Kind::kRedisTime)));
  TRY(servers_->confirm(writer_.endpoint()));
  for (Stream& stream : streams_) {
    const std::string last = TRY(last_id(stream));
    // XREAD waits at the old position for at most kBlockTime more.
    if (parse_id(last) < parse_id(stream.position)) stream.position = last;
  }
  if (last_pulse_ && wait_.now() - *last_pulse_ > kSilence)
    return failure(fmt::format("{}: no pulse arrives any more: trying another server",
                               writer_.endpoint().text()));
  return {};
}

Status BusSession::scan_step(Scan& scan) {
  const Value reply = TRY(call({"HSCAN", scan.key, *scan.cursor, "COUNT", kScanned}));
  if (!reply.is_array() || reply.items.size() != 2 || !reply.items[1].is_array())
    return tl::unexpected(refused("HSCAN", reply));
  const std::vector<Value>& found = reply.items[1].items;
  for (std::size_t at = 0; at + 1 < found.size(); at += 2)
    report_({.kind = scan.kind,
             .name = found[at].text,
             .text = found[at + 1].text,
             .at = wait_.clock().now()});
  scan.cursor = reply.items[0].text;
  if (*scan.cursor != "0") return {};
  scan.cursor.reset();
  report_({.kind = scan.end, .at = wait_.clock().now()});
  return {};
}

Status BusSession::execute(const std::vector<BusCommand>& commands) {
  std::string text;
  std::vector<std::pair<const BusCommand*, std::size_t>> sent;
  for (const BusCommand& command : commands) {
    if (command.verb == BusVerb::kReadItems) scans_[0].cursor = "0";
    if (command.verb == BusVerb::kReadRows) scans_[1].cursor = "0";
    const std::size_t replies = append_command(command, keys_, text);
    if (replies > 0) sent.emplace_back(&command, replies);
  }
  if (text.empty()) return {};
  // A batch may take as long as a line of 8 Mbit/s needs.
  const BootTime until = deadline() + milliseconds(text.size() / 1024);
  TRY(writer_.send(text, until));
  for (const auto& [command, replies] : sent) {
    // A failed transaction has several replies; the last one says so.
    Value reply;
    for (std::size_t at = 0; at < replies; ++at) {
      Value next = TRY(writer_.receive(until));
      if (!reply.is_error() || next.is_error("READONLY") || next.is_error("NOREPLICAS"))
        reply = std::move(next);
    }
    TRY(judge_reply(*command, reply));
  }
  return {};
}

Status BusSession::judge_reply(const BusCommand& command, const Value& reply) {
  const Value* error = reply.is_error() ? &reply : nullptr;
  for (const Value& item : reply.items) {
    if (item.is_error()) error = &item;
  }
  if (error != nullptr) {
    if (ends_session(*error))
      return failure(fmt::format("{}: {}", writer_.endpoint().text(), error->text));
    report_(
        {.kind = BusEvent::Kind::kWriteRefused, .text = error->text, .at = wait_.clock().now()});
    return {};
  }
  if (command.verb == BusVerb::kCountItems && reply.is_integer())
    report_({.kind = BusEvent::Kind::kItemCount,
             .number = static_cast<std::uint64_t>(reply.number),
             .at = wait_.clock().now()});
  return {};
}

}  // namespace claimsd::fleet
