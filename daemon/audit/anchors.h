// anchors.h: signed statements of how far the log was at a time, kept where the log is not: in a
// file elsewhere, in the journal. FORMAT.md is the prose of the lines.
//
// Each day has a key pair of its own. The public half of the new one is signed by the old one,
// whose private half is then destroyed: who breaks in today can sign what he likes from today on,
// but nothing of yesterday. Which key came first is for the operator to write down (`root`): an
// anchors file as a whole can be replaced by one with other keys.
//
// Reading is pure. AuditSigner blocks on the disk; one thread.
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

namespace claimsd::daemon {

struct AuditAnchor {
  std::string origin;
  AuditSequence sequence = 0;
  AuditLink link{};
  std::uint64_t events = 0;
  WallTime time{};
};

// What a text of anchors holds, after every signature was checked.
struct AuditAnchors {
  std::string root;  // the public half of the first key, in hexadecimal; empty: there is none
  std::vector<AuditAnchor> anchors;   // as they stand
  std::vector<std::string> problems;  // lines that nobody trustworthy signed: "line 7: …"
  std::vector<std::string> notes;     // lines that say nothing, as one that a crash cut off
};

// Lines that are neither a key's nor an anchor's are passed over, so a journal's text will do. The
// first key is trusted unless `root` names another.
AuditAnchors read_anchors(std::string_view text, const std::optional<std::string>& root = {});

// Of a line in the daemon's own file: an anchor whose record was dropped with its segment, and all
// that were before it. Keys are never outlived, as each vouches for the next. Pure.
bool is_outlived(std::string_view line, AuditSequence dropped);

// Of very many lines those that tell how far the log was, for read_anchors(): each key's, and the
// few anchors that claim to be furthest. There is one a minute for years, and looking at a year of
// signatures takes a minute. Pure.
class AnchorsGist {
 public:
  // In their order. Longer ones than anybody signed are passed over.
  void line(std::string_view line);
  std::string text() const;

 private:
  // So many false ones do not hide a true one.
  static constexpr std::size_t kFurthest = 16;
  struct Claimed {
    AuditSequence sequence = 0;
    std::string line;
  };
  std::string keys_;
  std::vector<Claimed> furthest_;  // ascending
};

class AuditSigner {
 public:
  static constexpr const char* kFile = "anchors";
  static constexpr const char* kKeyFile = "anchor.key";

  // Keeps anchors and key in `directory`, which is private.
  static Result<AuditSigner> open(const std::string& directory, const std::string& origin,
                                  Random& random, WallTime now);

  // Appends the anchor to the file, durably, after a new key where a new day began; gives back the
  // lines, to be kept elsewhere as well.
  Result<std::vector<std::string>> sign(const AuditHead& head, WallTime now);

  // Takes what is_outlived() out of the file, which would grow for ever: written anew and put in
  // the old one's place, durably. What was kept elsewhere stays as it is.
  Status forget(AuditSequence dropped) const;

  // The line of a first key that open() had to make: to be kept elsewhere as well.
  const std::optional<std::string>& first_key_line() const { return first_key_line_; }
  const std::string& public_key() const { return public_; }
  // The last anchor that the file had at open(): the log must be at least as far.
  const std::optional<AuditAnchor>& last_known() const { return last_known_; }

 private:
  AuditSigner(std::string directory, std::string origin, Random& random)
      : directory_(std::move(directory)), origin_(std::move(origin)), random_(random) {}

  std::string path(std::string_view name) const { return directory_ + "/" + std::string(name); }
  Status load(WallTime now);
  Status append(const std::string& lines) const;
  Result<std::string> rotate(std::int64_t day);
  Status replace_key() const;

  std::string directory_;
  std::string origin_;
  Random& random_;
  Secret key_;  // the private half: 32 bytes
  std::int64_t day_ = 0;
  std::string public_;  // hexadecimal
  std::optional<AuditAnchor> last_known_;
  std::optional<std::string> first_key_line_;
};

}  // namespace claimsd::daemon
