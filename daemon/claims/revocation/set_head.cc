#include "daemon/claims/revocation/set_head.h"

namespace claimsd::claims {

const SetHead* refusing_copy(const SetHead& set, std::span<const SetHead> copies) {
  const SetHead* newest = nullptr;
  for (const SetHead& copy : copies) {
    if (copy.sequence < set.sequence || copy == set) continue;
    if (newest == nullptr || copy.sequence > newest->sequence) newest = &copy;
  }
  return newest;
}

}  // namespace claimsd::claims
