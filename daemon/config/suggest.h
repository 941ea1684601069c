// suggest.h: what a person probably meant. Pure; any thread.
#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace claimsd::daemon {

// The candidate nearest to `word` by edit distance (Damerau-Levenshtein, adjacent swaps count
// once), where one is so near that a slip of the finger explains it: a third of the word, rounded
// up. The first of several equally near.
std::optional<std::string_view> nearest(std::string_view word,
                                        std::span<const std::string_view> candidates);

}  // namespace claimsd::daemon
