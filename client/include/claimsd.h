/* claimsd.h: the C interface to the host's claimsd daemon, which verifies bearer tokens.
 *
 * Purpose    A worker process passes a bearer token and gets one of three verdicts:
 *              CLAIMSD_VALID        the Auth API confirmed the token; the answer has its claims
 *              CLAIMSD_INVALID      the Auth API rejected it (401), or it is not a token
 *              CLAIMSD_UNAVAILABLE  there is no verdict (outage, timeout, overload, no daemon)
 *            An outage is never CLAIMSD_INVALID: answer it with 503, not with 401. Only
 *            CLAIMSD_VALID, which is 0, permits a request.
 *
 * Threads    Any number of threads may use a `claimsd_handle` or a `claimsd_stream` at once. Only
 *            one thread at a time may use a `claimsd_answer`. The library starts no thread,
 *            installs no signal handler, raises no SIGPIPE and runs no code at load time.
 *
 * Fork       A handle opened before fork() works in the child: the child discards the inherited
 *            connections without writing to them and opens new ones. A stream does not survive
 *            fork(): in the child its _send and _receive return CLAIMSD_BAD_ARGUMENT. Close it and
 *            open another.
 *
 * Speed      When a handle first connects, the daemon passes a read-only map of shared memory.
 *            Tokens published there are answered without the daemon (CLAIMSD_SOURCE_SHARED) and
 *            copied to a table of this process (CLAIMSD_SOURCE_LOCAL). Both are valid only during
 *            the daemon's lease; a revocation ends both at once. Without a map every query uses
 *            the socket; callers need not care.
 *
 * Rules      for signals, thread cancellation, descriptors, fork, setuid, chroot, dlclose and exit
 *            are in client/README.md.
 *
 * Ownership  The caller owns what a function returns through an `out` pointer and passes it to the
 *            matching `_close` or `_free`. Strings of an answer live as long as the answer. All
 *            are UTF-8 and NUL-terminated; claims never contain a NUL byte.
 *
 * Growth     Option structs begin with their size. Initialize them with the _INIT macro, then set
 *            what you need; a program built with an older header works with a newer library.
 *
 * Audit      Only the worker knows what it refused by itself (a permission denied).
 *            claimsd_report() sends that to the daemon's audit log and waits for the record only
 *            on request. Lost reports are counted; the next report carries the count.
 *
 * Times      Milliseconds. A timeout of 0 is the default.
 */
#ifndef CLAIMSD_H
#define CLAIMSD_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define CLAIMSD_API __attribute__((visibility("default")))
#else
#define CLAIMSD_API
#endif

/* The version of this header. claimsd_version() is the version of the library. */
#define CLAIMSD_VERSION_MAJOR 0
#define CLAIMSD_VERSION_MINOR 2
#define CLAIMSD_VERSION_PATCH 0
/* For #if: version 1.2.3 is 1002003. */
#define CLAIMSD_VERSION_NUMBER \
  (CLAIMSD_VERSION_MAJOR * 1000000 + CLAIMSD_VERSION_MINOR * 1000 + CLAIMSD_VERSION_PATCH)

/* The default of claimsd_options.socket_path. */
#define CLAIMSD_DEFAULT_SOCKET "/run/claimsd/claims.sock"
/* The timeout if neither the handle nor the query sets one. */
#define CLAIMSD_DEFAULT_TIMEOUT_MS 5000u
/* The default of `max_age_ms`: accepts any answer that the daemon's configuration allows. */
#define CLAIMSD_ANY_AGE UINT32_MAX
/* The default of `daemon_uid`: trusts root and the owner of the socket's directory. */
#define CLAIMSD_ANY_TRUSTED_UID UINT32_MAX
/* As the size of a text: the text ends in NUL. Any other size is the number of bytes. */
#define CLAIMSD_NUL_TERMINATED SIZE_MAX

