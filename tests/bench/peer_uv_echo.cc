#include <uv.h>

#include "tests/bench/echo_client.h"

namespace claimsd::bench {
namespace {

// One connection on a loop; writes answers immediately if the socket accepts them, like claimsd.
struct Echo {
  uv_loop_t loop;
  uv_pipe_t pipe;
  std::vector<char> buffer;
  std::string answer;
  std::size_t query_size = 0;
  std::size_t have = 0;
};

void give_buffer(uv_handle_t* handle, std::size_t /*suggested*/, uv_buf_t* buffer) {
  Echo& echo = *static_cast<Echo*>(handle->data);
  *buffer = uv_buf_init(echo.buffer.data(), static_cast<unsigned>(echo.buffer.size()));
}

void on_read(uv_stream_t* stream, ssize_t got, const uv_buf_t* /*buffer*/) {
  Echo& echo = *static_cast<Echo*>(stream->data);
  if (got < 0) return uv_stop(&echo.loop);
  echo.have += static_cast<std::size_t>(got);
  if (echo.have < echo.query_size) return;
  echo.have -= echo.query_size;
  const uv_buf_t answer =
      uv_buf_init(echo.answer.data(), static_cast<unsigned>(echo.answer.size()));
  if (uv_try_write(stream, &answer, 1) != static_cast<int>(echo.answer.size())) uv_stop(&echo.loop);
}

int serve(Fd connection, const FrameSizes& sizes) {
  Echo echo{};
  // Larger than a query, because libuv reads again after a read that fills the buffer.
  echo.buffer.resize(2 * sizes.query);
  echo.query_size = sizes.query;
  echo.answer.assign(sizes.answer, kEchoFiller);
  if (uv_loop_init(&echo.loop) != 0 || uv_pipe_init(&echo.loop, &echo.pipe, 0) != 0) return 1;
  echo.pipe.data = &echo;
  if (uv_pipe_open(&echo.pipe, connection.release()) != 0) return 1;
  auto* stream = reinterpret_cast<uv_stream_t*>(&echo.pipe);
  if (uv_read_start(stream, give_buffer, on_read) != 0) return 1;
  return uv_run(&echo.loop, UV_RUN_DEFAULT);
}

}  // namespace

Result<ContenderPtr> start_uv_echo() {
  return start_echo("uv_echo", serve);
}

}  // namespace claimsd::bench
