/* claimsd.h: ask the host's claimsd daemon whose token this is.
 *
 * Purpose    A worker process hands over a bearer token and learns one of three verdicts:
 *              CLAIMSD_VALID        the Auth API confirmed the token; the answer carries its claims
 *              CLAIMSD_INVALID      the Auth API refused it (401), or it cannot be a token at all
 *              CLAIMSD_UNAVAILABLE  nobody could say (outage, timeout, overload, no daemon)
 *            An outage is never CLAIMSD_INVALID: answer it with 503, not with 401. The only return
 *            code that may let a request in is CLAIMSD_VALID, which is 0; no other code is.
 *
 * Threads    A `claimsd_handle` may be used by any number of threads at once. A `claimsd_stream`
 *            and a `claimsd_answer` belong to one thread at a time. The library starts no thread,
 *            installs no signal handler, raises no SIGPIPE and runs nothing at load time.
 *
 * Fork       A handle opened before fork() works in the child: the child drops what it inherited
 *            without writing on it and connects anew. A stream does not survive fork(): in the
 *            child its _send and _receive are CLAIMSD_BAD_ARGUMENT; close it and open another.
 *
 * Speed      The daemon passes a read-only map of shared memory when a handle first connects. What
 * it has published there is found without it (CLAIMSD_SOURCE_SHARED), and what this process has
 * found there is kept in a table of its own (CLAIMSD_SOURCE_LOCAL); both only as long as the daemon
 * lets it stand. A revocation ends both at once. Where there is no map the socket answers; no
 * caller needs to know.
 *
 * Ownership  What a function returns through an `out` pointer is the caller's, to be given back to
 *            the matching `_close` or `_free`. Strings got from an answer live as long as that
 *            answer. All are UTF-8 and NUL-terminated; claims never contain a NUL byte.
 *
 * Growth     Option structs begin with their size. Fill them with the _INIT macro, then set what
 *            you need; a program built against an older header works with a newer library.
 *
 * Audit      What a worker refuses by itself (a permission denied) is known to the worker alone.
 * claimsd_report() has it put into the daemon's audit log, and waits for that only if asked to.
 * What did not get there is counted, and said with the next report.
 *
 * Times      are in milliseconds. 0 in a time-out means "the default".
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

/* The socket a handle asks when its options name none. */
#define CLAIMSD_DEFAULT_SOCKET "/run/claimsd/claims.sock"
/* How long a lookup may take when neither the handle nor the question says so. */
#define CLAIMSD_DEFAULT_TIMEOUT_MS 5000u
/* Leave `max_age_ms` at this to accept any answer that the daemon's configuration allows. */
#define CLAIMSD_ANY_AGE UINT32_MAX
/* Leave `daemon_uid` at this to trust root and the owner of the socket's directory. */
#define CLAIMSD_ANY_TRUSTED_UID UINT32_MAX

typedef enum claimsd_result {
  CLAIMSD_VALID = 0,        /* the token's claims are in the answer */
  CLAIMSD_OK = 0,           /* the same value, for calls that are not lookups */
  CLAIMSD_INVALID = 1,      /* refused: the holder must log in again (HTTP 401) */
  CLAIMSD_UNAVAILABLE = 2,  /* nobody could say: try again later (HTTP 503) */
  CLAIMSD_AGAIN = 3,        /* not known yet: nobody was asked, or no answer has come */
  CLAIMSD_BAD_ARGUMENT = 4, /* a NULL, a wrong size, a path too long; nothing was sent */
  CLAIMSD_NO_MEMORY = 5,    /* nothing was opened or sent */
  CLAIMSD_RECORDED = 6,     /* what was reported is in the audit log. Not 0: it lets nobody in */
  CLAIMSD_SENT = 7          /* what was reported is on its way to the audit log */
} claimsd_result;

