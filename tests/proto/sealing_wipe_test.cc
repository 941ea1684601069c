// Checks that a digest leaves no copy in process memory.
#include <string>
#include <vector>

#include "proto/sealing_primitives.h"
#include "tests/client/secret.h"
#include "tests/support/catch.h"

namespace claimsd::proto {
namespace {

std::string digest_of_a_token(Sha256& sha256) {
  std::string out(Sha256::kSize, '\0');
  CHECK(sha256.digest({"a token"}, reinterpret_cast<unsigned char*>(out.data())));
  return out;
}

// The digest in the word order of a context, masked so that this copy is not found.
struct DigestWords {
  explicit DigestWords(const std::string& digest) {
    for (std::size_t at = 0; at < digest.size(); ++at)
      masked.push_back(static_cast<char>(digest[at ^ 3] ^ testing::kMask));
  }
  int count(const volatile char* begin, const volatile char* end) const {
    const auto size = static_cast<std::ptrdiff_t>(masked.size());
    int found = 0;
    for (const volatile char* at = begin; end - at >= size; at += 4) {
      std::ptrdiff_t same = 0;
      while (same < size &&
             static_cast<char>(at[same] ^ testing::kMask) == masked[static_cast<std::size_t>(same)])
        ++same;
      if (same == size) ++found;
    }
    return found;
  }
  std::vector<char> masked;
};

TEST_CASE("a digest does not remain in its context") {
  CHECK(testing::result_of_child([] {
          Sha256 sha256;
          if (!sha256.open()) return 100;
          const DigestWords words(digest_of_a_token(sha256));
          return testing::count_in_this_process(words);
        }) == 0);
}

}  // namespace
}  // namespace claimsd::proto