typedef enum claimsd_result {
  CLAIMSD_VALID = 0,        /* the token's claims are in the answer */
  CLAIMSD_INVALID = 1,      /* rejected: the user must log in again (HTTP 401) */
  CLAIMSD_UNAVAILABLE = 2,  /* there is no verdict: try again later (HTTP 503) */
  CLAIMSD_AGAIN = 3,        /* not known in this process, or no answer is ready */
  CLAIMSD_BAD_ARGUMENT = 4, /* a NULL, a wrong size, a path too long; nothing was sent */
  CLAIMSD_NO_MEMORY = 5,    /* nothing was opened or sent */
  CLAIMSD_RECORDED = 6,     /* the report is in the audit log. Not 0: it permits no request */
  CLAIMSD_SENT = 7,         /* the report was sent, but is not acknowledged yet */
  CLAIMSD_OK = 8            /* success of other calls than lookups. It permits no request */
} claimsd_result;

/* Where an answer came from. */
typedef enum claimsd_source {
  CLAIMSD_SOURCE_NONE = 0,     /* no source: the library made the answer itself */
  CLAIMSD_SOURCE_LOCAL = 1,    /* the table of this process */
  CLAIMSD_SOURCE_SHARED = 2,   /* the daemon's shared memory */
  CLAIMSD_SOURCE_CACHE = 3,    /* the daemon's cache, over the socket */
  CLAIMSD_SOURCE_UPSTREAM = 4, /* the Auth API, just now */
  CLAIMSD_SOURCE_STALE = 5     /* a stale entry of the daemon's cache, during an outage */
} claimsd_source;

typedef struct claimsd_handle claimsd_handle; /* connections to one daemon */
typedef struct claimsd_answer claimsd_answer; /* the result of one query */
typedef struct claimsd_stream claimsd_stream; /* many concurrent queries, for event loops */
typedef struct claimsd_cancellation claimsd_cancellation; /* ends a blocking query early */

typedef struct claimsd_options {
  size_t size;              /* sizeof(claimsd_options), set by CLAIMSD_OPTIONS_INIT */
  const char* socket_path;  /* NULL: CLAIMSD_DEFAULT_SOCKET */
  const char* upstream_url; /* the Auth API this process expects; NULL: the daemon's default.
                               The daemon rejects a connection that names an unknown one. */
  const char* client_name;  /* name of this client in status output, at most 64 bytes; NULL: "" */
  uint32_t timeout_ms;      /* default for queries; 0: CLAIMSD_DEFAULT_TIMEOUT_MS */
  uint32_t max_connections; /* for blocking calls; 0: 64, at most 1,024. Other threads wait. */
  uint32_t daemon_uid;      /* the uid that the daemon must run as, or CLAIMSD_ANY_TRUSTED_UID */
  uint32_t flags;           /* the flags below, or'ed together; 0: none */
  uint32_t local_entries;   /* capacity of the local table, 2 KiB an entry, allocated on first
                               use; 0: 512, at most 65,536 */
  uint32_t reserved;        /* 0 */
} claimsd_options;

#define CLAIMSD_OPTIONS_INIT \
  { sizeof(claimsd_options), NULL, NULL, NULL, 0u, 0u, CLAIMSD_ANY_TRUSTED_UID, 0u, 0u, 0u }

/* Flags of a handle. */
#define CLAIMSD_SOCKET_ONLY 1u    /* always ask the daemon: no shared memory, no table */
#define CLAIMSD_NO_LOCAL_TABLE 2u /* keep no answers in this process */

typedef struct claimsd_query_request {
  size_t size;         /* sizeof(claimsd_query_request), set by CLAIMSD_QUERY_REQUEST_INIT */
  const char* token;   /* the bearer token without "Bearer "; need not end in NUL */
  size_t token_size;   /* in bytes. 0 is CLAIMSD_INVALID, "malformed", for any `token` */
  uint32_t timeout_ms; /* 0: the handle's timeout */
  uint32_t max_age_ms; /* maximum age of the confirmation; 0: ask the Auth API now;
                          CLAIMSD_ANY_AGE: as the daemon's configuration allows */
  /* Hints. Text over the limits of PROTOCOL.md is truncated. */
  const char* client_address; /* for fairness and the audit log: the peer of the request; or NULL */
  const char* trace_id;       /* for the logs: the request's trace id; or NULL */
  const char* route;          /* for the audit log: "GET /worklist"; or NULL */
  /* Sizes of the hints in bytes, or CLAIMSD_NUL_TERMINATED. */
  size_t client_address_size;
  size_t trace_id_size;
  size_t route_size;
  /* Lets another thread end claimsd_query() early; or NULL. Other calls ignore it. */
  claimsd_cancellation* cancellation;
} claimsd_query_request;

