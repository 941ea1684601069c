#include "daemon/base/histogram.h"

#include "tests/support/catch.h"

namespace claimsd {
namespace {

TEST_CASE("a duration is counted in the first bucket whose bound is not below it") {
  DurationHistogram histogram;
  for (std::size_t at = 0; at < DurationHistogram::kBounds.size(); ++at) {
    histogram.observe(DurationHistogram::kBounds[at]);
    CHECK(histogram.buckets()[at] == 1);
    histogram.observe(DurationHistogram::kBounds[at] + Duration(1));
    CHECK(histogram.buckets()[at + 1] == 1);
    histogram = {};
  }
}

TEST_CASE("count and sum cover all durations, and negative ones count as zero") {
  DurationHistogram histogram;
  histogram.observe(seconds(-1));
  histogram.observe(milliseconds(3));
  histogram.observe(seconds(100));
  CHECK(histogram.count() == 3);
  CHECK(histogram.sum() == seconds(100) + milliseconds(3));
  CHECK(histogram.buckets().front() == 1);
  CHECK(histogram.buckets().back() == 1);
}

}  // namespace
}  // namespace claimsd
