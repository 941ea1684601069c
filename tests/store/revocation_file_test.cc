// Revocations on disk: rules survive a restart, and an unreadable file prevents startup.
#include "daemon/store/revocation_file.h"

#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <random>

#include "daemon/store/head_copy.h"
#include "daemon/store/hmac_fingerprinter.h"
#include "tests/store/store_fixture.h"
#include "tests/support/catch.h"

namespace claimsd::store::testing {
namespace {

using namespace std::chrono_literals;

// MDB_page's header has 16 bytes, and mm_txnid is the last of MDB_meta's 136 (LMDB 0.9, mdb.c).
constexpr std::size_t kMetaTransaction = 16 + 128;

constexpr Now kNow{BootTime(1000s), WallTime(1'767'225'600s)};

claims::ActionId action(std::uint8_t number) {
  claims::ActionId id;
  id.bytes[0] = number;
  return id;
}

claims::Rule rule(std::uint8_t number, claims::RuleKind kind = claims::RuleKind::kToken,
                  Duration length = 1h) {
  claims::Rule made{.key = {action(number), 0},
                    .name = {kind, {}},
                    .made_at = kNow,
                    .ends = claims::end_after(kNow, length),
                    .actor_uid = 7,
                    .author = {{number, 9}}};
  made.name.subject.bytes[0] = number;
  made.not_before = kNow.wall;
  made.without_iat_ends = claims::end_after(kNow, length / 2);
  return made;
}

claims::RevocationChange adding(std::vector<claims::Rule> rules) {
  return {.rules = std::move(rules)};
}

struct Fixture {
  ScratchDirectory directory;
  SystemRandom random;
  std::string path = directory / "revocations";
  std::string copy = directory / "head";
  std::string data = path + "/revocations.mdb";

  Result<std::unique_ptr<RevocationFile>> open(const Now& now = kNow,
                                               const std::string& boot = "boot-1") {
    const Result<Secret> key = load_revocation_key(path, random);
    REQUIRE(key);
    return RevocationFile::open({.directory = path, .boot_id = boot, .head_copy = copy}, *key, now);
  }
  void add(std::vector<claims::Rule> rules) {
    const auto file = open();
    REQUIRE(file);
    REQUIRE((*file)->write(adding(std::move(rules))));
  }
  // Rules after a start at this time, whose first write is made.
  std::size_t rules_at(const Now& now, const std::string& boot = "boot-1") {
    const auto file = open(now, boot);
    REQUIRE(file);
    REQUIRE((*file)->write((*file)->take_due()));
    return (*file)->rules().size();
  }
};

}  // namespace

TEST_CASE("a stored rule is unchanged after reopening") {
  Fixture fixture;
  const claims::Rule kept = rule(1, claims::RuleKind::kUser);
  fixture.add({kept, rule(2)});
  const auto again = fixture.open();
  REQUIRE(again);
  REQUIRE((*again)->rules().size() == 2);
  const claims::Rule& found = (*again)->rules()[0];
  CHECK(found.key == kept.key);
  CHECK(found.name == kept.name);
  CHECK(found.made_at.wall == kept.made_at.wall);
  CHECK(found.ends.wall == kept.ends.wall);
  CHECK(found.ends.boot == kept.ends.boot);
  CHECK(found.not_before == kept.not_before);
  CHECK(found.without_iat_ends.boot == kept.without_iat_ends.boot);
  CHECK(found.actor_uid == 7);
  CHECK(found.author == rule(1).author);
}

TEST_CASE("a stored withdrawal and the action it withdraws are unchanged after reopening") {
  Fixture fixture;
  fixture.add({rule(1)});
  const claims::Withdrawal made{
      .action = action(1), .made_at = kNow, .ends = rule(1).ends, .actor_uid = 8, .author = {{5}}};
  REQUIRE((*fixture.open())->write({.withdrawals = {made}}));
  const auto again = fixture.open();
  REQUIRE((*again)->withdrawals().size() == 1);
  CHECK((*again)->withdrawals()[0].action == made.action);
  CHECK((*again)->withdrawals()[0].ends.wall == made.ends.wall);
  CHECK((*again)->withdrawals()[0].actor_uid == 8);
  CHECK((*again)->withdrawals()[0].author == made.author);
  CHECK((*again)->rules().size() == 1);
}

TEST_CASE("removed and ended rules are gone after reopening") {
  Fixture fixture;
  fixture.add({rule(1), rule(2), rule(3, claims::RuleKind::kLock, 2h)});
  REQUIRE((*fixture.open())->write({.ended_rules = {rule(1).key, rule(9).key}}));
  CHECK((*fixture.open())->rules().size() == 2);
  CHECK(fixture.rules_at({kNow.boot + 90min, kNow.wall + 90min}) == 1);
  CHECK((*fixture.open())->rules().size() == 1);
}

TEST_CASE(
    "a rule's duration restarts at a reboot, but not when the file is reopened in the same boot") {
  Fixture fixture;
  fixture.add({rule(1)});
  const Now rebooted{BootTime(10s), kNow.wall + 48h};
  CHECK(fixture.rules_at(rebooted, "boot-2") == 1);
  const Now later{BootTime(10s + 61min), kNow.wall + 49h};
  CHECK(fixture.rules_at(later, "boot-2") == 0);
}

TEST_CASE("a purge is void after a reboot") {
  Fixture fixture;
  claims::Rule purge = rule(1, claims::RuleKind::kPurgeUser);
  purge.purged_until = kNow.boot;
  fixture.add({purge});
  REQUIRE((*fixture.open())->rules().size() == 1);
  CHECK((*fixture.open())->rules()[0].purged_until == kNow.boot);
  CHECK(fixture.rules_at(kNow, "boot-2") == 0);
  CHECK((*fixture.open(kNow, "boot-2"))->rules().empty());
}

TEST_CASE("each transaction advances the head, and opening does not") {
  Fixture fixture;
  const claims::SetHead empty = (*fixture.open())->head();
  CHECK(empty.sequence == 0);
  fixture.add({rule(1)});
  const claims::SetHead first = (*fixture.open())->head();
  CHECK(first.sequence == 1);
  CHECK((*fixture.open())->head() == first);
  REQUIRE((*fixture.open())->write({.ended_rules = {rule(1).key}}));
  const claims::SetHead second = (*fixture.open())->head();
  CHECK(second.sequence == 2);
  CHECK(second.digest != empty.digest);
  REQUIRE((*fixture.open())->supersede(9));
  CHECK((*fixture.open())->head().sequence == 10);
}

TEST_CASE("a record that is missing from the set, or was put back, is damage") {
  Fixture fixture;
  fixture.add({rule(1), rule(2)});
  std::string value;
  const auto change = [&](const std::function<void(LmdbWriter&, LmdbTable)>& act) {
    auto environment = LmdbEnvironment::open(
        {.path = fixture.data, .map_size = std::size_t{16} << 20, .exclusive = true});
    REQUIRE(environment);
    const LmdbTable table = *environment->table();
    auto writer = environment->write();
    act(*writer, table);
    REQUIRE(writer->commit());
  };
  const std::string key = revocation_key(rule(1).key);
  change([&](LmdbWriter& writer, LmdbTable table) {
    value = std::string(*writer.get(table, key));
    REQUIRE(writer.erase(table, key));
  });
  const auto refused = fixture.open();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("damaged") != std::string::npos);
  change([&](LmdbWriter& writer, LmdbTable table) { REQUIRE(writer.put(table, key, value)); });
  REQUIRE((*fixture.open())->write({.ended_rules = {rule(1).key}}));
  change([&](LmdbWriter& writer, LmdbTable table) { REQUIRE(writer.put(table, key, value)); });
  CHECK_FALSE(fixture.open());
}

TEST_CASE("an older file, a missing one and a replaced directory are behind the copy of the head") {
  Fixture fixture;
  fixture.add({rule(1)});
  const std::string older = read_file(fixture.data);
  {
    const auto file = fixture.open();
    REQUIRE((*file)->write(adding({rule(2)})));
    REQUIRE((*file)->save_copy());
  }
  const auto copy = read_head_copy(fixture.copy);
  REQUIRE(copy);
  REQUIRE(*copy);
  const auto behind = [&] {
    const auto file = fixture.open();
    return file && claims::refusing_copy((*file)->head(), {&**copy, 1}) != nullptr;
  };
  CHECK_FALSE(behind());
  SECTION("an older file") {
    write_file(fixture.data, older);
    CHECK(behind());
  }
  SECTION("a missing file") {
    std::filesystem::remove(fixture.data);
    CHECK(behind());
  }
  SECTION("a missing directory") {
    std::filesystem::remove_all(fixture.path);
    CHECK(behind());
  }
  SECTION("a flipped bit in the newer meta page") {
    // LMDB's meta pages are pages 0 and 1; the newer has the higher transaction number, at byte
    // 128 of the 4 KiB page. Without its lowest bits LMDB takes the other one.
    std::string bytes = read_file(fixture.data);
    std::size_t newer = 0;
    std::uint64_t highest = 0;
    for (const std::size_t page : {std::size_t{0}, std::size_t{4096}}) {
      std::uint64_t number = 0;
      std::memcpy(&number, bytes.data() + page + kMetaTransaction, sizeof number);
      if (number > highest) {
        highest = number;
        newer = page;
      }
    }
    REQUIRE(highest > 1);
    const std::uint64_t zero = 0;
    std::memcpy(bytes.data() + newer + kMetaTransaction, &zero, sizeof zero);
    write_file(fixture.data, bytes);
    CHECK(behind());
  }
}

TEST_CASE("a damaged copy of the head is an error, and a missing one is none") {
  Fixture fixture;
  const auto missing = read_head_copy(fixture.copy);
  REQUIRE(missing);
  CHECK_FALSE(*missing);
  claims::SetHead head{.sequence = 12};
  head.digest[3] = 9;
  REQUIRE(write_head_copy(fixture.copy, head));
  CHECK(mode_of(fixture.copy) == 0600);
  const auto found = read_head_copy(fixture.copy);
  REQUIRE(found);
  CHECK(**found == head);
  const std::string text = read_file(fixture.copy);
  for (std::size_t at = 0; at < text.size(); ++at) {
    std::string damaged = text;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    write_file(fixture.copy, damaged);
    CHECK_FALSE(read_head_copy(fixture.copy));
  }
  write_file(fixture.copy, "");
  CHECK_FALSE(read_head_copy(fixture.copy));
}

TEST_CASE("without its key the file is rejected with advice") {
  Fixture fixture;
  fixture.add({rule(1)});
  std::filesystem::remove(fixture.path + "/key");
  const auto refused = fixture.open();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("backup") != std::string::npos);
}

TEST_CASE("revocations of another version are refused with both versions and the fix") {
  Fixture fixture;
  fixture.add({rule(1)});
  {
    auto file = LmdbEnvironment::open({.path = fixture.path + "/revocations.mdb",
                                       .map_size = std::size_t{16} << 20,
                                       .exclusive = true});
    REQUIRE(file);
    const auto table = file->table();
    auto writer = file->write();
    REQUIRE(table);
    REQUIRE(writer);
    REQUIRE(writer->put(*table, std::string(33, '\1'), std::string("\3\0 of a later version", 21)));
    REQUIRE(writer->commit());
  }
  const auto refused = fixture.open();
  REQUIRE_FALSE(refused);
  const std::string& message = refused.error().message;
  CHECK(message.find("version 3, but this claimsd needs 2") != std::string::npos);
  CHECK(message.find("move " + fixture.path + " away") != std::string::npos);
}

TEST_CASE("damaged revocations are rejected by name and never crash the daemon") {
  Fixture fixture;
  {
    const auto file = fixture.open();
    for (std::uint8_t i = 0; i < 60; ++i) REQUIRE((*file)->write(adding({rule(i)})));
  }
  const std::string path = fixture.path + "/revocations.mdb";
  constexpr std::size_t kPages = 12;  // in use
  const std::string data = read_file(path);
  std::mt19937_64 dice(3);
  int rejected = 0;
  for (int round = 0; round < 150; ++round) {
    std::string damaged = data;
    const std::size_t page = dice() % kPages * 4096;
    damaged[page + dice() % (round % 2 == 0 ? 64 : 4096)] ^= static_cast<char>(1 << dice() % 8);
    write_file(path, damaged);
    enum { kOpened, kNamed, kNotNamed };
    const pid_t child = fork();
    if (child == 0) {
      for (const int fatal : {SIGSEGV, SIGBUS, SIGABRT}) std::signal(fatal, SIG_DFL);
      const auto opened = fixture.open();
      if (opened) _exit((*opened)->write(adding({rule(99)})) ? int{kOpened} : int{kNotNamed});
      const bool named = opened.error().message.find(path) != std::string::npos;
      _exit(named ? int{kNamed} : int{kNotNamed});
    }
    int status = 0;
    waitpid(child, &status, 0);
    INFO("round " << round);
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) != kNotNamed);
    rejected += WIFEXITED(status) && WEXITSTATUS(status) == kNamed ? 1 : 0;
  }
  CHECK(rejected > 30);
}

