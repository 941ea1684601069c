// Revocations on disk: rules survive a restart, and an unreadable file prevents startup.
#include "daemon/store/revocation_file.h"

#include <sys/wait.h>
#include <unistd.h>

#include <random>

#include "daemon/store/hmac_fingerprinter.h"
#include "tests/store/store_fixture.h"
#include "tests/support/catch.h"

namespace claimsd::store::testing {
namespace {

using namespace std::chrono_literals;

constexpr Now kNow{BootTime(1000s), WallTime(1'767'225'600s)};

claims::Rule rule(std::uint8_t number, claims::RuleKind kind = claims::RuleKind::kToken,
                  Duration length = 1h) {
  claims::Rule made{.name = {kind, {}}, .made_at = kNow, .ends = claims::end_after(kNow, length)};
  made.name.subject.bytes[0] = number;
  made.not_before = kNow.wall;
  made.without_iat_ends = claims::end_after(kNow, length / 2);
  return made;
}

struct Fixture {
  TempDir directory;
  SystemRandom random;
  std::string path = directory / "revocations";

  Result<std::unique_ptr<RevocationFile>> open(const Now& now = kNow,
                                               const std::string& boot = "boot-1") {
    const Result<Secret> key = load_revocation_key(path, random);
    REQUIRE(key);
    return RevocationFile::open({.directory = path, .boot_id = boot}, *key, now);
  }
};

}  // namespace

TEST_CASE("a stored rule is unchanged after reopening") {
  Fixture fixture;
  const claims::Rule kept = rule(1, claims::RuleKind::kUser);
  REQUIRE((*fixture.open())->keep(std::vector{kept, rule(2)}));
  const auto again = fixture.open();
  REQUIRE(again);
  REQUIRE((*again)->rules().size() == 2);
  const claims::Rule& found = (*again)->rules()[1];
  CHECK(found.name == kept.name);
  CHECK(found.made_at.wall == kept.made_at.wall);
  CHECK(found.ends.wall == kept.ends.wall);
  CHECK(found.ends.boot == kept.ends.boot);
  CHECK(found.not_before == kept.not_before);
  CHECK(found.without_iat_ends.boot == kept.without_iat_ends.boot);
}

TEST_CASE("dropped and ended rules are gone after reopening") {
  Fixture fixture;
  {
    const auto file = fixture.open();
    REQUIRE((*file)->keep(std::vector{rule(1), rule(2), rule(3, claims::RuleKind::kLock, 2h)}));
    REQUIRE((*file)->drop(std::vector{rule(1).name, rule(9).name}));
  }
  CHECK((*fixture.open())->rules().size() == 2);
  CHECK((*fixture.open({kNow.boot + 90min, kNow.wall + 90min}))->rules().size() == 1);
  CHECK((*fixture.open())->rules().size() == 1);
}

TEST_CASE("after a reboot a rule gets its full duration again, once") {
  Fixture fixture;
  REQUIRE((*fixture.open())->keep(std::vector{rule(1)}));
  const Now rebooted{BootTime(10s), kNow.wall + 48h};
  CHECK((*fixture.open(rebooted, "boot-2"))->rules().size() == 1);
  const Now later{BootTime(10s + 61min), kNow.wall + 49h};
  CHECK((*fixture.open(later, "boot-2"))->rules().empty());
}

TEST_CASE("a purge is void after a reboot") {
  Fixture fixture;
  claims::Rule purge = rule(1, claims::RuleKind::kPurgeUser);
  purge.purged_until = kNow.boot;
  REQUIRE((*fixture.open())->keep(std::vector{purge}));
  REQUIRE((*fixture.open())->rules().size() == 1);
  CHECK((*fixture.open())->rules()[0].purged_until == kNow.boot);
  CHECK((*fixture.open(kNow, "boot-2"))->rules().empty());
}

TEST_CASE("without its key the file is rejected with advice") {
  Fixture fixture;
  REQUIRE((*fixture.open())->keep(std::vector{rule(1)}));
  std::filesystem::remove(fixture.path + "/key");
  const auto refused = fixture.open();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("backup") != std::string::npos);
}

TEST_CASE("revocations of another version are refused with both versions and the fix") {
  Fixture fixture;
  REQUIRE((*fixture.open())->keep(std::vector{rule(1)}));
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
    for (std::uint8_t i = 0; i < 60; ++i) REQUIRE((*file)->keep(std::vector{rule(i)}));
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
      if (opened) _exit((*opened)->keep(std::vector{rule(99)}) ? int{kOpened} : int{kNotNamed});
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
  REQUIRE((*file)->keep(std::vector{rule(1)}));
  std::vector<claims::Rule> many;
  for (int i = 0; i < 60'000; ++i) {
    many.push_back(rule(2));
    std::memcpy(many.back().name.subject.bytes.data() + 4, &i, sizeof i);
  }
  // Limit files to the current size of this one, to simulate a full disk.
  const auto size = std::filesystem::file_size(fixture.path + "/revocations.mdb");
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit small{size, before.rlim_max};
  std::signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &small);
  const Status failed = (*file)->keep(many);
  setrlimit(RLIMIT_FSIZE, &before);
  REQUIRE_FALSE(failed);
  CHECK(failed.error().message.find("repeat the purge or revocation") != std::string::npos);
  CHECK((*file)->keep(std::vector{rule(3)}));
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
