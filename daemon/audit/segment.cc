#include "daemon/audit/segment.h"

#include <errno.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <system_error>

#include "daemon/audit/codec.h"
#include "daemon/base/format_version.h"

namespace claimsd::audit {
namespace {

constexpr std::uint8_t kSegmentVersion = 2;
constexpr const char* kIdentity = "identity";
constexpr const char* kHead = "head";
constexpr unsigned kTables = 4;

// Upper bound of what a commit writes: the records' pages, one leaf per index and record, and the
// pages above them. Generous, because a commit that fails on a full disk costs the segment.
constexpr std::size_t kHeadroom = std::size_t{256} << 10;
constexpr std::size_t kHeadroomPerRow = std::size_t{12} << 10;
// Maximum of Segment::resume_headroom_.
constexpr std::size_t kMaxResumeHeadroom = std::size_t{4} << 20;

void put_link(Encoder& put, const Link& link) {
  for (const std::uint8_t byte : link) put.integer(byte);
}

Link take_link(Decoder& take) {
  Link link{};
  for (std::uint8_t& byte : link) byte = take.integer<std::uint8_t>();
  return link;
}

std::string encode(const SegmentIdentity& identity) {
  std::string out;
  Encoder put(out);
  put.integer(kSegmentVersion);
  put.text(identity.origin, kMaxAuditOrigin);
  put.integer(identity.first);
  put_link(put, identity.before);
  put.integer(identity.events);
  put.integer(identity.day);
  return out;
}

std::optional<SegmentIdentity> decode_identity(std::string_view bytes) {
  Decoder take(bytes);
  SegmentIdentity identity;
  if (take.integer<std::uint8_t>() != kSegmentVersion) return std::nullopt;
  identity.origin = take.text(kMaxAuditOrigin);
  identity.first = take.integer<Sequence>();
  identity.before = take_link(take);
  identity.events = take.integer<std::uint64_t>();
  identity.day = take.integer<std::int64_t>();
  if (!take.at_end() || identity.first == 0) return std::nullopt;
  return identity;
}

std::string encode(const Head& head) {
  std::string out;
  Encoder put(out);
  put.integer(head.sequence);
  put_link(put, head.link);
  put.integer(head.events);
  put.integer(head.dropped);
  put.integer(static_cast<std::uint8_t>(head.closed ? 1 : 0));
  put.integer(head.revocations.sequence);
  put_link(put, head.revocations.digest);
  return out;
}

std::optional<Head> decode_head(std::string_view bytes) {
  Decoder take(bytes);
  Head head;
  head.sequence = take.integer<Sequence>();
  head.link = take_link(take);
  head.events = take.integer<std::uint64_t>();
  head.dropped = take.integer<Sequence>();
  const auto closed = take.integer<std::uint8_t>();
  head.closed = closed == 1;
  head.revocations.sequence = take.integer<std::uint64_t>();
  head.revocations.digest = take_link(take);
  if (!take.at_end() || closed > 1) return std::nullopt;
  return head;
}

// Every version begins the header with its version.
tl::unexpected<Error> no_header(const std::string& path, std::string_view identity) {
  const auto version =
      identity.empty() ? kSegmentVersion : static_cast<std::uint8_t>(identity.front());
  if (version != kSegmentVersion) {
    return failure(
        fmt::format("the audit segment {} {}: read it with the version of claimsd that "
                    "wrote it; to start a new log, move the directory {} away",
                    path, other_format(version, kSegmentVersion), path.substr(0, path.rfind('/'))));
  }
  return failure(fmt::format(
      "the audit segment {} has no valid header: it was changed or damaged; restore its "
      "directory from a backup, or move it away to start a new log",
      path));
}

tl::unexpected<Error> lmdb_failure(std::string_view doing, const std::string& path,
                                   const store::LmdbError& error) {
  return failure(
      fmt::format("cannot {} the audit segment {}: {}; check its disk", doing, path, error.text()));
}

store::LmdbEnvironment::Options environment_options(const std::string& path, std::size_t map_size) {
  return {.path = path, .map_size = map_size, .exclusive = true, .max_tables = kTables};
}

struct Tables {
  store::LmdbTable about, records, by_user, by_token;
};

store::LmdbResult<Tables> open_tables(store::LmdbEnvironment& env) {
  Tables tables{};
  for (const auto& [name, table] : {std::pair{"about", &tables.about},
                                    {"records", &tables.records},
                                    {"by_user", &tables.by_user},
                                    {"by_token", &tables.by_token}}) {
    const auto opened = env.table(name);
    if (!opened) return tl::make_unexpected(opened.error());
    *table = *opened;
  }
  return tables;
}

store::LmdbStatus put_about(store::LmdbEnvironment& env, store::LmdbTable about,
                            const SegmentIdentity& identity, const Head& head) {
  auto writer = env.write();
  if (!writer) return tl::make_unexpected(writer.error());
  store::LmdbStatus done = writer->put(about, kIdentity, encode(identity));
  if (done) done = writer->put(about, kHead, encode(head));
  if (done) done = writer->commit();
  return done;
}

}  // namespace

Result<Segment> Segment::create(const std::string& directory, std::uint32_t generation,
                                const SegmentIdentity& identity, Sequence dropped,
                                const claims::SetHead& revocations, std::size_t map_size) {
  const std::string path =
      fmt::format("{}/{}", directory, segment_name(identity.first, generation));
  const std::string fresh = path + ".new";
  unlink(fresh.c_str());
  {
    store::LmdbEnvironment env =
        TRY(store::LmdbEnvironment::open(environment_options(fresh, map_size)));
    const Head head{identity.first - 1, identity.before, identity.events, dropped, false,
                    revocations};
    const auto tables = open_tables(env);
    const store::LmdbStatus made = tables ? put_about(env, tables->about, identity, head)
                                          : store::LmdbStatus(tl::make_unexpected(tables.error()));
    if (!made) {
      unlink(fresh.c_str());
      return lmdb_failure("create", path, made.error());
    }
  }
  // link(2) never replaces a file; rename(2) would.
  if (link(fresh.c_str(), path.c_str()) != 0) {
    const int error = errno;
    unlink(fresh.c_str());
    return failure(fmt::format("cannot rename the audit segment {}: {}; check its directory", path,
                               std::generic_category().message(error)));
  }
  unlink(fresh.c_str());
  if (Status synced = sync_directory(directory); !synced) {
    unlink(path.c_str());
    return tl::make_unexpected(synced.error());
  }
  return open(path, map_size);
}

Result<Segment> Segment::open(const std::string& path, std::size_t map_size) {
  auto environment = TRY(store::LmdbEnvironment::open(environment_options(path, map_size)));
  Segment segment(path, std::move(environment));
  const auto tables = open_tables(segment.env_);
  if (!tables) return lmdb_failure("open", path, tables.error());
  segment.about_ = tables->about;
  segment.records_ = tables->records;
  segment.by_user_ = tables->by_user;
  segment.by_token_ = tables->by_token;
  return segment;
}

Appended Segment::failed(const store::LmdbError& error) const {
  if (env_.poisoned()) return Appended::kFailed;
  return error.map_full() ? Appended::kSegmentFull : Appended::kFailed;
}

store::LmdbStatus Segment::put_rows(store::LmdbWriter& writer, std::span<const Row> rows) const {
  for (const Row& row : rows) {
    const std::string key = sequence_key(row.sequence);
    std::string value = row.record;
    value += bytes_of(row.link);
    store::LmdbStatus done = writer.put(records_, key, value, store::LmdbPut::kAppend);
    if (done && !row.user.empty()) {
      done = writer.put(by_user_, user_index_prefix(row.user) + key, {});
    }
    if (done && row.token) {
      const std::string token(reinterpret_cast<const char*>(row.token->data()), row.token->size());
      done = writer.put(by_token_, token + key, {});
    }
    if (!done) return done;
  }
  return {};
}

Appended Segment::append(std::span<const Row> rows, const Head& head) {
  if (env_.poisoned()) return Appended::kFailed;
  const std::size_t headroom = kHeadroom + rows.size() * kHeadroomPerRow;
  if (!env_.reserve(std::max(headroom, resume_headroom_))) {
    resume_headroom_ = std::max(resume_headroom_, std::min(headroom, kMaxResumeHeadroom));
    return Appended::kDiskFull;
  }
  resume_headroom_ = 0;
  auto writer = env_.write();
  if (!writer) return failed(writer.error());
  store::LmdbStatus done = put_rows(*writer, rows);
  if (done) done = writer->put(about_, kHead, encode(head));
  if (done) done = writer->commit();
  return done ? Appended::kDurable : failed(done.error());
}

Appended Segment::close(Head head) {
  head.closed = true;
  const Appended appended = append({}, head);
  if (appended == Appended::kDurable) env_.trim();
  return appended;
}

Result<SegmentView> SegmentView::make(const store::LmdbEnvironment& env, const std::string& path,
                                      store::LmdbTable about, store::LmdbTable records,
                                      store::LmdbTable by_user, store::LmdbTable by_token) {
  auto reader = env.read();
  if (!reader) return lmdb_failure("read", path, reader.error());
  SegmentView view(std::move(*reader));
  view.records_ = records;
  view.by_user_ = by_user;
  view.by_token_ = by_token;
  const auto identity = view.reader_.get(about, kIdentity);
  const auto head = view.reader_.get(about, kHead);
  auto known = identity ? decode_identity(*identity) : std::nullopt;
  const auto known_head = head ? decode_head(*head) : std::nullopt;
  if (!known || !known_head) {
    return no_header(path, identity ? *identity : std::string_view());
  }
  view.identity_ = std::move(*known);
  view.head_ = *known_head;
  return view;
}

Result<SegmentView> SegmentView::open(const std::string& path) {
  struct stat file {};
  if (stat(path.c_str(), &file) != 0) {
    return failure(fmt::format("cannot open the audit segment {}: {}", path,
                               std::generic_category().message(errno)));
  }
  auto options = environment_options(path, static_cast<std::size_t>(file.st_size));
  options.read_only = true;
  store::LmdbEnvironment env = TRY(store::LmdbEnvironment::open(options));
  const auto tables = open_tables(env);
  if (!tables) return lmdb_failure("read", path, tables.error());
  SegmentView view =
      TRY(make(env, path, tables->about, tables->records, tables->by_user, tables->by_token));
  view.env_ = std::move(env);
  return view;
}

Result<SegmentView> SegmentView::of(const Segment& segment) {
  return make(segment.env_, segment.path_, segment.about_, segment.records_, segment.by_user_,
              segment.by_token_);
}

std::optional<StoredRow> SegmentView::at(Sequence sequence) const {
  const std::string key = sequence_key(sequence);
  const auto value = reader_.get(records_, key);
  if (!value) return std::nullopt;
  return stored_row(key, *value);
}

}  // namespace claimsd::audit