TEST_CASE("a revocation directory open to others is rejected") {
  Fixture fixture;
  REQUIRE(fixture.open());
  REQUIRE(chmod(fixture.path.c_str(), 0755) == 0);
  CHECK_FALSE(load_revocation_key(fixture.path, fixture.random));
}

TEST_CASE("a second daemon on the same revocation directory is rejected") {
  Fixture fixture;
  const auto first = fixture.open();
  CHECK_FALSE(fixture.open());
}

TEST_CASE("a failed write is reported, and the next write succeeds") {
  Fixture fixture;
  const auto file = fixture.open();
  REQUIRE((*file)->write(adding({rule(1)})));
  std::vector<claims::Rule> many;
  for (int i = 0; i < 60'000; ++i) {
    many.push_back(rule(2));
    std::memcpy(many.back().key.action.bytes.data() + 4, &i, sizeof i);
  }
  {
    const FullDisk full(std::filesystem::file_size(fixture.data));
    const Status failed = (*file)->write(adding(many));
    REQUIRE_FALSE(failed);
    CHECK(failed.error().message.find("free disk space") != std::string::npos);
  }
  CHECK((*file)->head().sequence == 1);
  CHECK((*file)->write(adding({rule(3)})));
  CHECK((*file)->head().sequence == 2);
}

TEST_CASE("fingerprints differ by token, user, Auth API and key, and not by upstream order") {
  const Secret key(std::string(32, 'k'));
  auto fingerprints = *HmacFingerprinter::create(key, {"a", "b"});
  auto others = *HmacFingerprinter::create(Secret(std::string(32, 'x')), {"a", "b"});
  auto reordered = *HmacFingerprinter::create(key, {"b", "a"});
  CHECK(fingerprints.of_token("x") == reordered.of_token("x"));
  CHECK(fingerprints.of_token("x") != fingerprints.of_token("y"));
  CHECK(fingerprints.of_token("x") != fingerprints.of_user(0, "x"));
  CHECK(fingerprints.of_user(0, "x") != fingerprints.of_user(1, "x"));
  CHECK(fingerprints.of_user(0, "x") == reordered.of_user(1, "x"));
  CHECK(fingerprints.of_token("x") != others.of_token("x"));
}

}  // namespace claimsd::store::testing
