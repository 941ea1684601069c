#include "daemon/server/admission.h"

#include "tests/support/catch.h"

namespace claimsd::server {
namespace {

using proto::FailureCode;

TEST_CASE("with both lists empty, anyone who can open the socket is admitted") {
  Admission admission({});
  CHECK_FALSE(admission.enter(1000, 1000));
  CHECK(admission.connections() == 1);
}

TEST_CASE("with a list, only listed ids and root are admitted") {
  Admission admission({.allowed_uids = {1000}, .allowed_gids = {33}});
  CHECK_FALSE(admission.enter(1000, 5));
  CHECK_FALSE(admission.enter(7, 33));
  CHECK_FALSE(admission.enter(0, 0));
  CHECK(admission.enter(1001, 1001) == FailureCode::kNotAllowed);
  CHECK(admission.enter(33, 1000) == FailureCode::kNotAllowed);  // uid and gid swapped
}

TEST_CASE(
    "the overflow id is never admitted, because it can be any user of another user namespace") {
  Admission open({});
  CHECK(open.enter(65534, 1000) == FailureCode::kNotAllowed);
  Admission listed({.allowed_uids = {65534}, .allowed_gids = {65534}});
  CHECK(listed.enter(65534, 65534) == FailureCode::kNotAllowed);
  CHECK(listed.enter(1000, 65534) == FailureCode::kNotAllowed);
}

TEST_CASE(
    "a uid at its limit is refused, other uids are not, and closing a connection admits it again") {
  Admission admission({.max_connections = 10, .max_connections_per_uid = 2});
  CHECK_FALSE(admission.enter(1000, 1));
  CHECK_FALSE(admission.enter(1000, 1));
  CHECK(admission.enter(1000, 1) == FailureCode::kTooManyPeers);
  CHECK_FALSE(admission.enter(1001, 1));
  admission.leave(1000);
  CHECK_FALSE(admission.enter(1000, 1));
}

TEST_CASE("the total limit covers all uids, and refused connections do not count") {
  Admission admission({.max_connections = 2, .max_connections_per_uid = 2});
  CHECK_FALSE(admission.enter(1, 1));
  CHECK_FALSE(admission.enter(2, 2));
  for (std::uint32_t uid = 3; uid < 100; ++uid) {
    CHECK(admission.enter(uid, uid) == FailureCode::kTooManyPeers);
  }
  CHECK(admission.connections() == 2);
  admission.leave(1);
  CHECK_FALSE(admission.enter(3, 3));
}

}  // namespace
}  // namespace claimsd::server
