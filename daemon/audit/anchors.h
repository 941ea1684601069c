// anchors.h: signed statements of the log's last sequence and link at a point in time. They are
// kept outside the log: in a separate file and in the journal. FORMAT.md, "Anchors", defines the
// lines.
//
// Each day has its own Ed25519 key pair (RFC 8032). The old key signs the new public key, and its
// private half is then destroyed. An intruder can therefore forge anchors from today on, but none
// for earlier days. The operator must record the first public key (`root`): otherwise the whole
// file could be replaced by one with other keys.
//
// Reading is pure. Signer is owned by AuditLog, runs on its thread and blocks on the disk.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/audit/digest.h"
#include "daemon/audit/segment.h"
#include "daemon/base/clock.h"
#include "daemon/base/random.h"
#include "daemon/base/secret.h"

namespace claimsd::audit {

struct Anchor {
  std::string origin;
  Sequence sequence = 0;
  Link link{};
  std::uint64_t events = 0;
  WallTime time{};
};

// The content of an anchors file after every signature was checked.
struct Anchors {
  std::string root;                   // public half of the first key, in hex; empty: no key found
  std::vector<Anchor> anchors;        // in file order
  std::vector<std::string> problems;  // lines without a trusted signature: "line 7: …"
  std::vector<std::string> notes;     // lines that prove nothing, such as one truncated by a crash
};

// Skips lines that are neither keys nor anchors, so journal output can be passed as it is. The
// first key is trusted unless `root` names another.
Anchors read_anchors(std::string_view text, const std::optional<std::string>& root = {});

// True for an anchor older than the last dropped record. Such anchors are removed from the daemon's
// own file. Key lines are never outlived, because each one signs the next. Pure.
bool is_outlived(std::string_view line, Sequence dropped);

// Whether a line is an anchor, not a key. Pure.
bool is_anchor(std::string_view line);

// Reduces a large anchors file to the lines read_anchors() needs to find the end of the log: every
// key line, and the few anchors with the highest sequences. An anchor a minute for years makes
// verifying every signature too slow: a year of them takes a minute. Pure.
class AnchorSummary {
 public:
  // Call in file order. Lines longer than any that is ever signed are skipped.
  void line(std::string_view line);
  std::string text() const;

 private:
  // More than one, so that a few forged anchors cannot hide a genuine one.
  static constexpr std::size_t kFurthest = 16;
  struct Claimed {
    Sequence sequence = 0;
    std::string line;
  };
  std::string keys_;
  std::vector<Claimed> furthest_;  // ascending
};

class Signer {
 public:
  static constexpr const char* kFile = "anchors";
  static constexpr const char* kKeyFile = "anchor.key";

  // `directory` is private to the daemon; it holds the anchors file and the key.
  static Result<Signer> open(const std::string& directory, const std::string& origin,
                             Random& random, WallTime now);

  // Appends an anchor durably, preceded by a new key if the day has changed. Returns the lines
  // written, so that the caller can store copies elsewhere.
  Result<std::vector<std::string>> sign(const Head& head, WallTime now);

  // Removes lines that are outlived (see is_outlived()), which keeps the file from growing forever.
  // The file is rewritten and replaced atomically and durably. Copies elsewhere are not affected.
  Status forget(Sequence dropped) const;

  // The key line, if open() had to create the first key. The caller stores a copy elsewhere.
  const std::optional<std::string>& first_key_line() const { return first_key_line_; }
  const std::string& public_key() const { return public_; }
  // The last anchor in the file at open(). The log must reach at least this sequence.
  const std::optional<Anchor>& last_known() const { return last_known_; }

 private:
  Signer(std::string directory, std::string origin, Random& random)
      : directory_(std::move(directory)), origin_(std::move(origin)), random_(random) {}

  std::string path(std::string_view name) const { return directory_ + "/" + std::string(name); }
  Status load(WallTime now);
  Status append(const std::string& lines);
  Result<std::string> rotate(std::int64_t day);
  Status replace_key() const;

  std::string directory_;
  std::string origin_;
  Random& random_;
  Secret key_;  // the private half: 32 bytes
  std::int64_t day_ = 0;
  std::string public_;  // hexadecimal
  std::optional<Anchor> last_known_;
  std::optional<std::string> first_key_line_;
  std::string unwritten_;  // goes before the next line: a line end, or a first key line
};

}  // namespace claimsd::audit
