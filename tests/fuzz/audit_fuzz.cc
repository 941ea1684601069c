// Decoders of the audit log: a record and a text of anchors. No input may crash them, every record
// has exactly one encoding, and its text form is a single line.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "daemon/audit/anchors.h"
#include "daemon/audit/record.h"

namespace {

using namespace claimsd;
using namespace claimsd::audit;

void require(bool holds) {
  if (!holds) std::abort();
}

void read_record(std::string_view bytes) {
  static_cast<void>(audit_sequence_of(bytes));
  const auto record = decode_audit_record(bytes);
  if (!record) return;
  require(bytes.size() <= kMaxAuditRecord);
  require(encode_audit_record(*record) == bytes);
  require(audit_sequence_of(bytes) == record->sequence);
  for (const char c : audit_line(*record))
    require(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  read_record(bytes);
  const Anchors anchors = read_anchors(bytes);
  require(anchors.anchors.empty() || !anchors.root.empty());
  return 0;
}