/* Who said so. */
typedef enum claimsd_source {
  CLAIMSD_SOURCE_NONE = 0,     /* nobody: the answer was made without asking */
  CLAIMSD_SOURCE_LOCAL = 1,    /* this process' own table */
  CLAIMSD_SOURCE_SHARED = 2,   /* the daemon's shared memory */
  CLAIMSD_SOURCE_CACHE = 3,    /* the daemon's cache, over the socket */
  CLAIMSD_SOURCE_UPSTREAM = 4, /* the Auth API, just now */
  CLAIMSD_SOURCE_STALE = 5     /* the daemon's cache past its freshness, during an outage */
} claimsd_source;

typedef struct claimsd_handle claimsd_handle; /* connections to one daemon */
typedef struct claimsd_answer claimsd_answer; /* what became of one question */
typedef struct claimsd_stream claimsd_stream; /* many questions at once, for event loops */

typedef struct claimsd_options {
  size_t size;              /* sizeof(claimsd_options), set by CLAIMSD_OPTIONS_INIT */
  const char* socket_path;  /* NULL: CLAIMSD_DEFAULT_SOCKET */
  const char* upstream_url; /* the Auth API this process expects; NULL: the daemon's default.
                               The daemon refuses the connection if it is not one of its own. */
  const char* client_name;  /* who asks, for the operator's eyes, at most 64 bytes; NULL: "" */
  uint32_t timeout_ms;      /* for lookups that do not say; 0: CLAIMSD_DEFAULT_TIMEOUT_MS */
  uint32_t max_connections; /* of blocking calls; 0: 16, at most 1,024. More threads wait. */
  uint32_t daemon_uid;      /* the uid the daemon must run as, or CLAIMSD_ANY_TRUSTED_UID */
  uint32_t flags;           /* CLAIMSD_NO_..., or'ed together; 0: none */
  uint32_t local_entries;   /* answers this process keeps for itself, 2 KiB each, touched as they
                               are used; 0: 512, at most 65,536 */
  uint32_t reserved;        /* 0 */
} claimsd_options;

#define CLAIMSD_OPTIONS_INIT \
  { sizeof(claimsd_options), NULL, NULL, NULL, 0u, 0u, CLAIMSD_ANY_TRUSTED_UID, 0u, 0u, 0u }

/* Flags of a handle. */
#define CLAIMSD_SOCKET_ONLY 1u    /* ask the daemon always: neither its shared memory nor a table */
#define CLAIMSD_NO_LOCAL_TABLE 2u /* keep no answers in this process */

typedef struct claimsd_query_request {
  size_t size;         /* sizeof(claimsd_query_request), set by CLAIMSD_QUERY_REQUEST_INIT */
  const char* token;   /* the bearer token without "Bearer "; need not end in NUL */
  size_t token_size;   /* in bytes */
  uint32_t timeout_ms; /* 0: as the handle says */
  uint32_t max_age_ms; /* how old a confirmation may be; 0: ask the Auth API now;
                          CLAIMSD_ANY_AGE: whatever the daemon allows */
  /* Hints. What is longer than PROTOCOL.md allows is cut. */
  const char* client_address; /* for fairness and the audit log: who sent the request; or NULL */
  const char* trace_id;       /* for the logs: the request's trace id; or NULL */
  const char* route;          /* for the audit log: "GET /worklist"; or NULL */
} claimsd_query_request;

#define CLAIMSD_QUERY_REQUEST_INIT \
  { sizeof(claimsd_query_request), NULL, 0, 0u, CLAIMSD_ANY_AGE, NULL, NULL, NULL }

/* A request that the caller has answered with a refusal: for the audit log. Texts may be NULL; what
 * is longer than PROTOCOL.md allows is cut. No text may hold a token, an email address or the path
 * of a request, which may name somebody. */
