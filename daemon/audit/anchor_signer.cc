// Creates, rotates and destroys the daily anchor keys.
#include <errno.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <system_error>

#include "daemon/audit/anchor_lines.h"
#include "daemon/audit/codec.h"
#include "daemon/audit/retention.h"
#include "daemon/base/fd.h"
#include "daemon/base/hex.h"
#include "daemon/base/read_fully.h"
#include "daemon/crypto/ed25519.h"

namespace claimsd::audit {
namespace {

constexpr std::size_t kKeyFileSize = 8 + crypto::kEd25519Key;  // day, private half

tl::unexpected<Error> file_failure(std::string_view doing, const std::string& path) {
  return failure(
      fmt::format("cannot {} {}: {}; check the disk and that the daemon's user owns the file",
                  doing, path, std::generic_category().message(errno)));
}

constexpr std::size_t kBlock = 65536;  // size of a read or write; longer than any line

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t wrote = write(fd, bytes.data(), bytes.size());
    if (wrote <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return true;
}

bool write_durably(int fd, std::string_view bytes) {
  return write_all(fd, bytes) && fdatasync(fd) == 0;
}

// Visits an anchors file line by line, since it may cover years. Returns a last line that a crash
// truncated.
template <class Visit>
Result<std::string> each_line(int fd, const std::string& path, Visit&& visit) {
  std::string begun;  // a line not yet complete
  char part[kBlock];
  for (;;) {
    const ssize_t got = read(fd, part, sizeof part);
    if (got < 0) return file_failure("read", path);
    if (got == 0) return begun;
    begun.append(part, static_cast<std::size_t>(got));
    std::size_t from = 0;
    for (std::size_t end = 0; (end = begun.find('\n', from)) != std::string::npos; from = end + 1)
      visit(std::string_view(begun).substr(from, end - from));
    begun.erase(0, from);
    begun.resize(std::min(begun.size(), kBlock));
  }
}

struct Known {
  std::string summary;
  bool truncated = false;  // its last line has no end
};

Result<Known> summary_of(const std::string& path) {
  // For writing as well, so that a file of another user is an error at the start.
  const Fd fd(open(path.c_str(), O_RDWR | O_APPEND | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) {
    if (errno == ENOENT) return Known();
    return file_failure("read", path);
  }
  AnchorSummary summary;
  const std::string begun =
      TRY(each_line(fd.get(), path, [&](std::string_view line) { summary.line(line); }));
  summary.line(begun);
  return Known{summary.text(), !begun.empty()};
}

// Copies the lines that are not outlived durably to a new file.
Status copy_rest(const std::string& path, const std::string& to_path, Sequence dropped) {
  const Fd from(open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!from) return file_failure("read", path);
  const Fd to(open(to_path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!to) return file_failure("write", to_path);
  std::string rest;
  bool written = true;
  const auto keep = [&](std::string_view line) {
    if (is_outlived(line, dropped)) return;
    rest.append(line).push_back('\n');
    if (rest.size() < kBlock) return;
    written = written && write_all(to.get(), rest);
    rest.clear();
  };
  const std::string cut_off = TRY(each_line(from.get(), path, keep));
  if (!cut_off.empty()) keep(cut_off);
  if (!written || !write_durably(to.get(), rest)) return file_failure("write", to_path);
  return {};
}

Status write_file(const std::string& path, int flags, std::string_view bytes) {
  const Fd fd(open(path.c_str(), O_WRONLY | O_NOFOLLOW | O_CLOEXEC | flags, 0600));
  if (!fd || !write_durably(fd.get(), bytes)) return file_failure("write", path);
  return {};
}

struct Key {
  std::int64_t day = 0;
  Secret secret;
};

// Nothing if there is no key, or if a crash interrupted its destruction.
Result<std::optional<Key>> read_key(const std::string& path) {
  const Fd fd(open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) {
    if (errno == ENOENT) return std::nullopt;
    return file_failure("read", path);
  }
  Secret bytes(kKeyFileSize + 1);
  const auto size = read_fully(fd.get(), {bytes.data(), kKeyFileSize + 1});
  if (!size) return file_failure("read", path);
  if (*size != kKeyFileSize) return std::nullopt;
  Decoder take(bytes.view());
  Key key;
  key.day = take.integer<std::int64_t>();
  key.secret = Secret(take.raw(crypto::kEd25519Key));
  return key;
}

Secret key_file(std::int64_t day, const Secret& secret) {
  Secret bytes(kKeyFileSize);
  std::string head;
  Encoder(head).integer(day);
  std::memcpy(bytes.data(), head.data(), head.size());
  std::memcpy(bytes.data() + head.size(), secret.view().data(), crypto::kEd25519Key);
  return bytes;
}

}  // namespace

Result<Signer> Signer::open(const std::string& directory, const std::string& origin, Random& random,
                            WallTime now) {
  Signer signer(directory, origin, random);
  TRY(signer.load(now));
  return signer;
}

Status Signer::load(WallTime now) {
  const Known file = TRY(summary_of(path(kFile)));
  const std::string& text = file.summary;
  // Not written now: a full disk must not prevent the start.
  if (file.truncated) unwritten_ = "\n";
  const Anchors known = read_anchors(text);
  for (const Anchor& anchor : known.anchors) {
    if (!last_known_ || anchor.sequence >= last_known_->sequence) last_known_ = anchor;
  }
  const auto listed = [&](const std::string& key) { return text.find(key) != std::string::npos; };
  const std::string fresh_path = path(std::string(kKeyFile) + ".new");
  auto key = TRY(read_key(path(kKeyFile)));
  auto fresh = TRY(read_key(fresh_path));
  // Finish an interrupted rotation if the old key had already signed the new one.
  if (fresh && listed(hex_text(crypto::ed25519_public(fresh->secret)))) {
    TRY(replace_key());
    key = std::move(fresh);
  } else {
    unlink(fresh_path.c_str());
  }
  if (!key) {
    Key made{audit_day(now), Secret(crypto::kEd25519Key)};
    random_.fill(made.secret.data(), crypto::kEd25519Key);
    TRY(write_file(path(kKeyFile), O_CREAT | O_TRUNC, key_file(made.day, made.secret).view()));
    TRY(sync_directory(directory_));
    key = std::move(made);
  }
  key_ = std::move(key->secret);
  day_ = key->day;
  public_ = hex_text(crypto::ed25519_public(key_));
  if (!listed(public_)) {
    first_key_line_ = signed_key_line(origin_, day_, public_, "-", key_);
    unwritten_ += *first_key_line_ + "\n";
    Status written = append("");
    // On a full disk the line goes before the first anchor.
    if (!written && errno != ENOSPC && errno != EDQUOT) return written;
  }
  return {};
}

// After a failure the end of the file may lack its line end. An empty line means nothing.
Status Signer::append(const std::string& lines) {
  Status written = write_file(path(kFile), O_CREAT | O_APPEND, unwritten_ + lines);
  if (written) {
    unwritten_.clear();
  } else if (!unwritten_.starts_with('\n')) {
    unwritten_.insert(0, 1, '\n');
  }
  return written;
}

Status Signer::forget(Sequence dropped) const {
  const std::string fresh_path = path(std::string(kFile) + ".new");
  TRY(copy_rest(path(kFile), fresh_path, dropped));
  if (rename(fresh_path.c_str(), path(kFile).c_str()) != 0)
    return file_failure("rename", fresh_path);
  return sync_directory(directory_);
}

// Overwrites the key before removing its name. This destroys it on a file system that writes in
// place. Copies in a journal, a snapshot or flash memory are out of reach, as is a key that root
// read earlier.
Status Signer::replace_key() const {
  Secret noise(kKeyFileSize);
  random_.fill(noise.data(), kKeyFileSize);
  TRY(write_file(path(kKeyFile), 0, noise.view()));
  const std::string fresh_path = path(std::string(kKeyFile) + ".new");
  if (rename(fresh_path.c_str(), path(kKeyFile).c_str()) != 0) {
    return file_failure("rename", fresh_path);
  }
  return sync_directory(directory_);
}

Result<std::string> Signer::rotate(std::int64_t day) {
  Secret fresh(crypto::kEd25519Key);
  random_.fill(fresh.data(), crypto::kEd25519Key);
  const std::string fresh_public = hex_text(crypto::ed25519_public(fresh));
  TRY(write_file(path(std::string(kKeyFile) + ".new"), O_CREAT | O_TRUNC,
                 key_file(day, fresh).view()));
  const std::string line = signed_key_line(origin_, day, fresh_public, public_, key_);
  TRY(append(line + "\n"));
  TRY(replace_key());
  key_ = std::move(fresh);
  day_ = day;
  public_ = fresh_public;
  return line;
}

Result<std::vector<std::string>> Signer::sign(const Head& head, WallTime now) {
  std::vector<std::string> lines;
  if (audit_day(now) > day_) lines.push_back(TRY(rotate(audit_day(now))));
  const Anchor anchor{origin_, head.sequence, head.link, head.events, now};
  lines.push_back(signed_anchor_line(anchor, public_, key_));
  TRY(append(lines.back() + "\n"));
  return lines;
}

}  // namespace claimsd::audit