#define CLAIMSD_QUERY_REQUEST_INIT                                                   \
  {                                                                                  \
    sizeof(claimsd_query_request), NULL, 0, 0u, CLAIMSD_ANY_AGE, NULL, NULL, NULL,   \
        CLAIMSD_NUL_TERMINATED, CLAIMSD_NUL_TERMINATED, CLAIMSD_NUL_TERMINATED, NULL \
  }

/* A request that the caller refused, for the audit log. Texts may be NULL; text over the limits of
 * PROTOCOL.md is truncated. No text may contain a token, an email address or the path of a request,
 * which may contain a name. */
typedef struct claimsd_report_request {
  size_t size;         /* sizeof(claimsd_report_request), set by CLAIMSD_REPORT_REQUEST_INIT */
  const char* token;   /* the bearer token of the request, or NULL. The audit log contains only its
                          fingerprint */
  size_t token_size;   /* in bytes */
  uint32_t timeout_ms; /* how long to wait for the record; 0: the handle's timeout */
  uint32_t status; /* the HTTP status of the response: 401, 403, 503, or another from 400 to 599 */
  const char* reason;   /* claimsd_answer_reason() of the answer that caused it; NULL: a missing
                          permission or token caused it */
  const char* user;     /* the id claim, if the caller knows it. The daemon prefers the id that the
                          Auth API confirmed */
  const char* method;   /* "POST" */
  const char* route;    /* the pattern that matched: "studies/<int:number>/report/" */
  const char* required; /* the missing permission: "HasRole(doctor)" */
  const char* client_address; /* as in a query */
  const char* trace_id;       /* as in a query */
  uint32_t flags;             /* CLAIMSD_AWAIT_RECORD; 0: claimsd_report() does not wait */
  uint32_t reserved;          /* 0 */
  /* Sizes of the texts in bytes, or CLAIMSD_NUL_TERMINATED. */
  size_t reason_size;
  size_t user_size;
  size_t method_size;
  size_t route_size;
  size_t required_size;
  size_t client_address_size;
  size_t trace_id_size;
} claimsd_report_request;

#define CLAIMSD_REPORT_REQUEST_INIT                                                                \
  {                                                                                                \
    sizeof(claimsd_report_request), NULL, 0, 0u, 0u, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0u, \
        0u, CLAIMSD_NUL_TERMINATED, CLAIMSD_NUL_TERMINATED, CLAIMSD_NUL_TERMINATED,                \
        CLAIMSD_NUL_TERMINATED, CLAIMSD_NUL_TERMINATED, CLAIMSD_NUL_TERMINATED,                    \
        CLAIMSD_NUL_TERMINATED                                                                     \
  }

/* Flag of a report: claimsd_report() returns once the record is on disk or the timeout is over. */
#define CLAIMSD_AWAIT_RECORD 1u

#define CLAIMSD_MIN_STATUS 400u
#define CLAIMSD_MAX_STATUS 599u

/* The library's version, "0.2.0". Static storage. */
CLAIMSD_API const char* claimsd_version(void);

/* The name of a result, for logs: "valid", "invalid", "ok", ... Static storage; never NULL. */
CLAIMSD_API const char* claimsd_result_text(claimsd_result result);

/* The name of a source: "cache". Static storage; never NULL. */
CLAIMSD_API const char* claimsd_source_text(claimsd_source source);

/* Creates a handle. The first query connects. `options` may be NULL (defaults).
 * Returns CLAIMSD_OK, CLAIMSD_BAD_ARGUMENT, CLAIMSD_NO_MEMORY, or CLAIMSD_UNAVAILABLE if this
 * process cannot detect a fork(). `*out` is NULL unless OK. `problem` may be NULL; otherwise
 * `*problem` is NULL if OK, and else the reason in static storage. For CLAIMSD_BAD_ARGUMENT it
 * names the option and its limit: "client_name: at most 64 bytes". */
CLAIMSD_API claimsd_result claimsd_open(const claimsd_options* options, claimsd_handle** out,
                                        const char** problem);

/* Adds a reference to a handle and returns the handle. Each reference needs its own
 * claimsd_close(). In a binding, every object that makes calls owns a reference. */
CLAIMSD_API claimsd_handle* claimsd_retain(claimsd_handle* handle);

