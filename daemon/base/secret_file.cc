#include "daemon/base/secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <string.h>

#include "daemon/base/fd.h"
#include "daemon/base/read_fully.h"

namespace claimsd {
namespace {

// In bytes. A system's CA bundle is a quarter of it.
constexpr std::size_t kMaxFile = 1024 * 1024;

}  // namespace

Result<Secret> read_secret_file(const std::string& path) {
  const auto cannot = [&](const char* why) {
    return failure(fmt::format("cannot read {}: {}", path, why));
  };
  // O_NONBLOCK: do not wait for a writer if it is a FIFO.
  const Fd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!file) return cannot(strerrordesc_np(errno));
  Secret text(kMaxFile);
  const auto size = read_fully(file.get(), {text.data(), kMaxFile});
  if (!size) return cannot(strerrordesc_np(size.error()));
  if (*size == kMaxFile) return cannot("the file is larger than 1 MiB");
  if (*size == 0) return cannot("the file is empty");
  return Secret(text.view().substr(0, *size));
}

std::string_view without_line_end(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

}  // namespace claimsd
