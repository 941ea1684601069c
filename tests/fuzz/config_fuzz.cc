// Configuration parser with arbitrary bytes. The result is a Config within its ranges or a
// printable error, never a crash.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "daemon/base/printable.h"
#include "daemon/config/load.h"
#include "daemon/config/url.h"

using namespace claimsd;
using namespace claimsd::config;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void check_url(std::string_view text) {
  const auto once = normalise_upstream_url(text);
  if (!once) return;
  const auto twice = normalise_upstream_url(*once);
  require(twice.has_value() && *twice == *once);
  require(once->find_first_of("@?# \\\r\n") == std::string::npos ||
          once->find('@') > once->find('/', 8));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_url(text);
  const auto loaded = load_config(text, "fuzz.toml");
  if (!loaded) {
    // Only the parser adds line breaks; text from the file has passed printable().
    const auto& message = loaded.error().message;
    std::size_t begin = 0;
    for (auto end = message.find('\n'); end != std::string::npos; end = message.find('\n', begin)) {
      const auto line = std::string_view(message).substr(begin, end - begin);
      require(printable(line, line.size()) == line);
      begin = end + 1;
    }
    return 0;
  }
  const auto& config = loaded->config;
  require(!config.upstreams.empty());
  require(config.cache.max_ttl <= std::chrono::minutes(5));
  require(config.daemon.socket.native().size() <= 107);
  for (const auto& upstream : config.upstreams) {
    require(!upstream.urls.empty());
    for (const auto& url : upstream.urls) require(normalise_upstream_url(url).value() == url);
  }
  return 0;
}
