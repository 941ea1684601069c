#include "daemon/loop/background.h"

#include <fmt/core.h>
#include <uv.h>

namespace claimsd::daemon {
namespace {

struct Request {
  uv_work_t request{};
  Background::Work work;
  Background::Work done;
  std::shared_ptr<const bool> alive;  // accessed on the loop only
};

}  // namespace

Status Background::run(Work work, Work done) {
  auto request = std::make_unique<Request>();
  request->work = std::move(work);
  request->done = std::move(done);
  request->alive = alive_;
  request->request.data = request.get();
  const int error = uv_queue_work(
      loop_.raw(), &request->request,
      [](uv_work_t* raw) { static_cast<Request*>(raw->data)->work(); },
      [](uv_work_t* raw, int) {
        const std::unique_ptr<Request> ended(static_cast<Request*>(raw->data));
        if (*ended->alive) ended->done();
      });
  if (error != 0)
    return failure(fmt::format("cannot start background work: {}", describe_uv(error)));
  static_cast<void>(request.release());  // owned by libuv until it calls back
  return {};
}

}  // namespace claimsd::daemon