typedef struct claimsd_report_request {
  size_t size;         /* sizeof(claimsd_report_request), set by CLAIMSD_REPORT_REQUEST_INIT */
  const char* token;   /* the bearer token that the request brought, or NULL. It names the record as
                          it names the daemon's own: by a fingerprint */
  size_t token_size;   /* in bytes */
  uint32_t timeout_ms; /* how long to wait for the record; 0: as the handle says */
  uint32_t status;     /* of HTTP, as answered: 401, 403, 503, or another from 400 to 599 */
  const char* reason;  /* claimsd_answer_reason() of the answer that led to it; NULL: none did, but
                          a permission or the lack of a token */
  const char* user;    /* the id claim, where the caller knows it. The daemon takes its own word for
                          it first */
  const char* method;  /* "POST" */
  const char* route;   /* the pattern that matched: "studies/<int:number>/report/" */
  const char* required;       /* what was asked for, in words: "HasRole(doctor)" */
  const char* client_address; /* as in a question */
  const char* trace_id;       /* as in a question */
  uint32_t flags;             /* CLAIMSD_AWAIT_RECORD; 0: claimsd_report() only sends it */
  uint32_t reserved;          /* 0 */
} claimsd_report_request;

#define CLAIMSD_REPORT_REQUEST_INIT                                                                \
  {                                                                                                \
    sizeof(claimsd_report_request), NULL, 0, 0u, 0u, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0u, \
        0u                                                                                         \
  }

/* A flag of a refusal: claimsd_report() returns when it is on disk, or its time is up. */
#define CLAIMSD_AWAIT_RECORD 1u

#define CLAIMSD_MIN_STATUS 400u
#define CLAIMSD_MAX_STATUS 599u

/* The library's version, "0.2.0". Static storage. */
CLAIMSD_API const char* claimsd_version(void);

/* A result in words, for logs: "valid", "invalid", ... Static storage; never NULL. */
CLAIMSD_API const char* claimsd_result_text(claimsd_result result);

/* A source in one word: "cache". Static storage; never NULL. */
CLAIMSD_API const char* claimsd_source_text(claimsd_source source);

/* Makes a handle. Connects to nothing yet: the first lookup does. `options` may be NULL (defaults).
 * Returns CLAIMSD_OK, CLAIMSD_BAD_ARGUMENT or CLAIMSD_NO_MEMORY; `*out` is NULL unless OK. */
CLAIMSD_API claimsd_result claimsd_open(const claimsd_options* options, claimsd_handle** out);

/* Closes the handle's connections and frees it. No other thread may still be using it; its streams
 * must have been closed. NULL is ignored. */
CLAIMSD_API void claimsd_close(claimsd_handle* handle);

/* Whose token is this? Blocks for at most the question's time-out.
 * Returns a verdict (CLAIMSD_VALID, _INVALID, _UNAVAILABLE), and then `*out` is an answer that says
 * why (see claimsd_answer_reason); or CLAIMSD_BAD_ARGUMENT, and then `*out` is NULL. Out of memory
 * is a verdict, too: CLAIMSD_UNAVAILABLE, "no_resources". `out` may be NULL for callers who need
 * the verdict alone. */
CLAIMSD_API claimsd_result claimsd_query(claimsd_handle* handle,
                                         const claimsd_query_request* request,
                                         claimsd_answer** out);

/* The same, as far as it is known in this process: it asks nobody, makes no system call and never
 * blocks. For callers who hold a lock that a wait must not keep, such as an interpreter's, or who
 * would have to put together hints for nothing: time-out and hints are not looked at.
 * Returns CLAIMSD_VALID and an answer, CLAIMSD_AGAIN and none (claimsd_query() may find out), or
 * CLAIMSD_BAD_ARGUMENT and none. */
CLAIMSD_API claimsd_result claimsd_peek(claimsd_handle* handle,
                                        const claimsd_query_request* request, claimsd_answer** out);

/* Is the daemon there and does it take our questions? Returns CLAIMSD_OK and no answer, or
 * CLAIMSD_UNAVAILABLE with an answer that says why (`out` may be NULL), or CLAIMSD_BAD_ARGUMENT.
 * `*round_trip_ns`, if asked for, is how long it took, connecting included. */
