#include "daemon/fleet/host_file.h"

#include <errno.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <string.h>

#include <algorithm>
#include <array>

#include "daemon/base/fd.h"
#include "daemon/base/parse_integer.h"
#include "daemon/base/read_fully.h"
#include "daemon/base/replace_file.h"
#include "daemon/crypto/hmac_sha256.h"

namespace claimsd::fleet {
namespace {

// "claimsd-host 1 ID FLEET SECONDS\n"; SECONDS is "-" for a host that was never current.
constexpr std::string_view kMark = "claimsd-host 1 ";
constexpr std::size_t kMaxFile = 256;
constexpr std::size_t kIdDigits = 32;
constexpr std::int64_t kMaxSeconds = std::int64_t{1} << 33;

tl::unexpected<Error> cannot_read(const std::string& path, int error) {
  return failure(fmt::format("cannot read {}: {}", path, strerrordesc_np(error)));
}

// Takes 16 bytes in hexadecimal, and the space after them.
std::optional<std::array<std::uint8_t, 16>> take_bytes(std::string_view& text) {
  const auto id = claims::action_id_of(text.substr(0, kIdDigits));
  if (!id || text.size() < kIdDigits + 2 || text[kIdDigits] != ' ') return std::nullopt;
  text.remove_prefix(kIdDigits + 1);
  return id->bytes;
}

std::optional<HostIdentity> parse(std::string_view text) {
  if (!text.starts_with(kMark) || !text.ends_with('\n')) return std::nullopt;
  text.remove_prefix(kMark.size());
  text.remove_suffix(1);
  const auto id = take_bytes(text);
  if (!id) return std::nullopt;
  const auto fleet = take_bytes(text);
  if (!fleet) return std::nullopt;
  HostIdentity identity{.id = {*id}, .fleet = {*fleet}, .was_current_at = std::nullopt};
  if (text == "-") return identity;
  const auto since = parse_integer<std::int64_t>(text);
  if (!since || *since < 0 || *since > kMaxSeconds) return std::nullopt;
  identity.was_current_at = WallTime(seconds(*since));
  return identity;
}

std::string text_of(const HostIdentity& identity) {
  const auto hex = [](const auto& bytes) { return claims::text_of(claims::ActionId{bytes}); };
  std::string since = "-";
  if (identity.was_current_at) {
    const auto whole = std::chrono::floor<seconds>(identity.was_current_at->time_since_epoch());
    since = std::to_string(whole.count());
  }
  return fmt::format("{}{} {} {}\n", kMark, hex(identity.id.bytes), hex(identity.fleet.bytes),
                     since);
}

}  // namespace

Result<FleetMark> fleet_mark(const std::string& fleet, const Secret& fingerprint_key) {
  const Secret key = TRY(crypto::derive_key(fingerprint_key, "claimsd fleet mark", ""));
  crypto::HmacSha256 hmac = TRY(crypto::HmacSha256::create(key.view()));
  const crypto::HmacSha256::Digest digest = hmac.finish(fleet);
  FleetMark mark;
  std::copy_n(digest.begin(), mark.bytes.size(), mark.bytes.begin());
  return mark;
}

Result<std::optional<HostIdentity>> load_host_identity(const std::string& path) {
  const Fd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file && errno == ENOENT) return std::optional<HostIdentity>();
  if (!file) return cannot_read(path, errno);
  std::array<char, kMaxFile> text{};
  const auto size = read_fully(file.get(), text);
  if (!size) return cannot_read(path, size.error());
  const auto identity = parse({text.data(), *size});
  if (!identity)
    return failure(
        fmt::format("{} is damaged: remove it, and this host joins the fleet as a new one", path));
  return identity;
}

HostIdentity make_host_identity(const FleetMark& fleet, Random& random) {
  HostIdentity made{.id = {}, .fleet = fleet, .was_current_at = std::nullopt};
  random.fill(made.id.bytes.data(), made.id.bytes.size());
  return made;
}

Status save_host_identity(const std::string& path, const HostIdentity& identity) {
  return replace_file(path, text_of(identity));
}

}  // namespace claimsd::fleet
