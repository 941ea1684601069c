#include "tests/audit/tampering.h"

#include <cstring>

#include "daemon/audit/codec.h"

namespace claimsd::audit::testing {
namespace {

constexpr std::uint64_t kPerSegment = 60;
constexpr Sequence kLastAnchor = 160;  // of 180 records; later ones are not protected

store::LmdbEnvironment open_to_change(const std::string& path) {
  auto env = store::LmdbEnvironment::open({.path = path,
                                           .map_size = std::size_t{256} << 20,
                                           .sync = store::LmdbEnvironment::Sync::kNone,
                                           .exclusive = true,
                                           .max_tables = 4});
  REQUIRE(env);
  return std::move(*env);
}

Hasher hasher() {
  auto made = Hasher::create();
  REQUIRE(made);
  return std::move(*made);
}

std::string head_bytes(const Head& head) {
  std::string out;
  Encoder put(out);
  put.integer(head.sequence);
  out += bytes_of(head.link);
  put.integer(head.events);
  put.integer(head.dropped);
  put.integer(static_cast<std::uint8_t>(head.closed ? 1 : 0));
  put.integer(head.revocations.sequence);
  for (const std::uint8_t byte : head.revocations.digest) put.integer(byte);
  return out;
}

std::vector<std::string> paths_in(const std::string& directory) {
  std::vector<std::string> paths;
  for (const SegmentFile& file : segment_files(directory)) paths.push_back(file.path);
  return paths;
}

std::string any_segment(const std::string& directory, Dice& dice) {
  const auto paths = paths_in(directory);
  return paths[dice() % paths.size()];
}

std::string forged_record(Sequence sequence, Dice& dice) {
  Record record = refusal_number(dice());
  record.sequence = sequence;
  return encode_audit_record(record);
}

Link random_link(Dice& dice) {
  Link link;
  for (std::uint8_t& byte : link) byte = static_cast<std::uint8_t>(dice());
  return link;
}

// Recomputes every link from `first` on.
void rehash(OpenedSegment& segment, std::size_t first) {
  Hasher hash = hasher();
  Link link = first == 0 ? segment.identity.before : segment.rows[first - 1].link;
  for (std::size_t i = first; i < segment.rows.size(); ++i) {
    link = segment.rows[i].link = hash.next(link, segment.rows[i].record);
  }
}

enum class Renumber { kNothing, kKeys, kKeysAndRecords };

// Renumbers the rows after `first`, to close or open a gap.
void shift(OpenedSegment& segment, std::size_t first, std::int64_t by, Renumber how) {
  if (how == Renumber::kNothing) return;
  for (std::size_t i = first; i < segment.rows.size(); ++i) {
    auto& row = segment.rows[i];
    row.key = static_cast<Sequence>(static_cast<std::int64_t>(row.key) + by);
    if (how == Renumber::kKeysAndRecords) row.record = with_sequence(row.record, row.key);
  }
}

Mutation change_a_bit() {
  return [](const KnownLog&, const std::string& directory, Dice& dice) -> std::optional<Expected> {
    OpenedSegment segment(any_segment(directory, dice));
    auto& row = segment.rows[dice() % segment.rows.size()];
    const std::size_t bit = dice() % ((row.record.size() + row.link.size()) * 8);
    const auto mask = static_cast<std::uint8_t>(1U << (bit % 8));
    if (bit / 8 < row.record.size()) {
      // The sequence, which shows as reordering or similar instead.
      if (bit / 8 >= 8 && bit / 8 < 16) return std::nullopt;
      row.record[bit / 8] =
          static_cast<char>(static_cast<std::uint8_t>(row.record[bit / 8]) ^ mask);
    } else {
      row.link[bit / 8 - row.record.size()] ^= mask;
    }
    segment.put_back();
    return Expected{Tamper::kChange, row.key};
  };
}

Mutation change_a_record() {
  return [](const KnownLog&, const std::string& directory, Dice& dice) -> std::optional<Expected> {
    OpenedSegment segment(any_segment(directory, dice));
    const std::size_t at = dice() % segment.rows.size();
    auto& row = segment.rows[at];
    row.record = forged_record(row.key, dice);
    // If the link is made to fit, the next record is the one that does not follow.
    const bool fitted = dice() % 2 == 0;
    if (fitted) {
      const Link before = at == 0 ? segment.identity.before : segment.rows[at - 1].link;
      // A change to the very last record shows only at an anchor.
      if (at + 1 == segment.rows.size()) return std::nullopt;
      row.link = hasher().next(before, row.record);
    }
    const Sequence bad = row.key + (fitted ? 1 : 0);
    segment.put_back();
    return Expected{Tamper::kChange, bad};
  };
}

Mutation copy_over() {
  return [](const KnownLog&, const std::string& directory, Dice& dice) -> std::optional<Expected> {
    OpenedSegment segment(any_segment(directory, dice));
    const std::size_t to = dice() % segment.rows.size();
    const std::size_t from = dice() % segment.rows.size();
    if (to == from) return std::nullopt;
    segment.rows[to].record = segment.rows[from].record;
    segment.rows[to].link = segment.rows[from].link;
    segment.put_back();
    return Expected{Tamper::kChange, segment.rows[to].key};
  };
}

Mutation remove(Renumber how) {
  return
      [how](const KnownLog&, const std::string& directory, Dice& dice) -> std::optional<Expected> {
        OpenedSegment segment(any_segment(directory, dice));
        const std::size_t count = 1 + dice() % 3;
        // Two records must remain after the gap; otherwise it would be a truncation.
        if (segment.rows.size() < count + 3) return std::nullopt;
        const std::size_t at = dice() % (segment.rows.size() - count - 2);
        const Sequence bad = segment.rows[at].key;
        const auto first = segment.rows.begin() + static_cast<std::ptrdiff_t>(at);
        segment.rows.erase(first, first + static_cast<std::ptrdiff_t>(count));
        shift(segment, at, -static_cast<std::int64_t>(count), how);
        segment.put_back();
        return Expected{Tamper::kRemoval, bad};
      };
}

Mutation insert(Renumber how) {
  return
      [how](const KnownLog&, const std::string& directory, Dice& dice) -> std::optional<Expected> {
        OpenedSegment segment(any_segment(directory, dice));
        const std::size_t count = 1 + dice() % 3;
        const std::size_t at = dice() % (segment.rows.size() - 1);
        const Sequence bad = segment.rows[at].key;
        const bool with_links = dice() % 2 == 0;
        Link link = at == 0 ? segment.identity.before : segment.rows[at - 1].link;
        shift(segment, at, static_cast<std::int64_t>(count), how);
        Hasher hash = hasher();
        for (std::size_t i = 0; i < count; ++i) {
          OpenedSegment::Row row{bad + i, forged_record(bad + i, dice), {}};
          link = hash.next(link, row.record);
          row.link = with_links ? link : random_link(dice);
          segment.rows.insert(segment.rows.begin() + static_cast<std::ptrdiff_t>(at + i), row);
        }
        segment.put_back();
        return Expected{Tamper::kInsertion, bad};
      };
}

Mutation append_by_hand() {
  return [](const KnownLog&, const std::string& directory, Dice& dice) -> std::optional<Expected> {
    OpenedSegment segment(paths_in(directory).back());
    const Sequence next = segment.rows.back().key + 1;
    OpenedSegment::Row row{next, forged_record(next, dice), {}};
    row.link = hasher().next(segment.rows.back().link, row.record);
    segment.rows.push_back(row);
    segment.put_back();
    return Expected{Tamper::kInsertion, next};
  };
}

Mutation swap_two(bool renumbered) {
  return [renumbered](const KnownLog&, const std::string& directory,
                      Dice& dice) -> std::optional<Expected> {
    OpenedSegment segment(any_segment(directory, dice));
    std::size_t one = dice() % segment.rows.size();
    std::size_t two = dice() % segment.rows.size();
    if (one == two) return std::nullopt;
    if (one > two) std::swap(one, two);
    std::swap(segment.rows[one].record, segment.rows[two].record);
    std::swap(segment.rows[one].link, segment.rows[two].link);
    if (renumbered) {
      for (const std::size_t at : {one, two}) {
        segment.rows[at].record = with_sequence(segment.rows[at].record, segment.rows[at].key);
      }
    }
    segment.put_back();
    return Expected{Tamper::kReordering, segment.rows[one].key};
  };
}

Mutation rotate_some() {
  return [](const KnownLog&, const std::string& directory, Dice& dice) -> std::optional<Expected> {
    OpenedSegment segment(any_segment(directory, dice));
    const std::size_t size = 3 + dice() % 5;
    const std::size_t at = dice() % (segment.rows.size() - size);
    const auto moved = segment.rows[at];
    for (std::size_t i = at; i < at + size; ++i) {
      segment.rows[i].record = segment.rows[i + 1].record;
      segment.rows[i].link = segment.rows[i + 1].link;
    }
    segment.rows[at + size].record = moved.record;
    segment.rows[at + size].link = moved.link;
    segment.put_back();
    return Expected{Tamper::kReordering, segment.rows[at].key};
  };
}

Mutation cut_the_end(bool adjust_head) {
  return [adjust_head](const KnownLog&, const std::string& directory,
                       Dice& dice) -> std::optional<Expected> {
    OpenedSegment segment(paths_in(directory).back());
    const std::size_t keep = 1 + dice() % (segment.rows.size() - 1);
    if (adjust_head && segment.rows[keep - 1].key >= kLastAnchor) return std::nullopt;
    for (std::size_t i = keep; i < segment.rows.size(); ++i) --segment.head.events;
    segment.rows.resize(keep);
    segment.head.sequence = segment.rows.back().key;
    segment.head.link = segment.rows.back().link;
    segment.put_back(adjust_head);
    // With its head adjusted, a truncated log is the same as an old copy.
    return Expected{adjust_head ? Tamper::kRollback : Tamper::kTruncation,
                    segment.rows.back().key + 1};
  };
}

Mutation remove_file(std::size_t which, Tamper kind) {
  return [which, kind](const KnownLog&, const std::string& directory,
                       Dice&) -> std::optional<Expected> {
    const auto paths = paths_in(directory);
    std::filesystem::remove(paths[which]);
    const Sequence at = which * kPerSegment + 1;
    return Expected{kind, at};
  };
}

Mutation remove_all() {
  return [](const KnownLog&, const std::string& directory, Dice&) -> std::optional<Expected> {
    for (const std::string& path : paths_in(directory)) std::filesystem::remove(path);
    return Expected{Tamper::kDeletion, 1};
  };
}

Mutation begin_anew() {
  return [](const KnownLog&, const std::string& directory, Dice& dice) -> std::optional<Expected> {
    for (const std::string& path : paths_in(directory)) std::filesystem::remove(path);
    Store store = open_store(directory);
    append_refusals(store, dice(), 200, kNoon + std::chrono::days(9), 200);
    return Expected{Tamper::kDeletion, 1};
  };
}

Mutation put_old_copy_back(bool write_on) {
  return [write_on](const KnownLog& log, const std::string& directory,
                    Dice& dice) -> std::optional<Expected> {
    for (const std::string& path : paths_in(directory)) std::filesystem::remove(path);
    copy_log(log.old_copy, directory);
    if (write_on) {
      Store store = open_store(directory, 64U << 20U, kNoon + std::chrono::days(9));
      append_refusals(store, dice(), 150, kNoon + std::chrono::days(9), 150);
    }
    return Expected{Tamper::kRollback, 0};
  };
}

Mutation put_one_old_file_back() {
  return [](const KnownLog& log, const std::string& directory, Dice&) -> std::optional<Expected> {
    // Restores the second segment as it was while it was being written.
    const std::string old = paths_in(log.old_copy).back();
    std::filesystem::copy_file(old,
                               directory + "/" + std::filesystem::path(old).filename().string(),
                               std::filesystem::copy_options::overwrite_existing);
    return Expected{Tamper::kRollback, 0};
  };
}

Mutation write_anew() {
  return [](const KnownLog&, const std::string& directory, Dice& dice) -> std::optional<Expected> {
    OpenedSegment segment(paths_in(directory).back());
    const std::size_t at = dice() % segment.rows.size();
    if (segment.rows[at].key > kLastAnchor) return std::nullopt;  // after the last anchor
    segment.rows[at].record = forged_record(segment.rows[at].key, dice);
    rehash(segment, at);
    segment.head.link = segment.rows.back().link;
    segment.put_back(true);
    return Expected{Tamper::kChange, 0};
  };
}

}  // namespace

OpenedSegment::OpenedSegment(const std::string& path) : path_(path) {
  const auto view = SegmentView::open(path);
  REQUIRE(view);
  head = view->head();
  identity = view->identity();
  REQUIRE(view->each(1, [&](const StoredRow& row) {
    rows.push_back({row.key, std::string(row.record), row.link});
    return true;
  }));
}

void OpenedSegment::put_back(bool with_head) {
  store::LmdbEnvironment env = open_to_change(path_);
  const store::LmdbTable records = *env.table("records");
  const store::LmdbTable about = *env.table("about");
  std::vector<std::string> keys;
  {
    auto reader = env.read();
    auto cursor = reader->cursor(records);
    for (auto found = cursor->first(); found; found = cursor->next()) {
      keys.emplace_back(found->key);
    }
  }
  auto writer = env.write();
  for (const std::string& key : keys) REQUIRE(writer->erase(records, key));
  for (const Row& row : rows) {
    REQUIRE(
        writer->put(records, sequence_key(row.key), row.record + std::string(bytes_of(row.link))));
  }
  if (with_head) REQUIRE(writer->put(about, "head", head_bytes(head)));
  REQUIRE(writer->commit());
}

std::string with_sequence(std::string record, Sequence sequence) {
  for (std::size_t i = 8; i < 16; ++i, sequence >>= 8U) {
    record[i] = static_cast<char>(sequence & 0xffU);
  }
  return record;
}

void copy_log(const std::string& from, const std::string& to) {
  std::filesystem::create_directories(to);
  for (const auto& entry : std::filesystem::directory_iterator(from)) {
    std::filesystem::copy_file(entry.path(), to + "/" + entry.path().filename().string(),
                               std::filesystem::copy_options::overwrite_existing);
  }
}

KnownLog make_log(const std::string& root) {
  KnownLog log{root + "/log", "", root + "/old"};
  std::filesystem::create_directories(log.directory);
  CountingRandom random;
  auto signer = Signer::open(log.directory, "host.example", random, kNoon);
  REQUIRE(signer);
  for (std::uint64_t done = 0; done < 3 * kPerSegment; done += 20) {
    const WallTime day = kNoon + std::chrono::days(done / kPerSegment);
    {
      Store store = open_store(log.directory, 64U << 20U, day);
      append_refusals(store, done, 20, day, 20);
      if (done + 20 < 3 * kPerSegment) REQUIRE(signer->sign(store.head(), day + seconds(1)));
    }
    if (done == 80) copy_log(log.directory, log.old_copy);
  }
  for (const char* name : {Signer::kFile, Signer::kKeyFile}) {
    if (std::string(name) == Signer::kFile)
      log.anchors_text = file_text(log.directory + "/" + name);
    std::filesystem::remove(log.directory + "/" + name);
    std::filesystem::remove(log.old_copy + "/" + name);
  }
  return log;
}

const std::vector<NamedMutation>& mutations() {
  static const std::vector<NamedMutation> all{
      {"a bit of a record or link flipped", false, change_a_bit()},
      {"a record replaced", false, change_a_record()},
      {"a record copied over another", false, copy_over()},
      {"records removed", false, remove(Renumber::kNothing)},
      {"records removed, keys renumbered", false, remove(Renumber::kKeys)},
      {"records removed, all renumbered", false, remove(Renumber::kKeysAndRecords)},
      {"records inserted, keys renumbered", false, insert(Renumber::kKeys)},
      {"records inserted, all renumbered", false, insert(Renumber::kKeysAndRecords)},
      {"a record appended", false, append_by_hand()},
      {"two records swapped", false, swap_two(false)},
      {"two records swapped and renumbered", false, swap_two(true)},
      {"records rotated", false, rotate_some()},
      {"the end cut off", false, cut_the_end(false)},
      {"the end cut off, head adjusted", true, cut_the_end(true)},
      {"the first segment removed", false, remove_file(0, Tamper::kRemoval)},
      {"a middle segment removed", false, remove_file(1, Tamper::kRemoval)},
      {"the last segment removed", false, remove_file(2, Tamper::kTruncation)},
      {"everything removed", false, remove_all()},
      {"everything removed and a new log started", true, begin_anew()},
      {"an old copy put back", true, put_old_copy_back(false)},
      {"an old copy put back and continued", true, put_old_copy_back(true)},
      {"one file's old copy put back", false, put_one_old_file_back()},
      {"rewritten with a consistent chain", true, write_anew()},
  };
  return all;
}

}  // namespace claimsd::audit::testing
