// Every change to a log's files is detected and classified correctly.
#include "tests/audit/tampering.h"

#include <cstdlib>
#include <set>

using namespace claimsd;
using namespace claimsd::audit;
using namespace claimsd::audit::testing;

namespace {

// To run more: CLAIMSD_AUDIT_MUTATIONS=10000.
std::uint64_t mutation_count() {
  const char* const wanted = std::getenv("CLAIMSD_AUDIT_MUTATIONS");
  return wanted == nullptr ? 1500 : std::strtoull(wanted, nullptr, 10);
}

// All content of a log.
std::string contents_of(const std::string& directory) {
  std::string all;
  for (const SegmentFile& file : segment_files(directory)) {
    const auto view = SegmentView::open(file.path);
    if (!view) return "";
    all += std::to_string(view->head().sequence) + view->identity().origin;
    view->each(1, [&](const StoredRow& row) {
      all += std::to_string(row.key) + std::string(row.record) + std::string(bytes_of(row.link));
      return true;
    });
  }
  return all;
}

}  // namespace

TEST_CASE("an untouched log verifies, with certainty up to the last anchor") {
  const ScratchDirectory scratch;
  const KnownLog log = make_log(scratch.path());
  const Verification done = verified(log.directory, read_anchors(log.anchors_text));
  CHECK(sentence_of(done) == "healthy");
  CHECK(done.anchors == 8);
  CHECK(done.anchored == 160);
  CHECK(done.records == 180);
  CHECK(sentence_of(verified(log.directory)) == "healthy");
}

TEST_CASE("random mutations of a log are all detected and classified correctly") {
  const ScratchDirectory scratch;
  const KnownLog log = make_log(scratch.path());
  const Anchors anchors = read_anchors(log.anchors_text);
  REQUIRE(anchors.problems.empty());
  Dice dice(20241004);
  std::set<std::string> done_kinds;
  const std::uint64_t wanted = mutation_count();
  for (std::uint64_t done = 0, tried = 0; done < wanted; ++tried) {
    const NamedMutation& mutation = mutations()[tried % mutations().size()];
    const std::string copy = scratch / "copy";
    std::filesystem::remove_all(copy);
    copy_log(log.directory, copy);
    const auto expected = mutation.apply(log, copy, dice);
    if (!expected) continue;
    ++done;
    done_kinds.insert(mutation.name);
    const Verification with = verified(copy, anchors);
    INFO(mutation.name << ", mutation " << tried << ": " << sentence_of(with));
    REQUIRE(with.finding);
    REQUIRE(name_of(with.finding->kind) == name_of(expected->kind));
    if (expected->at != 0) REQUIRE(with.finding->at == expected->at);
    if (mutation.needs_anchors) continue;
    const Verification without = verified(copy);
    INFO("without anchors: " << sentence_of(without));
    REQUIRE(without.finding);
    REQUIRE(name_of(without.finding->kind) == name_of(expected->kind));
  }
  CHECK(done_kinds.size() == mutations().size());
}

TEST_CASE("a flipped bit anywhere in a file is detected unless it changes no content of the log") {
  const ScratchDirectory scratch;
  const KnownLog log = make_log(scratch.path());
  const Anchors anchors = read_anchors(log.anchors_text);
  const std::string before = contents_of(log.directory);
  Dice dice(7);
  std::uint64_t seen = 0;
  for (std::uint64_t i = 0; i < mutation_count() / 5; ++i) {
    const std::string copy = scratch / "copy";
    std::filesystem::remove_all(copy);
    copy_log(log.directory, copy);
    const auto files = segment_files(copy);
    const std::string path = files[dice() % files.size()].path;
    std::string text = file_text(path);
    const std::size_t bit = dice() % (text.size() * 8);
    text[bit / 8] = static_cast<char>(static_cast<std::uint8_t>(text[bit / 8]) ^ (1U << (bit % 8)));
    std::ofstream(path, std::ios::binary) << text;
    const auto done = verify_audit_in_child({.directory = copy, .anchors = anchors});
    REQUIRE(done);
    INFO("bit " << bit << " of " << path);
    if (done->finding) {
      ++seen;
    } else {
      REQUIRE(contents_of(copy) == before);
    }
  }
  CHECK(seen > 0);
}

TEST_CASE("a log whose pages crash LMDB is reported as tampered with") {
  const ScratchDirectory scratch;
  const KnownLog log = make_log(scratch.path());
  const std::string path = segment_files(log.directory).front().path;
  std::string text = file_text(path);
  // After the two meta pages, the header of every page claims another page type.
  for (std::size_t at = 2 * 4096; at + 16 <= text.size(); at += 4096)
    text.replace(at + 8, 8, 8, '\x5a');
  std::ofstream(path, std::ios::binary) << text;
  const auto done = verify_audit_in_child({.directory = log.directory});
  REQUIRE(done);
  REQUIRE(done->finding);
  CHECK(done->finding->kind == Tamper::kChange);
}

TEST_CASE("an anchor with a wrong signature is a forgery, and a truncated anchor is only noted") {
  const ScratchDirectory scratch;
  const KnownLog log = make_log(scratch.path());
  std::string forged = log.anchors_text;
  const auto at = forged.find("claimsd-audit-anchor 1 host.example 40 ");
  REQUIRE(at != std::string::npos);
  forged[at + 36] = '5';
  CHECK(verified(log.directory, read_anchors(forged)).finding->kind == Tamper::kForgery);
  const std::string cut = log.anchors_text.substr(0, log.anchors_text.size() - 30);
  const Verification done = verified(log.directory, read_anchors(cut));
  CHECK(sentence_of(done) == "healthy");
  CHECK(done.anchors == 7);
  CHECK(done.notes.size() == 1);
}

TEST_CASE("anchors signed by another first key are rejected when the root key is given") {
  const ScratchDirectory scratch;
  const KnownLog log = make_log(scratch.path());
  const std::string root = read_anchors(log.anchors_text).root;
  CHECK(read_anchors(log.anchors_text, root).problems.empty());
  CHECK_FALSE(read_anchors(log.anchors_text, std::string(64, 'a')).problems.empty());
}