CLAIMSD_API claimsd_result claimsd_ping(claimsd_handle* handle, uint32_t timeout_ms,
                                        uint64_t* round_trip_ns, claimsd_answer** out);

/* Has a refusal written down.
 *
 * Without flags it is sent and nothing is waited for: returns CLAIMSD_SENT and no answer. Up to 256
 * reports may be without their receipts, which later calls of this function and of
 * claimsd_read_statistics() take in. Those that get none within their time-outs count as lost,
 * which the next report tells the daemon. While a daemon restarts, or reads nothing, reports wait
 * in this process for the next call.
 *
 * With CLAIMSD_AWAIT_RECORD it blocks for at most the refusal's time-out, and returns
 * CLAIMSD_RECORDED and no answer once the record is on disk (or as the operator has chosen: see
 * PROTOCOL.md).
 *
 * Either way: CLAIMSD_UNAVAILABLE with an answer that says why there may be no record (`out` may be
 * NULL), or CLAIMSD_BAD_ARGUMENT. A connection that breaks is tried once more, so that a record may
 * be there twice, but seldom not at all. */
CLAIMSD_API claimsd_result claimsd_report(claimsd_handle* handle,
                                          const claimsd_report_request* report_request,
                                          claimsd_answer** out);

/* Where this process' answers came from, since the handle was opened or since the fork. */
typedef struct claimsd_statistics {
  size_t size;               /* sizeof(claimsd_statistics), set by CLAIMSD_STATISTICS_INIT */
  uint64_t local_hits;       /* answered by this process' own table */
  uint64_t shared_hits;      /* by the daemon's shared memory */
  uint64_t socket_queries;   /* asked over the socket, whatever came of it */
  uint64_t maps;             /* times that a map of shared memory was taken in: one a daemon */
  uint64_t map_slots;        /* of the last one */
  uint64_t local_bytes;      /* what the table takes when it is full */
  uint32_t local_entries;    /* 0: there is none */
  uint32_t map_in_use;       /* 1, or 0 and `map_text` says why not */
  const char* map_text;      /* a sentence for people. Static storage; never NULL */
  uint64_t reports_recorded; /* refusals that are in the audit log */
  uint64_t reports_lost;     /* that may not be; the daemon is told with the next report */
} claimsd_statistics;

#define CLAIMSD_STATISTICS_INIT \
  { sizeof(claimsd_statistics), 0u, 0u, 0u, 0u, 0u, 0u, 0u, 0u, "", 0u, 0u }

/* Counts for the caller's metrics. Returns CLAIMSD_OK or CLAIMSD_BAD_ARGUMENT. `out->size` says how
 * much of the struct the caller knows and, afterwards, how much of it was filled in. */
CLAIMSD_API claimsd_result claimsd_read_statistics(claimsd_handle* handle, claimsd_statistics* out);

/* ---- answers ----------------------------------------------------------------------------- */

/* Frees an answer and wipes the claims in it. NULL is ignored. */
CLAIMSD_API void claimsd_answer_free(claimsd_answer* answer);

/* The verdict once more: CLAIMSD_VALID, CLAIMSD_INVALID or CLAIMSD_UNAVAILABLE (also for NULL). */
CLAIMSD_API claimsd_result claimsd_answer_verdict(const claimsd_answer* answer);

/* Why, as a stable word for programs ("ok", "refused", "expired", "timeout", "no_daemon", ...; the
 * list is in PROTOCOL.md) and as a sentence for people, which says what to do about it. Never NULL,
 * never secret. */
CLAIMSD_API const char* claimsd_answer_reason(const claimsd_answer* answer);
CLAIMSD_API const char* claimsd_answer_text(const claimsd_answer* answer);

