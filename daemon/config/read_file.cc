#include "daemon/config/read_file.h"

#include <errno.h>
#include <fcntl.h>
#include <fmt/core.h>

#include <algorithm>
#include <system_error>
#include <utility>
#include <vector>

#include "daemon/base/fd.h"
#include "daemon/base/read_fully.h"
#include "daemon/config/toml_reader.h"

namespace claimsd::config {
namespace {

constexpr std::size_t kMaxDropIns = 64;

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

Result<LoadedConfig> load_config_files(const std::filesystem::path& path, Urls urls) {
  std::string text = TRY(read_config_file(path));
  std::vector<ConfigText> files = {{path.string(), std::move(text)}};
  const std::filesystem::path directory = path.parent_path() / "conf.d";
  std::error_code error;
  std::vector<std::filesystem::path> dropins;
  for (std::filesystem::directory_iterator at(directory, error), end; !error && at != end;
       at.increment(error)) {
    if (at->path().extension() == ".toml") dropins.push_back(at->path());
  }
  if (error && error != std::errc::no_such_file_or_directory)
    return cannot(directory, error.value());
  if (dropins.size() > kMaxDropIns)
    return failure(fmt::format("{} has {} files, the maximum is {}", directory.string(),
                               dropins.size(), kMaxDropIns));
  std::sort(dropins.begin(), dropins.end());
  for (const std::filesystem::path& one : dropins) {
    text = TRY(read_config_file(one));
    files.push_back({one.string(), std::move(text)});
  }
  return load_config(files, urls);
}

std::optional<std::string> missing_url(const std::filesystem::path& path) {
  const Result<LoadedConfig> loaded = load_config_files(path, Urls::kOptional);
  if (!loaded) return std::nullopt;
  const std::vector<UpstreamConfig>& upstreams = loaded->config.upstreams;
  if (std::any_of(upstreams.begin(), upstreams.end(),
                  [](const UpstreamConfig& one) { return !one.urls.empty(); }))
    return std::nullopt;
  return fmt::format("upstream.{}.url", upstreams.empty() ? "main" : upstreams.front().name);
}

}  // namespace claimsd::config
