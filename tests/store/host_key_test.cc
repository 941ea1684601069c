#include "daemon/store/host_key.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/store/store_fixture.h"
#include "tests/support/catch.h"
#include "tests/support/skip.h"

using namespace claimsd;
using namespace claimsd::store;
using namespace claimsd::store::testing;

namespace {

constexpr auto kFile = HostKeySource::kFile;
constexpr auto kCredential = HostKeySource::kCredential;

struct KeyBench {
  ScratchDirectory dir;
  SystemRandom random;
  std::string path = dir / "host.key";

  Result<Secret> load(HostKeySource source = kFile) { return load_host_key(path, source, random); }
  // The error message of a failed load.
  std::string refusal(HostKeySource source = kFile) {
    const auto loaded = load(source);
    REQUIRE_FALSE(loaded);
    return loaded.error().message;
  }
  void write(std::size_t size = 32, mode_t mode = 0400) {
    write_file(path, std::string(size, 'k'));
    chmod(path.c_str(), mode);
  }
};

}  // namespace

TEST_CASE("a missing host key is created once, readable by its owner only") {
  KeyBench bench;
  const auto first = bench.load();
  REQUIRE(first);
  CHECK(first->view().size() == 32);
  CHECK(first->view() != std::string(32, '\0'));
  CHECK(mode_of(bench.path) == 0400);
  CHECK(bench.load()->view() == first->view());
  std::size_t files = 0;
  for ([[maybe_unused]] const auto& file : std::filesystem::directory_iterator(bench.dir.path())) {
    ++files;
  }
  CHECK(files == 1);  // no temporary file remains
}

TEST_CASE("two hosts have different keys") {
  KeyBench one;
  KeyBench other;
  CHECK(one.load()->view() != other.load()->view());
}

TEST_CASE("a missing directory of a host key is created private to its owner") {
  KeyBench bench;
  bench.path = bench.dir / "sub/host.key";
  REQUIRE(bench.load());
  CHECK(mode_of(bench.dir / "sub") == 0700);
}

TEST_CASE("a host key readable by others is rejected") {
  KeyBench bench;
  for (const mode_t mode : {0440U, 0404U, 0420U, 0401U, 0644U}) {
    bench.write(32, mode);
    CHECK_THAT(bench.refusal(), ContainsSubstring(bench.path) &&
                                    ContainsSubstring("other users can access the host key"));
    unlink(bench.path.c_str());
  }
}

TEST_CASE("a host key of the wrong size is rejected") {
  KeyBench bench;
  for (const std::size_t size : {0U, 31U, 33U}) {
    bench.write(size);
    CHECK_THAT(bench.refusal(), ContainsSubstring("instead of 32"));
    unlink(bench.path.c_str());
  }
}

TEST_CASE("a host key behind a symbolic link is rejected") {
  KeyBench bench;
  bench.write();
  REQUIRE(symlink(bench.path.c_str(), (bench.dir / "link").c_str()) == 0);
  bench.path = bench.dir / "link";
  CHECK_THAT(bench.refusal(), ContainsSubstring("symbolic link"));
}

TEST_CASE("a host key that is not a regular file is rejected without blocking") {
  KeyBench bench;
  REQUIRE(mkfifo(bench.path.c_str(), 0400) == 0);
  CHECK_THAT(bench.refusal(), ContainsSubstring("not a regular file"));
  unlink(bench.path.c_str());
  REQUIRE(mkdir(bench.path.c_str(), 0700) == 0);
  CHECK_THAT(bench.refusal(), ContainsSubstring("not a regular file"));
}

TEST_CASE("a host key of another user is rejected") {
  KeyBench bench;
  bench.write();
  if (!claimsd::test::has_root()) return;
  REQUIRE(chown(bench.path.c_str(), 12345, 12345) == 0);
  CHECK_THAT(bench.refusal(), ContainsSubstring("belongs to uid 12345"));
}

TEST_CASE("a host key in a directory where others can replace it is rejected") {
  KeyBench bench;
  bench.write();
  chmod(bench.dir.path().c_str(), 0777);
  CHECK_THAT(bench.refusal(), ContainsSubstring("other users can replace files"));
  chmod(bench.dir.path().c_str(), 0755);
  CHECK(bench.load());
}

TEST_CASE("failing to write a host key reports the path and the cause") {
  KeyBench bench;
  bench.path = bench.dir / "missing/sub/host.key";
  CHECK_THAT(bench.refusal(),
             ContainsSubstring(bench.dir / "missing/sub") && ContainsSubstring("No such file"));
  bench.path = bench.dir / "host.key";
  const FullDisk disk(0);
  CHECK_THAT(bench.refusal(),
             ContainsSubstring("cannot create the host key") && ContainsSubstring("too large"));
  CHECK(std::filesystem::is_empty(bench.dir.path()));
}

TEST_CASE("a credential is read, even if group-readable and owned by root, but never created") {
  KeyBench bench;
  CHECK_THAT(bench.refusal(kCredential), ContainsSubstring("provide it"));
  CHECK_FALSE(std::filesystem::exists(bench.path));
  bench.write();
  CHECK(bench.load(kCredential));
  chmod(bench.path.c_str(), 0440);
  if (geteuid() == 0) CHECK(bench.load(kCredential));
  chmod(bench.path.c_str(), 0444);
  CHECK_THAT(bench.refusal(kCredential), ContainsSubstring("other users can access the host key"));
}

TEST_CASE("daemons that start simultaneously agree on one host key") {
  KeyBench bench;
  constexpr int kDaemons = 8;
  int gate[2];
  int keys[2];
  REQUIRE(pipe(gate) == 0);
  REQUIRE(pipe(keys) == 0);
  for (int i = 0; i < kDaemons; ++i) {
    if (fork() != 0) continue;
    close(gate[1]);
    char go = 0;
    (void)!read(gate[0], &go, 1);  // wait for all to start
    const auto key = bench.load();
    const std::string sent = key ? std::string(key->view()) : std::string(32, '\0');
    _exit(write(keys[1], sent.data(), 32) == 32 ? 0 : 1);
  }
  close(gate[0]);
  close(gate[1]);
  close(keys[1]);
  std::string all;
  char buffer[32];
  while (read(keys[0], buffer, 32) == 32) all.append(buffer, 32);
  close(keys[0]);
  for (int i = 0; i < kDaemons; ++i) wait(nullptr);
  REQUIRE(all.size() == 32 * kDaemons);
  for (std::size_t i = 0; i < all.size(); i += 32) CHECK(all.substr(i, 32) == bench.load()->view());
}