/* Who said so; how long ago the Auth API last confirmed it; how long it may be relied on. */
CLAIMSD_API claimsd_source claimsd_answer_source(const claimsd_answer* answer);
CLAIMSD_API uint32_t claimsd_answer_age_ms(const claimsd_answer* answer);
CLAIMSD_API uint32_t claimsd_answer_ttl_ms(const claimsd_answer* answer);

/* When to ask again after CLAIMSD_UNAVAILABLE; 0: no advice. For the HTTP header Retry-After. */
CLAIMSD_API uint32_t claimsd_answer_retry_after_ms(const claimsd_answer* answer);

/* The claims; "" and 0 unless the verdict is CLAIMSD_VALID. An absent email is "". Roles keep the
 * order in which the Auth API listed them; a role given as one string is a list of one. Beyond the
 * last role: NULL. */
CLAIMSD_API const char* claimsd_answer_id(const claimsd_answer* answer);
CLAIMSD_API const char* claimsd_answer_email(const claimsd_answer* answer);
CLAIMSD_API size_t claimsd_answer_role_count(const claimsd_answer* answer);
CLAIMSD_API const char* claimsd_answer_role(const claimsd_answer* answer, size_t index);

/* 1 if the verdict is CLAIMSD_VALID and the user has exactly this role, else 0. */
CLAIMSD_API int claimsd_answer_has_role(const claimsd_answer* answer, const char* role);

/* All claims as the Auth API sent them, one JSON object; "{}" unless CLAIMSD_VALID. `*size`: may
 * be NULL. */
CLAIMSD_API const char* claimsd_answer_json(const claimsd_answer* answer, size_t* size);

/* ---- streams: for event loops -------------------------------------------------------------
 *
 * A stream carries any number of questions over one connection and never blocks. Send; wait until
 * its descriptor is readable (poll, epoll, asyncio add_reader); receive until CLAIMSD_AGAIN. The
 * descriptor stays the same for the stream's whole life, also when the daemon restarts, and becomes
 * readable for expired deadlines too, so no timer is needed. It belongs to the stream: do not read,
 * write or close it. */

/* Opens a stream on a handle. Returns CLAIMSD_OK, CLAIMSD_BAD_ARGUMENT, CLAIMSD_NO_MEMORY, or
 * CLAIMSD_UNAVAILABLE where the process is out of descriptors. */
CLAIMSD_API claimsd_result claimsd_stream_open(claimsd_handle* handle, claimsd_stream** out);

/* Closes it; questions still open get no answer. NULL is ignored. */
CLAIMSD_API void claimsd_stream_close(claimsd_stream* stream);

/* The descriptor to wait on for reading. */
CLAIMSD_API int claimsd_stream_fd(const claimsd_stream* stream);

/* Sends a question; `tag` comes back with its answer and is the caller's to choose. Everything but
 * CLAIMSD_OK means that no answer will come: BAD_ARGUMENT, NO_MEMORY, or UNAVAILABLE when 4,096 are
 * open. */
CLAIMSD_API claimsd_result claimsd_stream_send(claimsd_stream* stream,
                                               const claimsd_query_request* request, uint64_t tag);

/* Reports a refusal; `tag` comes back with what became of it. As claimsd_stream_send(). */
CLAIMSD_API claimsd_result claimsd_stream_report(claimsd_stream* stream,
                                                 const claimsd_report_request* report_request,
                                                 uint64_t tag);

/* Takes one completed answer, in the order in which they completed. Returns its verdict, its tag
 * through `*tag` and the answer through `*out`; or CLAIMSD_AGAIN when none is ready. Of a report:
 * CLAIMSD_RECORDED and no answer, or CLAIMSD_UNAVAILABLE and an answer that says why. */
CLAIMSD_API claimsd_result claimsd_stream_receive(claimsd_stream* stream, uint64_t* tag,
                                                  claimsd_answer** out);

/* How many questions and reports were sent whose answers have not been received yet. */
CLAIMSD_API size_t claimsd_stream_pending(const claimsd_stream* stream);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* CLAIMSD_H */