/* Drops a reference. Dropping the last one closes the connections and frees the handle. Any thread
 * may do so at any time, also while calls block and streams are open: they keep the handle until
 * they end. A call that starts during or after the last claimsd_close() is an error of the caller.
 * NULL is ignored. */
CLAIMSD_API void claimsd_close(claimsd_handle* handle);

/* Creates a cancellation. Returns CLAIMSD_OK, CLAIMSD_BAD_ARGUMENT or CLAIMSD_NO_MEMORY. */
CLAIMSD_API claimsd_result claimsd_cancellation_create(claimsd_cancellation** out);

/* Cancels all queries that have this cancellation, running and future. A blocked claimsd_query()
 * returns CLAIMSD_UNAVAILABLE, "canceled", within 10 ms. The daemon completes the request and
 * caches its answer. Any thread, any number of times; async-signal-safe. NULL is ignored. */
CLAIMSD_API void claimsd_cancel(claimsd_cancellation* cancellation);

/* Frees a cancellation. No running call may use it. NULL is ignored. */
CLAIMSD_API void claimsd_cancellation_free(claimsd_cancellation* cancellation);

/* Looks up a token. Blocks for at most the query's timeout.
 * Returns a verdict (CLAIMSD_VALID, _INVALID or _UNAVAILABLE) and sets `*out` to an answer with the
 * reason (see claimsd_answer_reason), or returns CLAIMSD_BAD_ARGUMENT and sets `*out` to NULL. Out
 * of memory is CLAIMSD_UNAVAILABLE, "no_resources". `out` may be NULL if the verdict is enough. */
CLAIMSD_API claimsd_result claimsd_query(claimsd_handle* handle,
                                         const claimsd_query_request* request,
                                         claimsd_answer** out);

/* Cache-only lookup: never blocks, makes no system call. Use it while holding a lock such as the
 * GIL. Timeout and hints are ignored. Returns CLAIMSD_VALID with an answer, CLAIMSD_AGAIN without
 * one (then use claimsd_query()), or CLAIMSD_BAD_ARGUMENT without one. */
CLAIMSD_API claimsd_result claimsd_peek(claimsd_handle* handle,
                                        const claimsd_query_request* request, claimsd_answer** out);

/* Checks that the daemon runs and accepts queries of this process. Returns CLAIMSD_OK without an
 * answer, CLAIMSD_UNAVAILABLE with an answer that has the reason (`out` may be NULL), or
 * CLAIMSD_BAD_ARGUMENT. `*round_trip_ns`, unless NULL, is the time it took including connect. */
CLAIMSD_API claimsd_result claimsd_ping(claimsd_handle* handle, uint32_t timeout_ms,
                                        uint64_t* round_trip_ns, claimsd_answer** out);

/* Reports a refusal to the daemon's audit log.
 *
 * Without flags the call sends the report and does not wait: it returns CLAIMSD_SENT without an
 * answer. Up to 256 reports may be unacknowledged. Later calls of this function and of
 * claimsd_read_statistics() read their receipts. Reports without a receipt before their timeout
 * count as lost; the next report carries the count. While the daemon restarts or does not read,
 * reports wait in this process for the next call.
 *
 * With CLAIMSD_AWAIT_RECORD the call blocks for at most the report's timeout. It returns
 * CLAIMSD_RECORDED without an answer once the record is on disk, or as the daemon's audit options
 * allow (see PROTOCOL.md).
 *
 * Both return CLAIMSD_UNAVAILABLE with an answer that says why the record may be missing (`out` may
 * be NULL), or CLAIMSD_BAD_ARGUMENT. If the connection breaks, the report is sent once more, so a
 * record may appear twice. */
CLAIMSD_API claimsd_result claimsd_report(claimsd_handle* handle,
                                          const claimsd_report_request* report_request,
                                          claimsd_answer** out);

