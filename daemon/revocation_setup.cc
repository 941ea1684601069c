#include "daemon/revocation_setup.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>
#include <vector>

#include "daemon/audit/revocation_copy.h"
#include "daemon/store/head_copy.h"
#include "daemon/wiring.h"

namespace claimsd::daemon {
namespace {

// Names this set and the copy that refuses it. After it was accepted the copies are other ones, so
// the same set cannot be accepted a second time with the same text.
std::string acceptance_of(const claims::SetHead& head, const claims::SetHead& copy) {
  constexpr std::size_t kDigits = 8;  // of each
  return store::digest_text(head).substr(0, kDigits) + store::digest_text(copy).substr(0, kDigits);
}

std::size_t rules_in_effect(const store::RevocationFile& file) {
  std::set<claims::ActionId> withdrawn;
  for (const claims::Withdrawal& one : file.withdrawals()) withdrawn.insert(one.action);
  return static_cast<std::size_t>(std::count_if(
      file.rules().begin(), file.rules().end(),
      [&](const claims::Rule& rule) { return withdrawn.count(rule.key.action) == 0; }));
}

// The readable copies of the head.
std::vector<claims::SetHead> copies_of(const RevocationSetup& setup, Log& log) {
  std::vector<claims::SetHead> copies;
  const auto add = [&](const Result<std::optional<claims::SetHead>>& copy) {
    if (!copy)
      log.warning("revocation_copy_unreadable", "a copy of the head of the revocations: {}",
                  copy.error().message);
    if (copy && *copy) copies.push_back(**copy);
  };
  add(store::read_head_copy(revocation_copy_path(setup.config, setup.host_key_source)));
  if (setup.config.audit.enabled)
    add(audit::read_revocation_copy(setup.config.audit.directory.native()));
  return copies;
}

tl::unexpected<Error> older(const RevocationSetup& setup, const store::RevocationFile& file,
                            const claims::SetHead& copy) {
  const claims::SetHead& head = file.head();
  const std::string& directory = setup.config.revocations.directory.native();
  return failure(fmt::format(
      "the revocations in {} are not the newest: this set has {} changes and {} rules, but the "
      "copy "
      "of its head beside the host key or in the audit log has {} changes. Mount the disk that "
      "holds "
      "{}, or restore its newest copy. To use this set, which makes later revocations void, start "
      "claimsd once with --accept-revocations={}",
      directory, head.sequence, file.rules().size(), copy.sequence, directory,
      acceptance_of(head, copy)));
}

}  // namespace

std::string revocation_copy_path(const config::Config& config, store::HostKeySource source) {
  if (source == store::HostKeySource::kFile) return config.cache.key_file.native() + ".revocations";
  return config.revocations.directory.native() + ".head";
}

Result<OpenedRevocations> open_revocations(const RevocationSetup& setup, Random& random,
                                           const Now& now, Log& log) {
  const config::RevocationsConfig& revocations = setup.config.revocations;
  const Secret key = TRY(store::load_revocation_key(revocations.directory, random));
  store::HmacFingerprinter fingerprinter =
      TRY(store::HmacFingerprinter::create(key, upstream_names_from(setup.config)));
  auto file = TRY(store::RevocationFile::open(
      {.directory = revocations.directory,
       .boot_id = setup.boot_id,
       .max_rules = revocations.max_entries,
       .head_copy = revocation_copy_path(setup.config, setup.host_key_source)},
      key, now));
  std::string accepted;
  const std::vector<claims::SetHead> copies = copies_of(setup, log);
  if (const claims::SetHead* const copy = claims::refusing_copy(file->head(), copies)) {
    const std::string acceptance = acceptance_of(file->head(), *copy);
    if (setup.accepted_digest != acceptance) return older(setup, *file, *copy);
    accepted = fmt::format("revocations accepted: {} changes, digest {}, instead of {} changes",
                           file->head().sequence, acceptance, copy->sequence);
    TRY(file->supersede(copy->sequence));
    log.warning("revocations_accepted", "{}", accepted);
  }
  if (file->head().sequence > 0) {
    if (const Status copied = file->save_copy(); !copied)
      log.warning("revocation_copy_failed", "{}", copied.error().message);
  }
  log.info("revocations_loaded", "{} rules in effect, {} withdrawn actions, {} changes so far",
           rules_in_effect(*file), file->withdrawals().size(), file->head().sequence);
  return OpenedRevocations{std::move(fingerprinter), std::move(file), std::move(accepted)};
}

}  // namespace claimsd::daemon
