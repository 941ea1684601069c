#include "client/claimsctl/audit_query.h"

#include <fmt/core.h>
#include <unistd.h>

#include <charconv>
#include <chrono>

#include "client/claimsctl/output.h"
#include "client/claimsctl/token_input.h"
#include "daemon/audit/digest.h"

namespace claimsd::claimsctl {
namespace {

namespace chrono = std::chrono;

std::optional<int> digits(std::string_view text, std::size_t at, std::size_t count) {
  int number = 0;
  if (at + count > text.size()) return std::nullopt;
  const char* const end = text.data() + at + count;
  const auto [stopped, error] = std::from_chars(text.data() + at, end, number);
  if (error != std::errc() || stopped != end || text[at] == '-') return std::nullopt;
  return number;
}

std::optional<WallTime> parse_ago(std::string_view text, WallTime now) {
  if (text.size() < 2) return std::nullopt;
  const auto number = digits(text, 0, text.size() - 1);
  if (!number || text.size() > 7) return std::nullopt;
  switch (text.back()) {
    case 's': return now - chrono::seconds(*number);
    case 'm': return now - chrono::minutes(*number);
    case 'h': return now - chrono::hours(*number);
    case 'd': return now - chrono::days(*number);
    default: return std::nullopt;
  }
}

std::string check_time(const std::string& text) {
  return parse_audit_time(text, WallTime{}) ? ""
                                            : "must be a UTC time such as 2026-11-23T15:04:05Z, a "
                                              "day such as 2026-11-23, or an age such as 15m, 2h "
                                              "or 7d";
}

std::string check_event(const std::string& text) {
  if (audit::audit_event_named(text) != nullptr) return "";
  std::string known;
  for (const auto& row : audit::kAuditEvents) {
    known += (known.empty() ? "" : ", ") + std::string(row.name);
  }
  return "must be one of " + known;
}

std::optional<std::uint8_t> verdict_named(std::string_view text) {
  using proto::Verdict;
  for (const Verdict verdict : {Verdict::kValid, Verdict::kInvalid, Verdict::kUnavailable}) {
    if (proto::name_of(verdict) == text) return static_cast<std::uint8_t>(verdict);
  }
  return std::nullopt;
}

std::string check_verdict(const std::string& text) {
  return verdict_named(text) ? "" : "must be valid, invalid or unavailable";
}

Expected<audit::Fingerprint> fingerprint_of_token(const std::string& key_file) {
  const auto key = read_host_key(key_file);
  if (!key) {
    return tl::make_unexpected(Problem{
        Exit::kNoPermission, "no_host_key", fmt::format("cannot read a host key from {}", key_file),
        "run this as root on the host of the log, or name a copy of the key with --key-file"});
  }
  const auto token = read_token("-");
  if (!token) return tl::make_unexpected(token.error());
  auto names = audit::Fingerprinter::create(*key);
  if (!names) return tl::make_unexpected(audit_problem(names.error()));
  return names->of(token->view());
}

}  // namespace

std::optional<WallTime> parse_audit_time(std::string_view text, WallTime now) {
  if (text.size() < 10 || text[4] != '-') return parse_ago(text, now);
  const auto year = digits(text, 0, 4);
  const auto month = digits(text, 5, 2);
  const auto day = digits(text, 8, 2);
  if (!year || !month || !day || text[7] != '-') return std::nullopt;
  const chrono::year_month_day date{chrono::year(*year),
                                    chrono::month(static_cast<unsigned>(*month)),
                                    chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  WallTime time(chrono::sys_days(date).time_since_epoch());
  if (text.size() == 10) return time;
  const auto hour = digits(text, 11, 2);
  const auto minute = digits(text, 14, 2);
  const auto second = digits(text, 17, 2);
  const bool shape = text.size() == 20 && text[10] == 'T' && text[13] == ':' && text[16] == ':' &&
                     text[19] == 'Z' && hour && minute && second;
  if (!shape || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  return time + chrono::hours(*hour) + chrono::minutes(*minute) + chrono::seconds(*second);
}

Problem audit_problem(const Error& error) {
  return {Exit::kUnavailable, "audit_unreadable", error.message,
          "name the directory with --directory, or run claimsctl as root"};
}

Option AuditFilterOptions::directory_option() {
  return {.names = "--directory",
          .target = &directory_,
          .help = "The directory of the log: the daemon's, or a copy",
          .value = "DIR",
          .shows_default = true};
}

std::vector<Option> AuditFilterOptions::all_options() {
  return {
      directory_option(),
      {.names = "--since",
       .target = &since_,
       .help = "Only records from this time on: a UTC time, a day, or an age (2h, 7d)",
       .value = "TIME",
       .check = check_time},
      {.names = "--until",
       .target = &until_,
       .help = "Only records before this time",
       .value = "TIME",
       .check = check_time},
      {.names = "--user",
       .target = &user_,
       .help = "Only records of this user id",
       .value = "ID",
       .given = &user_given_},
      {.names = "--event",
       .target = &event_,
       .help = "Only this event: refused, denied, revoked and others",
       .value = "EVENT",
       .check = check_event},
      {.names = "--verdict",
       .target = &verdict_,
       .help = "Only records with this verdict",
       .value = "valid|invalid|unavailable",
       .check = check_verdict},
      {.names = "--peer",
       .target = &uid_,
       .help = "Only records of processes with this uid",
       .value = "UID",
       .given = &uid_given_},
      {.names = "--token",
       .target = &token_,
       .help = "Only records of the token on standard input; records contain its HMAC only"},
      {.names = "--key-file",
       .target = &key_file_,
       .help = "The host key, for --token",
       .value = "FILE",
       .shows_default = true},
  };
}

bool AuditFilterOptions::is_live() const {
  const bool hidden = access(directory_.c_str(), R_OK | X_OK) != 0 && errno == EACCES;
  return hidden || audit::audit_directory_is_live(directory_);
}

Expected<audit::Reader> AuditFilterOptions::open_reader() const {
  auto reader = audit::Reader::open(directory_);
  if (!reader) return tl::make_unexpected(audit_problem(reader.error()));
  if (reader->empty())
    return tl::make_unexpected(
        audit_problem({fmt::format("there is no audit log in {}", directory_)}));
  return std::move(*reader);
}

Expected<audit::SearchFilter> AuditFilterOptions::query(WallTime now) const {
  audit::SearchFilter query;
  if (!since_.empty()) query.since = parse_audit_time(since_, now);
  if (!until_.empty()) query.until = parse_audit_time(until_, now);
  if (user_given_) query.user = user_;
  if (uid_given_) query.uid = uid_;
  if (!event_.empty()) query.event = audit::audit_event_named(event_)->event;
  if (!verdict_.empty()) query.verdict = verdict_named(verdict_);
  if (token_) {
    auto fingerprint = fingerprint_of_token(key_file_);
    if (!fingerprint) return tl::make_unexpected(fingerprint.error());
    query.token = *fingerprint;
  }
  return query;
}

}  // namespace claimsd::claimsctl
