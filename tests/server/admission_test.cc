#include "daemon/server/admission.h"

#include "tests/support/catch.h"

namespace claimsd::daemon {
namespace {

using proto::FailureCode;

TEST_CASE("with both lists empty, whoever could open the socket may ask") {
  Admission admission({});
  CHECK_FALSE(admission.enter(1000, 1000));
  CHECK(admission.connections() == 1);
}

TEST_CASE("with a list, only those on it and root may ask") {
  Admission admission({.allowed_uids = {1000}, .allowed_gids = {33}});
  CHECK_FALSE(admission.enter(1000, 5));
  CHECK_FALSE(admission.enter(7, 33));
  CHECK_FALSE(admission.enter(0, 0));
  CHECK(admission.enter(1001, 1001) == FailureCode::kNotAllowed);
  CHECK(admission.enter(33, 1000) == FailureCode::kNotAllowed);  // a uid is not a gid
}

TEST_CASE("nobody is let in as the overflow id, which could be anybody of another user namespace") {
  Admission open({});
  CHECK(open.enter(65534, 1000) == FailureCode::kNotAllowed);
  Admission listed({.allowed_uids = {65534}, .allowed_gids = {65534}});
  CHECK(listed.enter(65534, 65534) == FailureCode::kNotAllowed);
  CHECK(listed.enter(1000, 65534) == FailureCode::kNotAllowed);
}

TEST_CASE(
    "a uid at its limit is refused while others are let in, and comes in again when one of its "
    "connections has gone") {
  Admission admission({.max_connections = 10, .max_connections_per_uid = 2});
  CHECK_FALSE(admission.enter(1000, 1));
  CHECK_FALSE(admission.enter(1000, 1));
  CHECK(admission.enter(1000, 1) == FailureCode::kTooManyPeers);
  CHECK_FALSE(admission.enter(1001, 1));
  admission.leave(1000);
  CHECK_FALSE(admission.enter(1000, 1));
}

TEST_CASE("all connections together have a limit, and refused ones do not count") {
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
}  // namespace claimsd::daemon
