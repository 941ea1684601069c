// A handle opened, and used, before fork(): parent and child each have their own connections
// afterwards.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <condition_variable>
#include <map>

#include "tests/client/host.h"
#include "tests/support/catch.h"

namespace claimsd::testing {
namespace {

// Which tokens came over which connection.
struct Record {
  std::mutex mutex;
  std::map<int, std::vector<std::string>> tokens;

  FakeDaemon::Script script() {
    return [this](Peer& peer) {
      if (!peer.welcome()) return;
      while (const auto frame = peer.receive()) {
        const auto query = frame->as<proto::Query>();
        {
          const std::lock_guard locked(mutex);
          tokens[peer.number()].emplace_back(query ? query->token : "not a question");
        }
        if (query) peer.send(valid_answer(claims_block(query->token)), frame->header.request_id);
      }
    };
  }
};

bool answers_right(const Client& client, const std::string& token) {
  const Answer answer = client.query(token);
  return answer.valid() && answer.claims().id() == token;
}

// Runs `child` in a fork and gives back whether it was content.
template <class Child>
bool in_child(Child&& child) {
  const pid_t pid = fork();
  if (pid == 0) _exit(child() ? 0 : 1);
  int status = -1;
  waitpid(pid, &status, 0);
  return status == 0;
}

TEST_CASE("a forked child answers over its own connection and leaves its parent's in step") {
  Record record;
  Host host(record.script());
  REQUIRE(answers_right(host.client, "parent-1"));
  CHECK(in_child([&] {
    return answers_right(host.client, "child-1") && answers_right(host.client, "child-2");
  }));
  REQUIRE(answers_right(host.client, "parent-2"));
  host.daemon.stop();
  CHECK(record.tokens.size() == 2);
  CHECK(record.tokens[0] == std::vector<std::string>{"parent-1", "parent-2"});
  CHECK(record.tokens[1] == std::vector<std::string>{"child-1", "child-2"});
}

TEST_CASE("a child that only closes the handle leaves its parent's connection alone") {
  Record record;
  Host host(record.script());
  REQUIRE(answers_right(host.client, "parent-1"));
  CHECK(in_child([&] {
    const Client gone = std::move(host.client);
    return true;
  }));
  CHECK(answers_right(host.client, "parent-2"));
  CHECK(host.daemon.connections() == 1);
}

TEST_CASE("a child of a child has its own connection, too") {
  Record record;
  Host host(record.script());
  REQUIRE(answers_right(host.client, "parent"));
  CHECK(in_child([&] {
    return answers_right(host.client, "child") &&
           in_child([&] { return answers_right(host.client, "grandchild"); }) &&
           answers_right(host.client, "child again");
  }));
  host.daemon.stop();
  CHECK(record.tokens[1] == std::vector<std::string>{"child", "child again"});
  CHECK(record.tokens[2] == std::vector<std::string>{"grandchild"});
}

TEST_CASE("a child that was forked while another thread asked a question can ask its own") {
  std::mutex mutex;
  std::condition_variable changed;
  bool out = false;
  bool may_answer = false;
  Host host(
      [&](Peer& peer) {
        if (peer.number() > 0) return serve_tokens_as_ids(peer);
        peer.welcome();
        const auto frame = peer.receive();
        std::unique_lock locked(mutex);
        out = true;
        changed.notify_all();
        changed.wait(locked, [&] { return may_answer; });
        peer.send(valid_answer(claims_block("parent")), frame->header.request_id);
      },
      1);
  bool parent_right = false;
  std::thread asker([&] { parent_right = answers_right(host.client, "parent"); });
  {
    std::unique_lock locked(mutex);
    changed.wait(locked, [&] { return out; });
  }
  // The parent holds the only connection; in the child no thread will ever return it.
  CHECK(in_child([&] { return answers_right(host.client, "child"); }));
  {
    const std::lock_guard locked(mutex);
    may_answer = true;
    changed.notify_all();
  }
  asker.join();
  CHECK(parent_right);
}

TEST_CASE("a descriptor number that a child reused is not closed by it") {
  Host host;
  const int number = dup(0);
  close(number);
  REQUIRE(host.client.query("parent").valid());
  CHECK(in_child([&] {
    close(number);
    const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return null == number && answers_right(host.client, "child") && fcntl(number, F_GETFD) >= 0;
  }));
}

TEST_CASE("children forked while many threads use the handle are never stuck") {
  // Some children are forked while another thread holds the pool's lock. No thread of the child can
  // release it.
  Host host(serve_tokens_as_ids, 2);
  std::atomic<bool> done = false;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      while (!done) host.client.query("parent");
    });
  }
  int right = 0;
  for (int i = 0; i < 100; ++i) {
    right += in_child([&] {
      alarm(20);
      return answers_right(host.client, "child");
    })
                 ? 1
                 : 0;
  }
  CHECK(right == 100);
  done = true;
  for (std::thread& thread : threads) thread.join();
}

TEST_CASE("64 children each get their own answers") {
  Host host;
  REQUIRE(answers_right(host.client, "parent"));
  std::vector<pid_t> children;
  for (int i = 0; i < 64; ++i) {
    const pid_t pid = fork();
    if (pid == 0) {
      bool right = true;
      for (int j = 0; j < 20; ++j) {
        right = right && answers_right(host.client, std::to_string(i) + "-" + std::to_string(j));
      }
      _exit(right ? 0 : 1);
    }
    children.push_back(pid);
  }
  for (const pid_t pid : children) {
    int status = -1;
    waitpid(pid, &status, 0);
    CHECK(status == 0);
  }
  CHECK(answers_right(host.client, "parent again"));
}

TEST_CASE("a stream stays behind in the parent") {
  Host host;
  Stream stream(host.client);
  REQUIRE(stream.send("one", 1));
  CHECK(in_child([&] {
    if (stream.send("two", 2) || stream.receive()) return false;
    { const Stream closed = std::move(stream); }
    Stream own(host.client);
    return own.send("three", 3);
  }));
  // What the child did has disturbed neither the descriptor nor the answer.
  std::optional<Stream::Completed> completed;
  while (!completed) completed = stream.receive();
  CHECK(completed->answer.valid());
  CHECK(host.client.query("four").valid());
}

}  // namespace
}  // namespace claimsd::testing
