// Verifies a log that a daemon is writing, through the pages it returns.
#include "daemon/audit/verify_live.h"

#include "daemon/audit/live_query.h"
#include "tests/audit/audit_fixture.h"

using namespace claimsd;
using namespace claimsd::audit;
using namespace claimsd::audit::testing;

namespace {

// A log of several segments, the last of which is being written.
struct WrittenLog {
  explicit WrittenLog(std::size_t segment_bytes, std::uint64_t records = 900)
      : store(open_store(scratch.path(), segment_bytes)) {
    append_refusals(store, 1, records);
  }

  Continuation begin(Anchors anchors = {}) const {
    if (store.segments().size() == 1)
      return {std::move(*Hasher::create()), std::move(anchors), store.newest()};
    VerifyOptions options;
    options.directory = scratch.path();
    options.anchors = anchors;
    options.without_newest = true;
    auto closed = verify_audit(options);
    REQUIRE(closed);
    REQUIRE_FALSE(closed->finding);
    return {std::move(*Hasher::create()), std::move(anchors), std::move(*closed)};
  }

  // Reads the rows page by page, as claimsctl does.
  std::vector<Page::Row> rows(Sequence first) const {
    std::vector<Page::Row> all;
    SearchFilter query;
    query.first = first;
    for (;;) {
      const auto page = read_audit_page(store, query);
      REQUIRE(page);
      all.insert(all.end(), page->records.begin(), page->records.end());
      if (page->next > page->last) return all;
      query.first = page->next;
    }
  }

  Verification follow(Continuation rest, const std::vector<Page::Row>& rows) const {
    for (const Page::Row& row : rows) {
      if (!rest.take(row.record, row.link)) break;
    }
    return std::move(rest).end(store.head().sequence);
  }

  Anchors anchor_at_end() const {
    return {.root = {},
            .anchors = {{"host.example", store.head().sequence, store.head().link,
                         store.head().events, kNoon}},
            .problems = {},
            .notes = {}};
  }

  ScratchDirectory scratch;
  Store store;
};

}  // namespace

TEST_CASE("a log being written is verified to its end, with and without older segments") {
  for (const std::size_t segment_bytes : {std::size_t{64} << 20U, std::size_t{48} << 10U}) {
    const WrittenLog log(segment_bytes);
    CHECK((log.store.segments().size() > 2) == (segment_bytes < 1U << 20U));
    Continuation rest = log.begin();
    const auto rows = log.rows(rest.next());
    const Verification done = log.follow(std::move(rest), rows);
    INFO(sentence_of(done));
    CHECK_FALSE(done.finding);
    CHECK(done.last == log.store.head().sequence);
    CHECK(done.link == log.store.head().link);
    CHECK(done.events == log.store.head().events);
    CHECK(done.records == 900);
    CHECK(done.cannot_tell.size() == 3);
  }
}

TEST_CASE("anchors are checked against the segment being written") {
  const WrittenLog log(48U << 10U);
  Continuation rest = log.begin(log.anchor_at_end());
  const auto rows = log.rows(rest.next());
  const Verification done = log.follow(std::move(rest), rows);
  CHECK(sentence_of(done) == "healthy");
  CHECK(done.anchored == done.last);
  CHECK(done.cannot_tell.empty());
}

TEST_CASE("tampering with the segment being written is detected and located") {
  const WrittenLog log(48U << 10U);
  const auto kind_of = [&](auto&& tamper, Anchors anchors = {}) {
    Continuation rest = log.begin(anchors);
    auto rows = log.rows(rest.next());
    REQUIRE(rows.size() > 10);
    const Sequence at = rest.next() + 5;
    tamper(rows);
    const Verification done = log.follow(std::move(rest), rows);
    REQUIRE(done.finding);
    CHECK((done.finding->at == at || done.finding->kind != Tamper::kChange ||
           !anchors.anchors.empty()));
    return done.finding->kind;
  };
  using Rows = std::vector<Page::Row>;
  CHECK(kind_of([](Rows& rows) { rows[5].record.back() ^= 1; }) == Tamper::kChange);
  CHECK(kind_of([](Rows& rows) { rows[5].link[0] ^= 1; }) == Tamper::kChange);
  CHECK(kind_of([](Rows& rows) { rows[5].record.clear(); }) == Tamper::kChange);
  CHECK(kind_of([](Rows& rows) { rows.insert(rows.begin() + 5, rows[4]); }) == Tamper::kChange);
  CHECK(kind_of([](Rows& rows) { rows.erase(rows.begin() + 5); }) == Tamper::kRemoval);
  CHECK(kind_of([](Rows& rows) { rows.resize(rows.size() - 3); }) == Tamper::kRemoval);
  Anchors other = log.anchor_at_end();
  other.anchors.front().link[0] ^= 1;
  CHECK(kind_of([](Rows&) {}, other) == Tamper::kChange);
  Anchors ahead = log.anchor_at_end();
  ++ahead.anchors.front().sequence;
  CHECK(kind_of([](Rows&) {}, ahead) == Tamper::kRollback);
}

TEST_CASE("a first segment with a changed identity is detected") {
  const WrittenLog log(64U << 20U, 20);
  SegmentIdentity begin = log.store.newest();
  begin.before[0] ^= 1;
  Continuation rest(std::move(*Hasher::create()), {}, begin);
  const Verification done = log.follow(std::move(rest), log.rows(1));
  REQUIRE(done.finding);
  CHECK(done.finding->kind == Tamper::kChange);
}
