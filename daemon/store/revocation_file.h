// revocation_file.h: the revocations on disk: a small, durable LMDB environment of their own, which
// no reboot, reload, key rotation or clearing of the cache touches.
//
// A directory (0700), which holds
//   lock             taken for as long as the file is open: one daemon a directory
//   key              32 random bytes (0400), made with the directory: of fingerprints and checks
//   revocations.mdb  kind and fingerprint -> the rule, in LMDB's main table
// A record: u16 version, sized boot id, eight i64 of nanoseconds (made_at wall and boot, ends wall
// and boot, not_before, undated_ends wall and boot, forget_until), and an HMAC-SHA-256 over its key
// and all of that. Little-endian.
//
// What cannot be read is no reason to begin anew, as it is with the cache: the daemon then must not
// start, or everybody who was revoked would be let in. After a failed write the environment is
// closed; the next write opens and verifies it again first.
//
// Blocks on the disk. One thread at a time: at start the loop thread, then the writer's.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "daemon/base/random.h"
#include "daemon/base/secret.h"
#include "daemon/claims/revocation/revocations.h"
#include "daemon/crypto/hmac_sha256.h"
#include "daemon/store/lmdb.h"
#include "daemon/store/private_directory.h"

namespace claimsd::daemon {

struct RevocationFileOptions {
  std::string directory;
  std::string boot_id;  // /proc/sys/kernel/random/boot_id
  std::size_t max_rules = 100'000;
};

// Makes the directory and its key where they are missing.
Result<Secret> load_revocation_key(const std::string& directory, Random& random);

class RevocationFile {
 public:
  // Also drops what has ended and gives rules of earlier boots their length again.
  static Result<std::unique_ptr<RevocationFile>> open(RevocationFileOptions options,
                                                      const Secret& key, const Now& now);

  // What open() found.
  const std::vector<Rule>& rules() const { return rules_; }

  // On disk when it returns; all of them, or the Error says why none is.
  Status keep(std::span<const Rule> rules);
  Status drop(std::span<const RuleName> names);

 private:
  struct Open {
    LmdbEnvironment environment;
    LmdbTable table;
  };

  RevocationFile(RevocationFileOptions options, DirectoryLock lock, HmacSha256 check)
      : options_(std::move(options)), lock_(std::move(lock)), check_(std::move(check)) {}

  std::string path() const { return options_.directory + "/revocations.mdb"; }
  Result<Open> open_environment() const;
  Result<std::vector<Rule>> read(Open& open, const Now& now);
  Status write(std::span<const Rule> rules, std::span<const RuleName> gone);
  std::string encode(const Rule& rule, const std::string& key);
  std::optional<Rule> decode(std::string_view key, std::string_view value, const Now& now);

  RevocationFileOptions options_;
  DirectoryLock lock_;
  HmacSha256 check_;
  std::optional<Open> open_;  // none: a write failed
  std::vector<Rule> rules_;
  std::vector<RuleName> void_;  // found by read(): they mean nothing any more
};

}  // namespace claimsd::daemon
