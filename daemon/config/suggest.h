// suggest.h: suggests the name that a misspelled word probably meant. Pure; any thread.
#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace claimsd::config {

// The candidate nearest to `word` by edit distance (Damerau-Levenshtein, adjacent swaps count
// once), if the distance is at most a third of the word, rounded up. The first one on a tie.
std::optional<std::string_view> nearest(std::string_view word,
                                        std::span<const std::string_view> candidates);

}  // namespace claimsd::config
