// The log on disk: segments, the chain across them, retention, and opening after a crash.
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <random>

#include "tests/audit/audit_fixture.h"

using namespace claimsd;
using namespace claimsd::audit;
using namespace claimsd::audit::testing;

TEST_CASE("a new log verifies, and continues after it is reopened") {
  const ScratchDirectory scratch;
  {
    Store store = open_store(scratch.path());
    append_refusals(store, 0, 120);
    CHECK(store.head().sequence == 120);
  }
  {
    Store store = open_store(scratch.path());
    CHECK(store.head().sequence == 120);
    CHECK_FALSE(store.damaged_at());
    append_refusals(store, 120, 30);
  }
  const Verification done = verified(scratch.path());
  CHECK(sentence_of(done) == "healthy");
  CHECK(done.records == 150);
  CHECK(done.last == 150);
  CHECK_FALSE(done.cannot_tell.empty());
}

TEST_CASE("an empty log verifies") {
  const ScratchDirectory scratch;
  { const Store store = open_store(scratch.path()); }
  const Verification done = verified(scratch.path());
  CHECK(sentence_of(done) == "healthy");
  CHECK(done.records == 0);
}

TEST_CASE("a full segment is followed by the next, and the chain continues") {
  const ScratchDirectory scratch;
  {
    Store store = open_store(scratch.path(), 64 << 10);
    append_refusals(store, 0, 2000);
    CHECK(store.segments().size() > 3);
  }
  const Verification done = verified(scratch.path());
  CHECK(sentence_of(done) == "healthy");
  CHECK(done.records == 2000);
}

TEST_CASE("each day has its own segment") {
  const ScratchDirectory scratch;
  {
    Store store = open_store(scratch.path());
    for (int day = 0; day < 4; ++day) append_refusals(store, 0, 5, kNoon + std::chrono::days(day));
    CHECK(store.segments().size() == 4);
  }
  CHECK(sentence_of(verified(scratch.path())) == "healthy");
}

TEST_CASE("retention records and drops whole old segments, and the remaining log verifies") {
  const ScratchDirectory scratch;
  const Retention retention{std::chrono::days(3), 0};
  WallTime now = kNoon;
  {
    Store store = open_store(scratch.path(), 64U << 20U, now, retention);
    for (int day = 0; day < 8; ++day, now += std::chrono::days(1)) {
      append_refusals(store, 0, 5, now);
      REQUIRE(store.retain(now) == Appended::kDurable);
    }
    CHECK(store.segments().size() < 8);
    CHECK(store.segments().front().first > 1);
    CHECK(store.head().dropped + 1 == store.segments().front().first);
  }
  const Verification done = verified(scratch.path());
  CHECK(sentence_of(done) == "healthy");
  CHECK(done.first > 1);
  CHECK(done.events > done.records);  // counts of dropped records are still included
  const Store again = open_store(scratch.path(), 64U << 20U, now, retention);
  CHECK_FALSE(again.damaged_at());
}

TEST_CASE("damaged segments never crash the daemon: it continues behind them or names the file") {
  const ScratchDirectory scratch;
  {
    Store store = open_store(scratch.path(), 96 << 10);
    append_refusals(store, 0, 900);
    REQUIRE(store.segments().size() >= 3);
  }
  std::mt19937_64 dice(4);
  int continued = 0;
  int named = 0;
  for (int round = 0; round < 60; ++round) {
    const ScratchDirectory copy;
    std::filesystem::copy(scratch.path(), copy.path());
    const auto files = segment_files(copy.path());
    const std::string& path = files[round % 2 == 0 ? files.size() - 1 : dice() % files.size()].path;
    std::string data = file_text(path);
    // Bits in the front of two pages, where LMDB keeps its structure.
    for (int i = 0; i < 2; ++i)
      data[dice() % (data.size() / 4096) * 4096 + dice() % 64] ^=
          static_cast<char>(1 << dice() % 8);
    std::ofstream(path, std::ios::binary | std::ios::trunc) << data;
    enum { kOpened, kNamed, kOther };
    const pid_t child = fork();
    if (child == 0) {
      for (const int fatal : {SIGSEGV, SIGBUS, SIGABRT}) std::signal(fatal, SIG_DFL);
      auto store = Store::open({copy.path(), "host.example", 96 << 10, {}}, kNoon);
      if (!store)
        _exit(store.error().message.find(path) == std::string::npos ? int{kOther} : int{kNamed});
      Record record = refusal_number(7);
      _exit(store->append({&record, 1}, kNoon) == Appended::kDurable ? int{kOpened} : int{kOther});
    }
    int status = 0;
    waitpid(child, &status, 0);
    INFO("round " << round << " " << path);
    REQUIRE(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) != kOther);
    (WEXITSTATUS(status) == kOpened ? continued : named) += 1;
  }
  // Both outcomes occur; how often depends on where the damage lies.
  CHECK(continued > 0);
  CHECK(named > 0);
}

