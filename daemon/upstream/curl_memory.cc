#include "daemon/upstream/curl_memory.h"

#include <curl/curl.h>
#include <fmt/core.h>
#include <malloc.h>
#include <string.h>

#include <algorithm>
#include <cstdlib>

namespace claimsd::daemon {
namespace {

// Smallest size of a growing block. curl doubles its request buffer from 32 bytes on, and each step
// would be an allocation, a copy and a wipe.
constexpr std::size_t kFirstGrowth = 1024;

void wipe_and_free(void* block) {
  if (block == nullptr) return;
  explicit_bzero(block, malloc_usable_size(block));
  std::free(block);
}

// realloc(3) may move a block and leave its bytes behind.
void* wiping_realloc(void* block, std::size_t size) {
  if (block == nullptr) return std::malloc(size);
  const std::size_t before = malloc_usable_size(block);
  if (size > 0 && size <= before) return block;
  void* fresh = std::malloc(std::max(size, kFirstGrowth));
  if (fresh == nullptr) return nullptr;
  std::memcpy(fresh, block, std::min(before, size));
  wipe_and_free(block);
  return fresh;
}

// Replaces calloc(3), which in glibc 2.36 does not use the thread's cache of freed blocks
// (malloc.c). curl calls it five times per request.
void* zeroed_malloc(std::size_t count, std::size_t size) {
  std::size_t bytes = 0;
  if (__builtin_mul_overflow(count, size, &bytes)) return nullptr;
  void* const block = std::malloc(bytes);
  // explicit_bzero: the compiler would turn malloc() and memset() back into calloc().
  if (block != nullptr) explicit_bzero(block, bytes);
  return block;
}

}  // namespace

Result<std::unique_ptr<CurlLibrary>> CurlLibrary::create() {
  const CURLcode code = curl_global_init_mem(CURL_GLOBAL_DEFAULT, std::malloc, wipe_and_free,
                                             wiping_realloc, strdup, zeroed_malloc);
  if (code != CURLE_OK) {
    return failure(fmt::format("cannot initialize libcurl: {}", curl_easy_strerror(code)));
  }
  return std::unique_ptr<CurlLibrary>(new CurlLibrary);
}

CurlLibrary::~CurlLibrary() {
  curl_global_cleanup();
}

}  // namespace claimsd::daemon
