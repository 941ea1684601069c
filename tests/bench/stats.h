// stats.h: statistics of samples. Pure.
#pragma once

#include <vector>

namespace claimsd::bench {

// The value below which `share` (0 to 1) of the samples lie; 0 without samples.
double percentile(std::vector<double> samples, double share);

double median(std::vector<double> samples);

// The mean of the smallest `share` of the samples. On one core a round trip takes one of two times,
// depending on whether the scheduler runs the woken side immediately. A median jumps between them
// from run to run; a mean does not. The largest samples are dropped because other programs cause
// them.
double trimmed_mean(std::vector<double> samples, double share);

// The relative range of the rounds: (largest - smallest) / median.
double spread(const std::vector<double>& samples);

}  // namespace claimsd::bench