/* Counters of this process since the handle was opened or since the fork. */
typedef struct claimsd_statistics {
  size_t size;               /* sizeof(claimsd_statistics), set by CLAIMSD_STATISTICS_INIT */
  uint64_t local_hits;       /* answers from the local table */
  uint64_t shared_hits;      /* answers from the daemon's shared memory */
  uint64_t socket_queries;   /* queries sent over the socket, with any result */
  uint64_t maps;             /* maps of shared memory received: one for each daemon process */
  uint64_t map_slots;        /* slots of the current map */
  uint64_t local_bytes;      /* memory of the local table when it is full */
  uint32_t local_entries;    /* capacity of the local table; 0: there is none */
  uint32_t map_in_use;       /* 1; or 0, and `map_text` says why */
  const char* map_text;      /* state of the map, for people. Static storage; never NULL */
  uint64_t reports_recorded; /* reports acknowledged by the daemon */
  uint64_t reports_lost;     /* reports that may be missing; the next report carries the count */
} claimsd_statistics;

#define CLAIMSD_STATISTICS_INIT \
  { sizeof(claimsd_statistics), 0u, 0u, 0u, 0u, 0u, 0u, 0u, 0u, "", 0u, 0u }

/* Reads the counters. Returns CLAIMSD_OK or CLAIMSD_BAD_ARGUMENT. Set `out->size` to the size of
 * the struct; the call changes it to the size that was filled in. */
CLAIMSD_API claimsd_result claimsd_read_statistics(claimsd_handle* handle, claimsd_statistics* out);

/* ---- answers ----------------------------------------------------------------------------- */

/* Frees an answer and wipes the claims in it. NULL is ignored. */
CLAIMSD_API void claimsd_answer_free(claimsd_answer* answer);

/* The verdict: CLAIMSD_VALID, CLAIMSD_INVALID or CLAIMSD_UNAVAILABLE (also for NULL). */
CLAIMSD_API claimsd_result claimsd_answer_verdict(const claimsd_answer* answer);

/* The reason: a stable word for programs ("ok", "rejected", "expired", "timeout", "no_daemon", ...;
 * PROTOCOL.md lists them), and a sentence for people that suggests a fix. Never NULL, never
 * secret. */
CLAIMSD_API const char* claimsd_answer_reason(const claimsd_answer* answer);
CLAIMSD_API const char* claimsd_answer_text(const claimsd_answer* answer);

/* The source, the age of the Auth API's confirmation, and how long the answer may be used. */
CLAIMSD_API claimsd_source claimsd_answer_source(const claimsd_answer* answer);
CLAIMSD_API uint32_t claimsd_answer_age_ms(const claimsd_answer* answer);
CLAIMSD_API uint32_t claimsd_answer_ttl_ms(const claimsd_answer* answer);

/* Wait this long before a retry after CLAIMSD_UNAVAILABLE; 0: unknown. For HTTP's Retry-After. */
CLAIMSD_API uint32_t claimsd_answer_retry_after_ms(const claimsd_answer* answer);

/* The claims; "" and 0 unless the verdict is CLAIMSD_VALID. A missing email is "". Roles are in the
 * order of the Auth API; a role given as one string is a list of one. An index past the last role
 * gives NULL. */
CLAIMSD_API const char* claimsd_answer_id(const claimsd_answer* answer);
CLAIMSD_API const char* claimsd_answer_email(const claimsd_answer* answer);
CLAIMSD_API size_t claimsd_answer_role_count(const claimsd_answer* answer);
CLAIMSD_API const char* claimsd_answer_role(const claimsd_answer* answer, size_t index);

/* 1 if the verdict is CLAIMSD_VALID and the user has exactly this role, else 0. */
CLAIMSD_API int claimsd_answer_has_role(const claimsd_answer* answer, const char* role);

/* 1 if the claims were too large for the daemon's max_claims_bytes, so that claimsd_answer_json() has
 * no more than id, email and roles; else 0. */
CLAIMSD_API int claimsd_answer_truncated(const claimsd_answer* answer);

/* All claims as the Auth API sent them, one JSON object; "{}" unless CLAIMSD_VALID. See
 * claimsd_answer_truncated(). `size` may be NULL. */
CLAIMSD_API const char* claimsd_answer_json(const claimsd_answer* answer, size_t* size);

