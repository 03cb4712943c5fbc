#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

namespace penning::bench {

/// The smallest value that at least `share` (0 to 1) of `values` do not exceed (nearest rank), so
/// it is always one that was measured. 0 for no values.
inline double quantile(std::span<const double> values, double share) {
  if (values.empty())
    return 0;
  std::vector<double> sorted(values.begin(), values.end());
  auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(sorted.size())));
  auto at = sorted.begin()
            + static_cast<std::ptrdiff_t>(std::clamp(rank, std::size_t{1}, sorted.size()) - 1);
  std::nth_element(sorted.begin(), at, sorted.end());
  return *at;
}

/// How a quantity came out over the rounds.
struct spread {
  double median = 0;
  double min = 0;
  double max = 0;
};

inline spread spread_of(std::span<const double> values) {
  return {quantile(values, 0.5), quantile(values, 0), quantile(values, 1)};
}

/// `ours[i] / limit[i]` for each round i: the two ran one after the other, so what disturbed the
/// machine then disturbed both. A round whose limit was nothing has none.
inline std::vector<double> ratios(std::span<const double> ours, std::span<const double> limit) {
  std::vector<double> result;
  for (std::size_t i = 0; i < std::min(ours.size(), limit.size()); ++i)
    if (limit[i] != 0)
      result.push_back(ours[i] / limit[i]);
  return result;
}

} // namespace penning::bench
