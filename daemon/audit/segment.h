// segment.h: one segment of the audit log: a separate LMDB environment, so that it can be dropped
// as a whole. FORMAT.md, "A segment", defines its tables.
//
// Segment writes, SegmentView reads. A process must not open an environment twice, so
// never use both on one file at the same time. One thread each; both block on the disk.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "daemon/audit/digest.h"
#include "daemon/audit/record.h"
#include "daemon/claims/revocation/set_head.h"
#include "daemon/store/lmdb.h"

namespace claimsd::audit {

// Written once, when the segment is created.
struct SegmentIdentity {
  std::string origin;        // name of the log: no spaces, at most 128 bytes
  Sequence first = 1;        // first sequence it may hold
  Link before{};             // link of `first` - 1
  std::uint64_t events = 0;  // sum of counts before it
  std::int64_t day = 0;      // days since 1970-01-01 UTC when it was created
};

// The end of the log. Written in every commit: an old copy of the file is consistent with itself,
// and a shortened one is not.
struct Head {
  Sequence sequence = 0;  // last sequence; 0: the log is empty
  Link link{};
  std::uint64_t events = 0;       // sum of counts of the whole log up to here
  Sequence dropped = 0;           // retention removed everything up to this sequence
  bool closed = false;            // another segment follows
  claims::SetHead revocations{};  // a copy of the head of the revocations; zeros: none
  bool operator==(const Head&) const = default;
};

inline constexpr std::size_t kMaxAuditOrigin = 128;

std::string segment_name(Sequence first, std::uint32_t generation);

struct SegmentFile {
  std::string path;
  Sequence first = 0;
  std::uint32_t generation = 0;  // of two files with the same first, the higher one is valid
  std::uint64_t bytes = 0;
};

// In log order. Other files are skipped.
Result<std::vector<SegmentFile>> list_segments(const std::string& directory);

// Makes changes to the directory's entries durable.
Status sync_directory(const std::string& directory);

// A record to be written.
struct Row {
  Sequence sequence = 0;
  std::string record;  // encoded
  Link link{};
  std::string user;  // for the index
  std::optional<Fingerprint> token;
};

enum class Appended : std::uint8_t {
  kDurable,
  kSegmentFull,  // nothing was written: begin another segment
  kDiskFull,     // nothing was written: retry when there is space
  kFailed,       // unknown what reached the disk: never write to this file again
};

class Segment {
 public:
  // Atomic: after a crash the segment is either complete or absent.
  static Result<Segment> create(const std::string& directory, std::uint32_t generation,
                                const SegmentIdentity& identity, Sequence dropped,
                                const claims::SetHead& revocations, std::size_t map_size);
  static Result<Segment> open(const std::string& path, std::size_t map_size);

  // One durable transaction. `head` is the state after the last row.
  Appended append(std::span<const Row> rows, const Head& head);
  // Records that another segment follows and releases preallocated space.
  Appended close(Head head);

  std::size_t used() const { return env_.used(); }
  const std::string& path() const { return path_; }
  const store::LmdbEnvironment& environment() const { return env_; }

 private:
  friend class SegmentView;
  Segment(std::string path, store::LmdbEnvironment env)
      : path_(std::move(path)), env_(std::move(env)) {}
  Appended failed(const store::LmdbError& error) const;
  store::LmdbStatus put_rows(store::LmdbWriter& writer, std::span<const Row> rows) const;

  std::string path_;
  store::LmdbEnvironment env_;
  // After the disk was full: what did not fit. Otherwise a commit of one record would fit where one of
  // twenty did not, and the log would be writable and full in turn.
  std::size_t resume_headroom_ = 0;
  store::LmdbTable about_ = 0;
  store::LmdbTable records_ = 0;
  store::LmdbTable by_user_ = 0;
  store::LmdbTable by_token_ = 0;
};

struct StoredRow {
  Sequence key = 0;
  std::string_view record;
  Link link{};
};

class SegmentView {
 public:
  // Needs neither write access nor a lock file. The file must not change while it is open.
  static Result<SegmentView> open(const std::string& path);
  // For a segment that this process is writing, between its commits.
  static Result<SegmentView> of(const Segment& segment);

  const SegmentIdentity& identity() const { return identity_; }
  const Head& head() const { return head_; }

  // Visits rows in order from `first`, until `visit` returns false. A row that is too short is
  // passed with an empty record. Returns false if the file could not be read.
  template <class Visit>
  bool each(Sequence first, Visit&& visit) const;
  std::optional<StoredRow> at(Sequence sequence) const;

  // Visits the sequences of this user's or token's records in order; same results as each().
  template <class Visit>
  bool each_of_user(std::string_view user, Visit&& visit) const;
  template <class Visit>
  bool each_of_token(const Fingerprint& token, Visit&& visit) const;

 private:
  explicit SegmentView(store::LmdbReader reader) : reader_(std::move(reader)) {}
  static Result<SegmentView> make(const store::LmdbEnvironment& env, const std::string& path,
                                  store::LmdbTable about, store::LmdbTable records,
                                  store::LmdbTable by_user, store::LmdbTable by_token);
  template <class Visit>
  bool each_indexed(store::LmdbTable table, const std::string& prefix, Visit&& visit) const;

  std::optional<store::LmdbEnvironment> env_;  // first, so that the reader is destroyed before it
  store::LmdbReader reader_;
  store::LmdbTable records_ = 0;
  store::LmdbTable by_user_ = 0;
  store::LmdbTable by_token_ = 0;
  SegmentIdentity identity_;
  Head head_;
};

// Eight bytes, big-endian, so that keys sort numerically.
std::string sequence_key(Sequence sequence);
std::optional<Sequence> sequence_of_key(std::string_view key);
std::string user_index_prefix(std::string_view user);
StoredRow stored_row(std::string_view key, std::string_view value);

template <class Visit>
bool SegmentView::each(Sequence first, Visit&& visit) const {
  auto cursor = reader_.cursor(records_);
  if (!cursor) return false;
  auto found = cursor->seek(sequence_key(first));
  while (found) {
    if (!visit(stored_row(found->key, found->value))) return true;
    found = cursor->next();
  }
  return found.error().missing();
}

template <class Visit>
bool SegmentView::each_indexed(store::LmdbTable table, const std::string& prefix,
                               Visit&& visit) const {
  auto cursor = reader_.cursor(table);
  if (!cursor) return false;
  auto found = cursor->seek(prefix);
  while (found && found->key.substr(0, prefix.size()) == prefix) {
    const auto sequence = sequence_of_key(found->key.substr(prefix.size()));
    if (!sequence) return false;
    if (!visit(*sequence)) return true;
    found = cursor->next();
  }
  return found.has_value() || found.error().missing();
}

template <class Visit>
bool SegmentView::each_of_user(std::string_view user, Visit&& visit) const {
  return each_indexed(by_user_, user_index_prefix(user), visit);
}

template <class Visit>
bool SegmentView::each_of_token(const Fingerprint& token, Visit&& visit) const {
  return each_indexed(
      by_token_, std::string(reinterpret_cast<const char*>(token.data()), token.size()), visit);
}

}  // namespace claimsd::audit
