#include "daemon/server/admission.h"

#include "tests/support/catch.h"

namespace claimsd::server {
namespace {

using proto::FailureCode;

constexpr BootTime kStart{};

TEST_CASE("with both lists empty, anyone who can open the socket is admitted") {
  Admission admission({});
  CHECK_FALSE(admission.enter(1000, 1000, kStart));
  CHECK(admission.connections() == 1);
}

TEST_CASE("with a list, only listed ids and root are admitted") {
  Admission admission({.allowed_uids = {1000}, .allowed_gids = {33}});
  CHECK_FALSE(admission.enter(1000, 5, kStart));
  CHECK_FALSE(admission.enter(7, 33, kStart));
  CHECK_FALSE(admission.enter(0, 0, kStart));
  CHECK(admission.enter(1001, 1001, kStart) == FailureCode::kNotAllowed);
  CHECK(admission.enter(33, 1000, kStart) == FailureCode::kNotAllowed);  // uid and gid swapped
}

TEST_CASE(
    "the overflow id is never admitted, because it can be any user of another user namespace") {
  Admission open({});
  CHECK(open.enter(65534, 1000, kStart) == FailureCode::kNotAllowed);
  Admission listed({.allowed_uids = {65534}, .allowed_gids = {65534}});
  CHECK(listed.enter(65534, 65534, kStart) == FailureCode::kNotAllowed);
  CHECK(listed.enter(1000, 65534, kStart) == FailureCode::kNotAllowed);
}

TEST_CASE(
    "a uid at its limit is refused, other uids are not, and closing a connection admits it again") {
  Admission admission({.max_connections = 10, .max_connections_per_uid = 2});
  CHECK_FALSE(admission.enter(1000, 1, kStart));
  CHECK_FALSE(admission.enter(1000, 1, kStart));
  CHECK(admission.enter(1000, 1, kStart) == FailureCode::kTooManyOfUid);
  CHECK_FALSE(admission.enter(1001, 1, kStart));
  admission.leave(1000);
  CHECK_FALSE(admission.enter(1000, 1, kStart));
}

TEST_CASE("the total limit covers all uids, and refused connections do not count") {
  Admission admission({.max_connections = 2, .max_connections_per_uid = 2});
  CHECK_FALSE(admission.enter(1, 1, kStart));
  CHECK_FALSE(admission.enter(2, 2, kStart));
  for (std::uint32_t uid = 3; uid < 100; ++uid) {
    CHECK(admission.enter(uid, uid, kStart) == FailureCode::kTooManyPeers);
  }
  CHECK(admission.connections() == 2);
  admission.leave(1);
  CHECK_FALSE(admission.enter(3, 3, kStart));
}

TEST_CASE(
    "a uid that connects faster than its rate is refused until the rate allows it, others are "
    "not") {
  Admission admission({.max_connections_per_uid = 3, .connects_per_uid = 10});
  for (int i = 0; i < 6; ++i) {
    CHECK_FALSE(admission.enter(1000, 1, kStart));
    admission.leave(1000);
  }
  CHECK(admission.enter(1000, 1, kStart) == FailureCode::kConnectsTooFast);
  CHECK_FALSE(admission.enter(1001, 1, kStart));
  CHECK(admission.enter(1000, 1, kStart + milliseconds(99)) == FailureCode::kConnectsTooFast);
  CHECK_FALSE(admission.enter(1000, 1, kStart + milliseconds(100)));
  CHECK(admission.enter(1000, 1, kStart + milliseconds(100)) == FailureCode::kConnectsTooFast);
}

TEST_CASE("each refusal names the option that causes it and its value") {
  const Admission admission(
      {.max_connections = 7001, .max_connections_per_uid = 7002, .connects_per_uid = 7003});
  const auto names = [&](FailureCode why, const char* option, const char* value) {
    const std::string text = admission.text_of(why);
    return text.find(option) != std::string::npos && text.find(value) != std::string::npos;
  };
  CHECK(names(FailureCode::kTooManyPeers, "daemon.max_connections ", "7001"));
  CHECK(names(FailureCode::kTooManyOfUid, "daemon.max_connections_per_uid ", "7002"));
  CHECK(names(FailureCode::kConnectsTooFast, "daemon.connects_per_uid ", "7003"));
  CHECK(admission.text_of(FailureCode::kNotAllowed) ==
        proto::sentence_of(FailureCode::kNotAllowed));
}

}  // namespace
}  // namespace claimsd::server
