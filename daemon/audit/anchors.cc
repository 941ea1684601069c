// Formats and parses anchor lines. Pure.
#include "daemon/audit/anchors.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "daemon/audit/anchor_lines.h"
#include "daemon/base/hex.h"
#include "daemon/base/parse_integer.h"
#include "daemon/crypto/ed25519.h"

namespace claimsd::audit {
namespace {

constexpr std::string_view kKeyWord = "claimsd-audit-key";
constexpr std::string_view kAnchorWord = "claimsd-audit-anchor";
constexpr std::string_view kUnreadable = "truncated, or written by an unsupported version";

constexpr std::size_t kMaxLine = 1024;
constexpr std::size_t kSignatureHex = 2 * crypto::kEd25519Signature;

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  while (!line.empty()) {
    const std::size_t space = line.find(' ');
    words.push_back(line.substr(0, space));
    line = space == std::string_view::npos ? std::string_view() : line.substr(space + 1);
  }
  return words;
}

// Skips the prefix that the journal adds.
std::string_view from_keyword(std::string_view line) {
  for (const std::string_view word : {kKeyWord, kAnchorWord}) {
    const std::size_t at = line.find(word);
    if (at != std::string_view::npos) return line.substr(at);
  }
  return {};
}

bool signed_by(std::string_view key_hex, std::string_view line, std::string_view signature_hex) {
  const auto key = from_hex(key_hex);
  const auto signature = from_hex(signature_hex);
  if (!key || !signature || line.size() < signature_hex.size() + 1) return false;
  return crypto::ed25519_verify(*key, line.substr(0, line.size() - signature_hex.size() - 1),
                                *signature);
}

class Reading {
 public:
  explicit Reading(const std::optional<std::string>& root) : pinned_(root) {}

  void line(std::string_view line, std::size_t number) {
    const auto words = words_of(line);
    const bool is_key = words[0] == kKeyWord;
    const std::string_view why = is_key ? key(line, words) : anchor(line, words);
    if (why.empty()) return;
    // Only a note, because an attacker who can truncate a line could also have removed it.
    auto& where = why == kUnreadable ? found_.notes : found_.problems;
    where.push_back(fmt::format("line {}: {}", number, why));
  }
  Anchors take() { return std::move(found_); }

 private:
  // claimsd-audit-key 1 ORIGIN DAY PUBLIC PARENT SIGNATURE
  std::string_view key(std::string_view line, const std::vector<std::string_view>& words) {
    if (words.size() != 7 || words[1] != "1" || words[6].size() != kSignatureHex)
      return kUnreadable;
    const std::string fresh(words[4]);
    const std::string parent(words[5]);
    if (!signed_by(parent == "-" ? fresh : parent, line, words[6])) return "invalid signature";
    if (parent != "-") {
      if (keys_.count(parent) == 0) return "signed by an unknown key";
      keys_.insert(fresh);
      return {};
    }
    if (keys_.count(fresh) != 0) return {};  // a repeated line
    const bool trusted = pinned_ ? fresh == *pinned_ : found_.root.empty();
    if (!trusted) return "the first key is not the trusted key";
    found_.root = fresh;
    keys_.insert(fresh);
    return {};
  }

  // claimsd-audit-anchor 1 ORIGIN SEQUENCE LINK EVENTS TIME KEY SIGNATURE
  std::string_view anchor(std::string_view line, const std::vector<std::string_view>& words) {
    if (words.size() != 9 || words[1] != "1" || words[8].size() != kSignatureHex)
      return kUnreadable;
    if (keys_.count(std::string(words[7])) == 0) return "signed by an unknown key";
    if (!signed_by(words[7], line, words[8])) return "invalid signature";
    const auto sequence = parse_integer<Sequence>(words[3]);
    const auto link = array_from_hex<sizeof(Anchor::link)>(words[4]);
    const auto events = parse_integer<std::uint64_t>(words[5]);
    const auto time = parse_integer<std::int64_t>(words[6]);
    if (!sequence || !link || !events || !time) return kUnreadable;
    Anchor anchor;
    anchor.origin = words[2];
    anchor.sequence = *sequence;
    anchor.link = *link;
    anchor.events = *events;
    anchor.time = WallTime(Duration(*time));
    found_.anchors.push_back(std::move(anchor));
    return {};
  }

  const std::optional<std::string>& pinned_;
  std::set<std::string> keys_;
  Anchors found_;
};

}  // namespace

Anchors read_anchors(std::string_view text, const std::optional<std::string>& root) {
  Reading reading(root);
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    const std::string_view line = from_keyword(text.substr(0, end));
    if (!line.empty()) reading.line(line, number);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return reading.take();
}

bool is_anchor(std::string_view line) {
  return from_keyword(line).starts_with(kAnchorWord);
}

bool is_outlived(std::string_view line, Sequence dropped) {
  const auto words = words_of(from_keyword(line));
  if (words.size() < 4 || words[0] != kAnchorWord) return false;
  const auto sequence = parse_integer<Sequence>(words[3]);
  return sequence && *sequence < dropped;
}

void AnchorSummary::line(std::string_view line) {
  line = from_keyword(line);
  if (line.empty() || line.size() > kMaxLine) return;
  const auto words = words_of(line);
  if (words[0] == kKeyWord) {
    keys_.append(line).push_back('\n');
    return;
  }
  const auto sequence = words.size() < 4 ? std::nullopt : parse_integer<Sequence>(words[3]);
  if (!sequence) return;
  if (furthest_.size() == kFurthest && *sequence < furthest_.front().sequence) return;
  const auto after = std::find_if(furthest_.begin(), furthest_.end(),
                                  [&](const Claimed& other) { return other.sequence > *sequence; });
  furthest_.insert(after, {*sequence, std::string(line)});
  if (furthest_.size() > kFurthest) furthest_.erase(furthest_.begin());
}

std::string AnchorSummary::text() const {
  std::string text = keys_;
  for (const Claimed& claimed : furthest_) text.append(claimed.line).push_back('\n');
  return text;
}

std::string signed_key_line(const std::string& origin, std::int64_t day,
                            const std::string& public_hex, const std::string& parent_hex,
                            const Secret& signer) {
  const std::string said =
      fmt::format("{} 1 {} {} {} {}", kKeyWord, origin, day, public_hex, parent_hex);
  return fmt::format("{} {}", said, hex_text(crypto::ed25519_sign(signer, said)));
}

std::string signed_anchor_line(const Anchor& anchor, const std::string& public_hex,
                               const Secret& signer) {
  const std::string said =
      fmt::format("{} 1 {} {} {} {} {} {}", kAnchorWord, anchor.origin, anchor.sequence,
                  hex_text(bytes_of(anchor.link)), anchor.events,
                  anchor.time.time_since_epoch().count(), public_hex);
  return fmt::format("{} {}", said, hex_text(crypto::ed25519_sign(signer, said)));
}

}  // namespace claimsd::audit
