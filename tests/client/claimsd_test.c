/* claimsd.h from C99: the golden frames, replayed by a small daemon that compares what the library
 * sends with them, byte for byte. */
#define _POSIX_C_SOURCE 200809L
#define _XOPEN_SOURCE 700

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "claimsd.h"

enum { kMaxGolden = 4096, kHeaderSize = 12 };

struct frame {
  unsigned char bytes[kMaxGolden];
  size_t size;
};

static const char* golden_path;
static const char* const kToken = "eyJhbGciOiJIUzI1NiJ9.eyJqdGkiOiI0MiJ9.c2lnbmF0dXJl";

static void fail(const char* what) {
  fprintf(stderr, "c_api_test: %s\n", what);
  exit(1);
}

#define EXPECT(condition)               \
  do {                                  \
    if (!(condition)) fail(#condition); \
  } while (0)

static unsigned hex_digit(char digit) {
  return (unsigned)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
}

static struct frame golden(const char* name) {
  struct frame frame = {{0}, 0};
  char line[2 * kMaxGolden];
  const size_t length = strlen(name);
  FILE* file = fopen(golden_path, "r");
  EXPECT(file != NULL);
  while (fgets(line, sizeof line, file) != NULL) {
    const char* hex = line + length + 1;
    if (strncmp(line, name, length) != 0 || line[length] != ' ') continue;
    for (; hex[0] > ' ' && hex[1] > ' '; hex += 2) {
      frame.bytes[frame.size++] = (unsigned char)(hex_digit(hex[0]) << 4 | hex_digit(hex[1]));
    }
  }
  fclose(file);
  if (frame.size == 0) fail(name);
  return frame;
}

/* ---- the daemon, in a child process
 * -------------------------------------------------------------- */

static void read_whole(int fd, unsigned char* bytes, size_t size) {
  while (size > 0) {
    const ssize_t count = read(fd, bytes, size);
    if (count <= 0) fail("the library sent less than the golden frame");
    bytes += count;
    size -= (size_t)count;
  }
}

static void expect_frame(int fd, const char* name) {
  const struct frame expected = golden(name);
  unsigned char seen[kMaxGolden];
  read_whole(fd, seen, expected.size);
  if (strncmp(name, "query", 5) == 0 || strncmp(name, "report", 6) == 0) {
    /* The time left depends on how long the machine took: at most what the golden frame says, and
     * not nothing. */
    unsigned said;
    unsigned at_most;
    memcpy(&said, seen + kHeaderSize, sizeof said);
    memcpy(&at_most, expected.bytes + kHeaderSize, sizeof at_most);
    if (said == 0 || said > at_most) fail("the time-out on the wire");
    memcpy(seen + kHeaderSize, &at_most, sizeof at_most);
  }
  if (memcmp(seen, expected.bytes, expected.size) != 0) fail(name);
}

static void send_frame(int fd, const char* name) {
  const struct frame frame = golden(name);
  EXPECT(write(fd, frame.bytes, frame.size) == (ssize_t)frame.size);
}

static void run_daemon(int listener) {
  char byte;
  const int fd = accept(listener, NULL, NULL);
  EXPECT(fd >= 0);
  expect_frame(fd, "hello_reports");
  send_frame(fd, "welcome_reports");
  expect_frame(fd, "query_bare");
  send_frame(fd, "answer_valid");
  expect_frame(fd, "query_full");
  send_frame(fd, "answer_trimmed");
  expect_frame(fd, "report_denied");
  send_frame(fd, "receipt_recorded");
  EXPECT(read(fd, &byte, 1) == 0);
  exit(0);
}

/* ---- the client
 * ---------------------------------------------------------------------------------- */

static claimsd_handle* open_handle(const char* path) {
  claimsd_options options = CLAIMSD_OPTIONS_INIT;
  claimsd_handle* handle = NULL;
  options.socket_path = path;
  options.client_name = "lumen";
  options.upstream_url = "https://auth.example.com";
  options.timeout_ms = 1000;
  options.flags = CLAIMSD_SOCKET_ONLY; /* as the golden Hello has it */
  EXPECT(claimsd_open(&options, &handle, NULL) == CLAIMSD_OK);
  return handle;
}

/* Reads all fields of the golden answer_valid. */
static void read_view(const claimsd_answer* answer) {
  claimsd_answer_view view = CLAIMSD_ANSWER_VIEW_INIT;
  EXPECT(claimsd_read_answer(answer, &view) == CLAIMSD_OK);
  EXPECT(view.size == sizeof view && view.verdict == CLAIMSD_VALID);
  EXPECT(view.source == CLAIMSD_SOURCE_CACHE && view.age_ms == 1500 && view.ttl_ms == 58500);
  EXPECT(view.id_size == 8 && memcmp(view.id, "user-123", 8) == 0);
  EXPECT(view.email_size == 16 && memcmp(view.email, "tech@example.com", 16) == 0);
  EXPECT(view.role_count == 1 && view.roles_size == 4 && memcmp(view.roles, "rvt", 4) == 0);
  EXPECT(view.json_size == strlen(view.json) && view.json == claimsd_answer_json(answer, NULL));
  EXPECT(view.reason_size == 2 && strcmp(view.reason, "ok") == 0);
  EXPECT(view.text_size == strlen(view.text));
  view.size = 8;
  EXPECT(claimsd_read_answer(answer, &view) == CLAIMSD_BAD_ARGUMENT);
  EXPECT(claimsd_read_answer(answer, NULL) == CLAIMSD_BAD_ARGUMENT);
}

static void use_cancellation(claimsd_handle* handle) {
  claimsd_query_request request = CLAIMSD_QUERY_REQUEST_INIT;
  claimsd_answer* answer = NULL;
  claimsd_cancellation* cancellation = NULL;
  EXPECT(claimsd_cancellation_create(NULL) == CLAIMSD_BAD_ARGUMENT);
  EXPECT(claimsd_cancellation_create(&cancellation) == CLAIMSD_OK);
  claimsd_cancel(NULL);
  claimsd_cancel(cancellation);
  request.token = kToken;
  request.token_size = strlen(kToken);
  request.cancellation = cancellation;
  EXPECT(claimsd_query(handle, &request, &answer) == CLAIMSD_UNAVAILABLE);
  EXPECT(strcmp(claimsd_answer_reason(answer), "canceled") == 0);
  claimsd_answer_free(answer);
  claimsd_cancellation_free(cancellation);
  claimsd_cancellation_free(NULL);
}

static void ask_bare(claimsd_handle* handle) {
  claimsd_query_request request = CLAIMSD_QUERY_REQUEST_INIT;
  claimsd_answer* answer = NULL;
  size_t size = 0;
  request.token = kToken;
  request.token_size = strlen(kToken);
  EXPECT(claimsd_peek(handle, &request, &answer) == CLAIMSD_AGAIN);
  EXPECT(answer == NULL);
  EXPECT(claimsd_query(handle, &request, &answer) == CLAIMSD_VALID);
  EXPECT(claimsd_answer_verdict(answer) == CLAIMSD_VALID);
  EXPECT(strcmp(claimsd_answer_id(answer), "user-123") == 0);
  EXPECT(strcmp(claimsd_answer_email(answer), "tech@example.com") == 0);
  EXPECT(claimsd_answer_role_count(answer) == 1);
  EXPECT(strcmp(claimsd_answer_role(answer, 0), "rvt") == 0);
  EXPECT(claimsd_answer_role(answer, 1) == NULL);
  EXPECT(claimsd_answer_has_role(answer, "rvt") == 1);
  EXPECT(claimsd_answer_has_role(answer, "doctor") == 0);
  EXPECT(strstr(claimsd_answer_json(answer, &size), "\"id\":\"user-123\"") != NULL);
  EXPECT(size == strlen(claimsd_answer_json(answer, NULL)));
  EXPECT(claimsd_answer_source(answer) == CLAIMSD_SOURCE_CACHE);
  EXPECT(claimsd_answer_age_ms(answer) == 1500);
  EXPECT(claimsd_answer_ttl_ms(answer) == 58500);
  EXPECT(claimsd_answer_retry_after_ms(answer) == 0);
  EXPECT(strcmp(claimsd_answer_reason(answer), "ok") == 0);
  read_view(answer);
  claimsd_answer_free(answer);
}

static void read_statistics(claimsd_handle* handle) {
  claimsd_statistics counted = CLAIMSD_STATISTICS_INIT;
  EXPECT(claimsd_read_statistics(handle, &counted) == CLAIMSD_OK);
  EXPECT(counted.size == sizeof counted);
  EXPECT(counted.socket_queries == 2);
  EXPECT(counted.local_hits == 0 && counted.shared_hits == 0 && counted.maps == 0);
  EXPECT(counted.map_in_use == 0 && strlen(counted.map_text) > 0);
  counted.size = 8;
  EXPECT(claimsd_read_statistics(handle, &counted) == CLAIMSD_BAD_ARGUMENT);
  EXPECT(claimsd_read_statistics(handle, NULL) == CLAIMSD_BAD_ARGUMENT);
  EXPECT(claimsd_read_statistics(NULL, &counted) == CLAIMSD_BAD_ARGUMENT);
}

static void ask_full(claimsd_handle* handle) {
  claimsd_query_request request = CLAIMSD_QUERY_REQUEST_INIT;
  claimsd_answer* answer = NULL;
  request.token = kToken;
  request.token_size = strlen(kToken);
  request.max_age_ms = 0;
  request.client_address = "2001:db8::7";
  request.trace_id = "4bf92f3577b34da6";
  request.route = "GET /worklist and text beyond route_size";
  request.route_size = strlen("GET /worklist");
  EXPECT(claimsd_query(handle, &request, &answer) == CLAIMSD_VALID);
  EXPECT(strcmp(claimsd_answer_id(answer), "7") == 0);
  EXPECT(claimsd_answer_role_count(answer) == 2);
  EXPECT(strcmp(claimsd_answer_json(answer, NULL), "{}") == 0);
  EXPECT(claimsd_answer_source(answer) == CLAIMSD_SOURCE_STALE);
  claimsd_answer_free(answer);
}

static void report_denied(claimsd_handle* handle) {
  claimsd_report_request refusal = CLAIMSD_REPORT_REQUEST_INIT;
  claimsd_statistics counted = CLAIMSD_STATISTICS_INIT;
  claimsd_answer* answer = NULL;
  EXPECT(claimsd_report(handle, &refusal, &answer) == CLAIMSD_BAD_ARGUMENT);
  refusal.status = 403;
  EXPECT(claimsd_report(NULL, &refusal, &answer) == CLAIMSD_BAD_ARGUMENT);
  EXPECT(claimsd_report(handle, NULL, &answer) == CLAIMSD_BAD_ARGUMENT);
  refusal.token = kToken;
  refusal.token_size = strlen(kToken);
  refusal.user = "user-123";
  refusal.method = "POST";
  refusal.route = "studies/<int:number>/report/";
  refusal.required = "HasAnyRole(doctor,admin)";
  refusal.client_address = "2001:db8::7";
  refusal.trace_id = "4bf92f3577b34da6";
  refusal.flags = CLAIMSD_AWAIT_RECORD << 1;
  EXPECT(claimsd_report(handle, &refusal, &answer) == CLAIMSD_BAD_ARGUMENT);
  refusal.flags = CLAIMSD_AWAIT_RECORD;
  EXPECT(claimsd_report(handle, &refusal, &answer) == CLAIMSD_RECORDED);
  EXPECT(answer == NULL);
  EXPECT(strcmp(claimsd_result_text(CLAIMSD_RECORDED), "recorded") == 0);
  EXPECT(strcmp(claimsd_result_text(CLAIMSD_SENT), "sent") == 0);
  EXPECT(strcmp(claimsd_result_text((claimsd_result)99), "unknown result") == 0);
  EXPECT(claimsd_read_statistics(handle, &counted) == CLAIMSD_OK);
  EXPECT(counted.reports_recorded == 1 && counted.reports_lost == 0);
}

static void ask_stream_without_daemon(claimsd_handle* handle) {
  claimsd_query_request request = CLAIMSD_QUERY_REQUEST_INIT;
  claimsd_stream* stream = NULL;
  claimsd_answer* answer = NULL;
  struct pollfd readable = {-1, POLLIN, 0};
  unsigned long long seen = 0;
  uint64_t tag = 0;
  EXPECT(claimsd_stream_open(handle, &stream) == CLAIMSD_OK);
  request.token = kToken;
  request.token_size = strlen(kToken);
  EXPECT(claimsd_stream_send(stream, &request, 77) == CLAIMSD_OK);
  EXPECT(claimsd_stream_pending(stream) == 1);
  EXPECT(claimsd_stream_cancel(stream, 78) == CLAIMSD_AGAIN);
  EXPECT(claimsd_stream_cancel(NULL, 77) == CLAIMSD_BAD_ARGUMENT);
  readable.fd = claimsd_stream_fd(stream);
  while (claimsd_stream_pending(stream) == 1) {
    EXPECT(poll(&readable, 1, 10000) == 1);
    EXPECT(claimsd_stream_receive(stream, &tag, &answer) != CLAIMSD_VALID);
    seen = tag;
  }
  EXPECT(seen == 77);
  EXPECT(claimsd_answer_verdict(answer) == CLAIMSD_UNAVAILABLE);
  claimsd_answer_free(answer);
  claimsd_stream_close(stream);
}

int main(int argc, char** argv) {
  char directory[] = "/tmp/claimsd-c-XXXXXX";
  struct sockaddr_un address;
  int status = -1;
  pid_t daemon_pid;
  claimsd_handle* handle;
  const int listener = socket(AF_UNIX, SOCK_STREAM, 0);
  EXPECT(argc == 2);
  EXPECT(CLAIMSD_VERSION_NUMBER >= 1000 * CLAIMSD_VERSION_MINOR);
  golden_path = argv[1];
  EXPECT(mkdtemp(directory) != NULL);
  memset(&address, 0, sizeof address);
  address.sun_family = AF_UNIX;
  snprintf(address.sun_path, sizeof address.sun_path, "%s/s", directory);
  EXPECT(bind(listener, (struct sockaddr*)&address, sizeof address) == 0);
  EXPECT(listen(listener, 4) == 0);
  daemon_pid = fork();
  if (daemon_pid == 0) run_daemon(listener);
  close(listener);

  handle = open_handle(address.sun_path);
  ask_bare(handle);
  ask_full(handle);
  read_statistics(handle);
  report_denied(handle);
  claimsd_close(handle);
  EXPECT(waitpid(daemon_pid, &status, 0) == daemon_pid && status == 0);

  unlink(address.sun_path);
  handle = open_handle(address.sun_path);
  ask_stream_without_daemon(handle);
  use_cancellation(handle);
  EXPECT(claimsd_retain(handle) == handle);
  claimsd_close(handle);
  claimsd_close(handle);
  rmdir(directory);
  return 0;
}
