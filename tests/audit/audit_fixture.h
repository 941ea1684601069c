// audit_fixture.h: shared by the audit log tests: a manual clock, sample records, and a log in a
// temporary directory.
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "daemon/audit/audit_store.h"
#include "daemon/audit/verify.h"
#include "daemon/log/log.h"
#include "tests/support/catch.h"
#include "tests/support/scratch_directory.h"

namespace claimsd::audit::testing {

using claimsd::testing::ScratchDirectory;

inline constexpr WallTime kNoon{std::chrono::hours(24 * 20000 + 12)};

class HandClock final : public Clock {
 public:
  Now now() const override {
    return {BootTime(Duration(boot.load())), WallTime(Duration(wall.load()))};
  }
  void advance(Duration by) {
    boot += by.count();
    wall += by.count();
  }
  void set_wall_by(Duration by) { wall += by.count(); }

 private:
  std::atomic<std::int64_t> boot{seconds(1000) / Duration(1)};
  std::atomic<std::int64_t> wall{kNoon.time_since_epoch().count()};
};

class CountingRandom final : public Random {
 public:
  void fill(void* out, std::size_t size) override {
    for (std::size_t i = 0; i < size; ++i) static_cast<std::uint8_t*>(out)[i] = next_++;
    ++next_;
  }

 private:
  std::uint8_t next_ = 1;
};

inline Fingerprint token_number(std::uint64_t number) {
  Fingerprint token{};
  for (std::size_t i = 0; i < 8; ++i) token[i] = static_cast<std::uint8_t>(number >> (8 * i));
  token[15] = 0x5a;
  return token;
}

// A typical rejection: a distinct token and no user.
inline Record refusal_number(std::uint64_t number, const Now& now = {BootTime{}, kNoon}) {
  Record record;
  record.event = Event::kRejected;
  record.verdict = static_cast<std::uint8_t>(proto::Verdict::kInvalid);
  record.reason = proto::Reason::kRejected;
  record.source = proto::Source::kUpstream;
  record.status = 401;
  record.at = now;
  record.last = now.wall;
  record.duration = milliseconds(12);
  record.token = token_number(number);
  record.peer = {1000, 1000, 4711, "gunicorn"};
  record.upstream = "main";
  return record;
}

inline Record denial_of(const std::string& user, const Now& now = {BootTime{}, kNoon}) {
  Record record;
  record.event = Event::kDenied;
  record.at = now;
  record.last = now.wall;
  record.user = user;
  record.peer = {1000, 1000, 4711, "gunicorn"};
  record.method = "GET";
  record.route = "/patients/{id}/";
  record.roles = "doctor nurse";
  return record;
}

inline Store open_store(const std::string& directory, std::size_t segment_bytes = 64U << 20U,
                        WallTime now = kNoon, Retention retention = {}) {
  auto store = Store::open({directory, "host.example", segment_bytes, retention}, now);
  if (!store) FAIL(store.error().message);
  return std::move(*store);
}

// Appends rejections, `per_commit` at a time.
inline void append_refusals(Store& store, std::uint64_t first, std::uint64_t count,
                            WallTime now = kNoon, std::uint64_t per_commit = 50) {
  for (std::uint64_t done = 0; done < count;) {
    std::vector<Record> batch;
    for (; batch.size() < per_commit && done < count; ++done) {
      batch.push_back(
          refusal_number(first + done, {BootTime(Duration(static_cast<std::int64_t>(done))), now}));
    }
    REQUIRE(store.append(batch, now) == Appended::kDurable);
  }
}

inline Verification verified(const std::string& directory, std::optional<Anchors> anchors = {}) {
  auto done = verify_audit({.directory = directory, .anchors = std::move(anchors)});
  if (!done) FAIL(done.error().message);
  return std::move(*done);
}

inline std::vector<SegmentFile> segment_files(const std::string& directory) {
  auto files = list_segments(directory);
  if (!files) FAIL(files.error().message);
  return std::move(*files);
}

inline std::string file_text(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline std::string sentence_of(const Verification& done) {
  if (!done.finding) return "healthy";
  return std::string(name_of(done.finding->kind)) + " at " + std::to_string(done.finding->at) +
         ": " + done.finding->sentence;
}

}  // namespace claimsd::audit::testing