/* All fields of an answer, for bindings. The pointers are valid as long as the answer. */
typedef struct claimsd_answer_view {
  size_t size; /* sizeof(claimsd_answer_view), set by CLAIMSD_ANSWER_VIEW_INIT */
  claimsd_result verdict;
  claimsd_source source;
  uint32_t age_ms;         /* since the Auth API last confirmed it */
  uint32_t ttl_ms;         /* how long the answer may be used */
  uint32_t retry_after_ms; /* see claimsd_answer_retry_after_ms() */
  uint32_t role_count;
  /* Sizes are in bytes and exclude the NUL that follows each text. */
  const char* reason;
  size_t reason_size;
  const char* text;
  size_t text_size;
  const char* id;
  size_t id_size;
  const char* email;
  size_t email_size;
  const char* json;
  size_t json_size;
  /* All roles, each followed by NUL; the size includes these: "rvt\0doctor\0" has 11 bytes. */
  const char* roles;
  size_t roles_size;
  uint32_t truncated; /* 1: see claimsd_answer_truncated() */
} claimsd_answer_view;

#define CLAIMSD_ANSWER_VIEW_INIT                                                                 \
  {                                                                                              \
    sizeof(claimsd_answer_view), CLAIMSD_UNAVAILABLE, CLAIMSD_SOURCE_NONE, 0u, 0u, 0u, 0u, NULL, \
        0, NULL, 0, NULL, 0, NULL, 0, NULL, 0, NULL, 0, 0u                                       \
  }

/* Fills in a view of an answer. A NULL `answer` reads as unavailable, "no_resources". Returns
 * CLAIMSD_OK or CLAIMSD_BAD_ARGUMENT. Set `out->size` to the size of the struct; the call changes
 * it to the size that was filled in. */
CLAIMSD_API claimsd_result claimsd_read_answer(const claimsd_answer* answer,
                                               claimsd_answer_view* out);

/* ---- streams: for event loops -------------------------------------------------------------
 *
 * A stream sends up to 4,096 concurrent queries over one connection and never blocks. Send; wait
 * until the descriptor is readable (poll, epoll, asyncio add_reader); receive until CLAIMSD_AGAIN.
 * The descriptor stays the same when the daemon restarts. It also becomes readable when a query
 * times out, so no timer is needed. The stream owns it: do not read, write or close it. Calls of
 * several threads on one stream are serialized by a lock that is held briefly. A stream holds a
 * reference to its handle. */

/* Opens a stream on a handle. Returns CLAIMSD_OK, CLAIMSD_BAD_ARGUMENT, CLAIMSD_NO_MEMORY, or
 * CLAIMSD_UNAVAILABLE if the process is out of descriptors. */
CLAIMSD_API claimsd_result claimsd_stream_open(claimsd_handle* handle, claimsd_stream** out);

/* Closes a stream. Open queries get no answer. No other thread may use it any more. NULL is
 * ignored. */
CLAIMSD_API void claimsd_stream_close(claimsd_stream* stream);

/* The descriptor to wait on for reading. */
CLAIMSD_API int claimsd_stream_fd(const claimsd_stream* stream);

/* Sends a query. The answer carries `tag`, which the caller chooses. A result other than CLAIMSD_OK
 * means that no answer will come: BAD_ARGUMENT, NO_MEMORY, or UNAVAILABLE when 4,096 are open. */
CLAIMSD_API claimsd_result claimsd_stream_send(claimsd_stream* stream,
                                               const claimsd_query_request* request, uint64_t tag);

/* Reports a refusal. Tag and results are those of claimsd_stream_send(). */
CLAIMSD_API claimsd_result claimsd_stream_report(claimsd_stream* stream,
                                                 const claimsd_report_request* report_request,
                                                 uint64_t tag);

/* Takes the next completed answer. Returns its verdict and sets `*tag` and `*out`, or returns
 * CLAIMSD_AGAIN when none is ready. For a report it returns CLAIMSD_RECORDED without an answer, or
 * CLAIMSD_UNAVAILABLE with an answer that has the reason. */
CLAIMSD_API claimsd_result claimsd_stream_receive(claimsd_stream* stream, uint64_t* tag,
                                                  claimsd_answer** out);

/* Cancels the open queries with this tag: each is received at once as CLAIMSD_UNAVAILABLE,
 * "canceled". Returns CLAIMSD_OK, CLAIMSD_BAD_ARGUMENT, or CLAIMSD_AGAIN if no query with this tag
 * is open. Reports are not canceled. */
CLAIMSD_API claimsd_result claimsd_stream_cancel(claimsd_stream* stream, uint64_t tag);

/* The number of queries and reports whose answers have not been received yet. */
CLAIMSD_API size_t claimsd_stream_pending(const claimsd_stream* stream);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* CLAIMSD_H */
