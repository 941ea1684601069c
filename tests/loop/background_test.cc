// Blocking work beside the loop.
#include "daemon/loop/background.h"

#include <future>
#include <optional>
#include <thread>

#include "tests/support/catch.h"

using namespace claimsd;
using namespace claimsd::loop;

TEST_CASE("work runs on another thread, and its completion runs on the loop") {
  const auto loop = Loop::create();
  REQUIRE(loop);
  Background background(**loop);
  std::thread::id worked{};
  std::thread::id ended{};
  REQUIRE(background.run([&] { worked = std::this_thread::get_id(); },
                         [&] { ended = std::this_thread::get_id(); }));
  CHECK(ended == std::thread::id{});  // never from within run()
  (*loop)->run();
  CHECK(worked != std::this_thread::get_id());
  CHECK(worked != std::thread::id{});
  CHECK(ended == std::this_thread::get_id());
}

TEST_CASE("the loop runs during the work, and a destroyed Background is not called back") {
  const auto loop = Loop::create();
  REQUIRE(loop);
  std::optional<Background> background(std::in_place, **loop);
  std::promise<void> go;
  bool called = false;
  REQUIRE(
      background->run([ready = go.get_future().share()] { ready.wait(); }, [&] { called = true; }));
  (*loop)->run_ready();  // returns although the work is not finished
  background.reset();
  go.set_value();
  (*loop)->run();
  CHECK_FALSE(called);
}
