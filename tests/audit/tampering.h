// tampering.h: changes that an intruder with root may make to a log, each with the kind that
// verification must report.
#pragma once

#include <functional>
#include <random>

#include "daemon/audit/digest.h"
#include "tests/audit/audit_fixture.h"

namespace claimsd::audit::testing {

using Dice = std::mt19937_64;

// The rows of one segment, to be changed and written back. Not durable.
class OpenedSegment {
 public:
  struct Row {
    Sequence key;
    std::string record;
    Link link;
  };

  explicit OpenedSegment(const std::string& path);
  std::vector<Row> rows;
  Head head;
  SegmentIdentity identity;
  void put_back(bool with_head = false);

 private:
  std::string path_;
};

struct KnownLog {
  std::string directory;
  std::string anchors_text;
  std::string old_copy;  // of the directory, taken between two anchors
};

struct Expected {
  Tamper kind;
  Sequence at;  // 0: any
};

// Creates a log of three segments with anchors, and an old copy.
KnownLog make_log(const std::string& root);

// Changes the copy in `directory`. Returns nothing if the change is not possible with these dice.
using Mutation = std::function<std::optional<Expected>(const KnownLog& log,
                                                       const std::string& directory, Dice& dice)>;
struct NamedMutation {
  const char* name;
  bool needs_anchors;
  Mutation apply;
};
const std::vector<NamedMutation>& mutations();

std::string with_sequence(std::string record, Sequence sequence);
void copy_log(const std::string& from, const std::string& to);

}  // namespace claimsd::audit::testing