TEST_CASE("retention by size keeps the newest segment even if it is too large") {
  const ScratchDirectory scratch;
  Store store = open_store(scratch.path(), 64 << 10, kNoon, {Duration{}, 1});
  append_refusals(store, 0, 1500);
  REQUIRE(store.retain(kNoon) == Appended::kDurable);
  CHECK(store.segments().size() <= 2);  // the record of the drop may have started another
  append_refusals(store, 0, 10);
}

TEST_CASE("a drop that a crash interrupted is completed at the next start") {
  const ScratchDirectory scratch;
  const ScratchDirectory aside;
  std::string oldest;
  {
    Store store = open_store(scratch.path(), 64 << 10, kNoon, {Duration{}, 200 << 10});
    append_refusals(store, 0, 2000);
    oldest = store.segments().front().path;
    std::filesystem::copy_file(oldest, aside / "oldest");
    REQUIRE(store.retain(kNoon) == Appended::kDurable);
    REQUIRE_FALSE(std::filesystem::exists(oldest));
  }
  std::filesystem::copy_file(aside / "oldest", oldest);
  const Sequence before = open_store(scratch.path(), 64 << 10).head().sequence;
  CHECK_FALSE(std::filesystem::exists(oldest));
  CHECK(verified(scratch.path()).last == before);
}

TEST_CASE("an audit log of another version is refused with both versions and the fix") {
  const ScratchDirectory scratch;
  std::string path;
  {
    Store store = open_store(scratch.path());
    append_refusals(store, 0, 10);
    path = store.segments().back().path;
  }
  {
    auto file = store::LmdbEnvironment::open(
        {.path = path, .map_size = std::size_t{256} << 20, .exclusive = true, .max_tables = 4});
    REQUIRE(file);
    const auto about = file->table("about");
    auto writer = file->write();
    REQUIRE(about);
    REQUIRE(writer);
    REQUIRE(writer->put(*about, "identity", "\x07 of a later version"));
    REQUIRE(writer->commit());
  }
  const auto refused = Store::open({scratch.path(), "host.example", 64U << 20U, {}}, kNoon);
  REQUIRE_FALSE(refused);
  const std::string& message = refused.error().message;
  CHECK(message.find("version 7, but this claimsd needs 2") != std::string::npos);
  CHECK(message.find("damaged") == std::string::npos);
  CHECK(message.find("move the directory " + scratch.path() + " away") != std::string::npos);
}

TEST_CASE("a segment left incomplete by a crash does not count as missing") {
  const ScratchDirectory scratch;
  {
    Store store = open_store(scratch.path());
    append_refusals(store, 0, 10);
  }
  std::ofstream(scratch / (segment_name(11, 0) + ".new")) << "half";
  Store store = open_store(scratch.path());
  append_refusals(store, 10, 10, kNoon + std::chrono::days(1));
  CHECK(store.segments().size() == 2);
}

TEST_CASE("a segment that does not verify is left unchanged and the log continues in a new one") {
  const ScratchDirectory scratch;
  std::string path;
  {
    Store store = open_store(scratch.path());
    append_refusals(store, 0, 20);
    path = store.segments().back().path;
  }
  std::string text = file_text(path);
  const auto at = text.find("gunicorn");
  REQUIRE(at != std::string::npos);
  for (auto next = at; next != std::string::npos; next = text.find("gunicorn", next))
    text[next] = 'G';
  std::ofstream(path, std::ios::binary) << text;
  Store store = open_store(scratch.path());
  CHECK(store.damaged_at());
  CHECK(store.segments().size() == 2);
  append_refusals(store, 20, 5);
  CHECK(store.head().sequence == 25);
  CHECK(verified(scratch.path()).finding->kind == Tamper::kChange);
}

TEST_CASE("an unclean end of the previous run is detected") {
  const ScratchDirectory scratch;
  {
    Store store = open_store(scratch.path());
    append_refusals(store, 0, 3);
  }
  {
    Store store = open_store(scratch.path());
    CHECK(store.ended_badly());
    Record stopped;
    stopped.event = Event::kStopped;
    REQUIRE(store.append({&stopped, 1}, kNoon) == Appended::kDurable);
  }
  CHECK_FALSE(open_store(scratch.path()).ended_badly());
}

TEST_CASE("records are found by user and by token through the indexes") {
  const ScratchDirectory scratch;
  Store store = open_store(scratch.path());
  append_refusals(store, 0, 100);
  std::vector<Record> denials{denial_of("7"), denial_of("77"), denial_of("7")};
  REQUIRE(store.append(denials, kNoon) == Appended::kDurable);
  std::vector<Sequence> found;
  const auto note = [&](Sequence sequence) {
    found.push_back(sequence);
    return true;
  };
  REQUIRE(store.each_segment([&](const SegmentView& view) {
    CHECK(view.each_of_user("7", note));
    CHECK(view.each_of_token(token_number(42), note));
    CHECK(view.each_of_user("8", note));
    return true;
  }));
  CHECK(found == std::vector<Sequence>{101, 103, 43});
}
