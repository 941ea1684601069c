// tampering.h: what an intruder with root may do to a log's files, one thing each, with the kind
// that verification must call it.
#pragma once

#include <functional>
#include <random>

#include "daemon/audit/digest.h"
#include "tests/audit/audit_fixture.h"

namespace claimsd::daemon::testing {

using Dice = std::mt19937_64;

// One segment's rows, to be changed at will and put back. Not durable: tests throw it away.
class OpenedSegment {
 public:
  struct Row {
    AuditSequence key;
    std::string record;
    AuditLink link;
  };

  explicit OpenedSegment(const std::string& path);
  std::vector<Row> rows;
  AuditHead head;
  AuditSegmentIdentity identity;
  void put_back(bool with_head = false);

 private:
  std::string path_;
};

struct KnownLog {
  std::string directory;
  std::string anchors_text;
  std::string old_copy;  // of the directory, as it was at a time between two anchors
};

struct Expected {
  AuditTamper kind;
  AuditSequence at;  // 0: whichever
};

// A log of three segments with anchors, and an old copy.
KnownLog make_log(const std::string& root);

// Changes the copy in `directory`; false where these dice say nothing that can be done.
using Mutation = std::function<std::optional<Expected>(const KnownLog& log,
                                                       const std::string& directory, Dice& dice)>;
struct NamedMutation {
  const char* name;
  bool needs_anchors;
  Mutation apply;
};
const std::vector<NamedMutation>& mutations();

std::string with_sequence(std::string record, AuditSequence sequence);
void copy_log(const std::string& from, const std::string& to);

}  // namespace claimsd::daemon::testing
