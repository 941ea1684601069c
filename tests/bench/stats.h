// stats.h: figures out of samples. Pure.
#pragma once

#include <vector>

namespace claimsd::bench {

// The value below which `share` (0 to 1) of the samples lie; of an empty list: 0.
double percentile(std::vector<double> samples, double share);

double median(std::vector<double> samples);

// The mean of the smaller `share` of the samples. On one core a round trip takes one of two times,
// as the scheduler lets the woken side in at once or not; a median jumps between them from run to
// run, a mean does not. The largest samples, left out, tell of other programs.
double trimmed_mean(std::vector<double> samples, double share);

// How far the rounds lie apart: (largest - smallest) / median.
double spread(const std::vector<double>& samples);

}  // namespace claimsd::bench
