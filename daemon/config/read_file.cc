#include "daemon/config/read_file.h"

#include <errno.h>
#include <fcntl.h>
#include <fmt/core.h>

#include <system_error>

#include "daemon/base/fd.h"
#include "daemon/base/read_fully.h"
#include "daemon/config/toml_reader.h"

namespace claimsd::daemon {
namespace {

std::string_view advice(int error) {
  switch (error) {
    case ENOENT: return "; create it, or name another file with --config";
    case EACCES: return "; allow the claimsd user to read it and to enter its directories";
    case EISDIR: return "; name a file, not a directory";
    default: return "";
  }
}

tl::unexpected<Error> cannot(const std::filesystem::path& path, int error) {
  return failure(fmt::format("cannot read the configuration {}: {}{}", path.string(),
                             std::generic_category().message(error), advice(error)));
}

}  // namespace

Result<std::string> read_config_file(const std::filesystem::path& path) {
  const Fd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!file) return cannot(path, errno);
  // One byte over the limit is enough for load_config() to reject it.
  std::string text(kMaxConfigBytes + 1, '\0');
  const auto size = read_fully(file.get(), text);
  if (!size) return cannot(path, size.error());
  text.resize(*size);
  return text;
}

}  // namespace claimsd::daemon
