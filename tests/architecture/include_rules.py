"""The include rules, as data. ARCHITECTURE.md explains them; check_includes.py applies them.

A file belongs to the first row whose pattern it matches. `layers` are the layers it may include besides its
own, `libraries` the external headers, by the names below. A test checks that `layers` has no cycle.
"""

from typing import NamedTuple


class Layer(NamedTuple):
    pattern: str  # fnmatch against the path from the root; * also matches slashes
    folder: str  # the name in other rows
    layers: tuple = ()
    libraries: tuple = ()


# Headers by provider. "std" is C++ without I/O, threads and randomness, plus C headers without
# system calls; "threads" and "io" are the rest of C++; "system" is every header for system calls.
LIBRARIES = {
    "uv": ("uv.h", "uv/*"),
    "curl": ("curl/*",),
    "lmdb": ("lmdb.h",),
    "simdjson": ("simdjson.h",),
    "openssl": ("openssl/*",),
    "toml++": ("toml++/*",),
    "spdlog": ("spdlog/*",),
    "hiredis": ("hiredis/*",),
    "microhttpd": ("microhttpd.h",),
    "CLI11": ("CLI/*",),
    "fmt": ("fmt/*",),
    "expected": ("tl/expected.hpp",),
    "python": ("Python.h",),
    "seccomp": ("seccomp.h",),
    "threads": (
        "thread", "mutex", "shared_mutex", "condition_variable", "future", "stop_token", "semaphore",
        "latch", "barrier",
    ),
    "atomic": ("atomic",),
    "io": ("fstream", "iostream", "istream", "ostream", "random", "cstdio", "stdio.h", "csignal", "ctime"),
    "system": (
        "unistd.h", "fcntl.h", "sys/*", "poll.h", "sched.h", "pthread.h", "signal.h", "time.h", "grp.h",
        "pwd.h", "dirent.h", "dlfcn.h", "netdb.h", "syslog.h", "termios.h", "spawn.h", "net/*", "netinet/*",
        "arpa/*", "linux/*",
    ),
    "std": (
        "assert.h", "ctype.h", "errno.h", "float.h", "inttypes.h", "limits.h", "malloc.h", "math.h", "stdalign.h",
        "stdarg.h", "stdbool.h", "stddef.h", "stdint.h", "stdlib.h", "string.h",
        "sysexits.h",
    ),
}  # a header without a dot that matches no row above is "std"

PURE = ("std", "fmt", "expected")
IMPURE = PURE + ("atomic", "threads", "io", "system")
CLAIMS = (
    "daemon/claims", "daemon/claims/parse", "daemon/claims/upstream", "daemon/claims/cache", "daemon/claims/revocation",
    "daemon/claims/audit", "daemon/claims/service",
)
ALL_OF_THE_DAEMON = (
    "daemon/base", "daemon/log", "daemon/sandbox", "daemon/crypto", "daemon/config", "daemon/redis", *CLAIMS, "daemon/loop",
    "daemon/store", "daemon/http", "daemon/upstream", "daemon/shm", "daemon/fleet", "daemon/audit", "daemon/server",
    "daemon/front_door", "daemon/admin", "daemon/host", "proto",
)

LAYERS = (
    # Shared by both sides. <atomic> for the map; libcrypto only for sealing.
    Layer("proto/seal*", "proto", (), ("std", "atomic", "openssl")),
    Layer("proto/*", "proto", (), ("std", "atomic")),
    # The library runs inside other processes: no fmt, no tl::expected, no C++ runtime, no threads.
    # The doctor's checks judge collected facts; other files collect them.
    Layer("client/claimsctl/doctor/check*", "client/claimsctl", ("daemon/base", "daemon/config", "daemon/store"), PURE),
    Layer("client/claimsctl/doctor/certificate.*", "client/claimsctl", ("daemon/base",), IMPURE + ("openssl",)),
    # CLI11 and simdjson take seconds to compile: few files see them.
    Layer("client/claimsctl/command_line.cc", "client/claimsctl", (), IMPURE + ("CLI11",)),
    Layer("client/claimsctl/completions/command_words.cc", "client/claimsctl", ("daemon/base",), IMPURE + ("CLI11",)),
    Layer("client/claimsctl/reply.cc", "client/claimsctl", (), IMPURE + ("simdjson",)),
    Layer("client/claimsctl/audit_live.cc", "client/claimsctl", ("daemon/audit", "daemon/base"), IMPURE + ("simdjson",)),
    Layer("client/claimsctl/*", "client/claimsctl",
          ("client", "proto", "daemon/base", "daemon/log", "daemon/config", "daemon/store", "daemon/audit"),
          IMPURE + ("curl",)),
    # The Python package's extension wraps the library's ABI.
    Layer("client/python/*", "client/python", ("client", "proto"), ("std", "python")),
    Layer("client/*", "client", ("proto",), ("std", "atomic", "system", "openssl")),
    # The daemon. Policy (claims, config, server) makes no system call and reads no clock.
    Layer("daemon/base/*", "daemon/base", (), IMPURE),
    Layer("daemon/log/spdlog_log.*", "daemon/log", ("daemon/base",), IMPURE + ("spdlog",)),
    Layer("daemon/log/*", "daemon/log", ("daemon/base",), IMPURE),
    Layer("daemon/crypto/*", "daemon/crypto", ("daemon/base",), PURE + ("openssl",)),
    # Sandboxing of the process. The list of allowed system calls is data.
    Layer("daemon/sandbox/system_call_filter.*", "daemon/sandbox", ("daemon/base",), IMPURE + ("seccomp",)),
    Layer("daemon/sandbox/system_calls.*", "daemon/sandbox", ("daemon/base",), PURE + ("system",)),
    Layer("daemon/sandbox/*", "daemon/sandbox", ("daemon/base",), IMPURE),
    Layer("daemon/config/read_file.*", "daemon/config",
          ("daemon/base", "daemon/log"),
          IMPURE),
    Layer("daemon/config/toml_reader.*", "daemon/config",
          ("daemon/base", "daemon/log"),
          PURE + ("toml++",)),
    Layer("daemon/config/*", "daemon/config",
          ("daemon/base", "daemon/log"),
          PURE),
    # The only user of hiredis.
    Layer("daemon/redis/command.*", "daemon/redis", ("daemon/base",), PURE + ("hiredis", "system")),
    Layer("daemon/redis/reply_reader.*", "daemon/redis", ("daemon/base",), PURE + ("hiredis",)),
    Layer("daemon/redis/tls.*", "daemon/redis", ("daemon/base", "daemon/crypto"), IMPURE + ("openssl",)),
    Layer("daemon/redis/*", "daemon/redis", ("daemon/base", "daemon/config", "daemon/crypto"), IMPURE),
    # The policy. Its directories build on each other in this order; the service at its root uses all of them.
    *(Layer(f"daemon/claims/parse/{name}.*", "daemon/claims/parse", ("daemon/base", "proto"), PURE + ("simdjson",))
      for name in ("*_parser", "document_report", "jwt_payload", "member", "raw_claims", "required_claims", "role_reader")),
    Layer("daemon/claims/parse/*", "daemon/claims/parse", ("daemon/base", "proto"), PURE),
    Layer("daemon/claims/service*", "daemon/claims/service",
          ("daemon/base", "proto", "daemon/claims", "daemon/claims/parse", "daemon/claims/upstream",
           "daemon/claims/revocation", "daemon/claims/cache", "daemon/claims/audit"), PURE),
    Layer("daemon/claims/inspection.h", "daemon/claims/service",
          ("daemon/base", "proto", "daemon/claims", "daemon/claims/parse", "daemon/claims/cache"), PURE),
    Layer("daemon/claims/upstream/*", "daemon/claims/upstream",
          ("daemon/base", "proto", "daemon/claims/parse", "daemon/claims"), PURE),
    Layer("daemon/claims/revocation/*", "daemon/claims/revocation",
          ("daemon/base", "proto", "daemon/claims/parse", "daemon/claims"), PURE),
    Layer("daemon/claims/cache/*", "daemon/claims/cache",
          ("daemon/base", "proto", "daemon/claims/parse", "daemon/claims", "daemon/claims/revocation"), PURE),
    Layer("daemon/claims/audit/*", "daemon/claims/audit",
          ("daemon/base", "proto", "daemon/claims/parse", "daemon/claims", "daemon/claims/upstream"), PURE),
    # Its root: ports, and the values that cross them.
    Layer("daemon/claims/*", "daemon/claims", ("daemon/base", "proto", "daemon/claims/parse"), PURE),
    Layer("daemon/loop/*", "daemon/loop", ("daemon/base",), IMPURE + ("uv",)),
    Layer("daemon/http/server.*", "daemon/http", ("daemon/base", "daemon/loop"), IMPURE + ("microhttpd",)),
    Layer("daemon/http/exchange.*", "daemon/http", ("daemon/base", "daemon/loop"), IMPURE + ("microhttpd",)),
    Layer("daemon/http/*", "daemon/http", ("daemon/base", "daemon/loop"), PURE),
    Layer("daemon/store/lmdb.*", "daemon/store", ("daemon/base",), IMPURE + ("lmdb",)),
    Layer("daemon/store/*", "daemon/store",
          ("daemon/base", "daemon/log", "daemon/crypto", *CLAIMS, "daemon/loop", "proto"),
          IMPURE + ("openssl",)),
    # Base64 of our own credentials; the alert by which a server asks for a certificate.
    Layer("daemon/upstream/request.*", "daemon/upstream", ("daemon/base", *CLAIMS, "proto"), IMPURE + ("curl", "openssl")),
    Layer("daemon/upstream/transfer.*", "daemon/upstream",
          ("daemon/base", "daemon/log", "daemon/loop", *CLAIMS, "proto"), IMPURE + ("curl", "openssl")),
    Layer("daemon/upstream/*", "daemon/upstream",
          ("daemon/base", "daemon/log", "daemon/crypto", "daemon/loop", *CLAIMS, "proto"),
          IMPURE + ("curl",)),
    Layer("daemon/shm/*", "daemon/shm",
          ("daemon/base", "daemon/log", "daemon/loop", *CLAIMS, "proto"),
          IMPURE),
    # The bus: the fleet's connection to Redis, on a thread of its own.
    *(Layer(f"daemon/fleet/{name}.*", "daemon/fleet", ("daemon/base", "daemon/loop", "daemon/redis", *CLAIMS), IMPURE)
      for name in ("bus_command", "bus_event", "bus_session", "bus_thread", "event_queue")),
    Layer("daemon/fleet/host_file.*", "daemon/fleet", ("daemon/base", "daemon/crypto", *CLAIMS), IMPURE),
    Layer("daemon/fleet/*", "daemon/fleet", ("daemon/base", "daemon/crypto", *CLAIMS, "proto"), PURE),
    Layer("daemon/audit/*", "daemon/audit",
          ("daemon/base", "daemon/log", "daemon/crypto", "daemon/loop", *CLAIMS, "daemon/store", "proto"),
          IMPURE + ("openssl",)),
    Layer("daemon/server/*", "daemon/server",
          ("daemon/base", "daemon/log", "daemon/loop", "proto", *CLAIMS),
          PURE),
    Layer("daemon/front_door/http_thread.*", "daemon/front_door",
          ("daemon/base", "daemon/loop", "proto", *CLAIMS, "daemon/http", "daemon/server"), IMPURE),
    # The HTTP thread finds known tokens in the shared map, as a worker does.
    Layer("daemon/front_door/shared_leases.*", "daemon/front_door", ("client", "daemon/base", "proto", *CLAIMS), IMPURE),
    Layer("daemon/front_door/*", "daemon/front_door",
          ("daemon/base", "daemon/loop", "proto", *CLAIMS, "daemon/http", "daemon/server"), PURE),
    Layer("daemon/admin/http_server.*", "daemon/admin", ("daemon/base", "daemon/loop", "daemon/http"), IMPURE + ("microhttpd",)),
    Layer("daemon/admin/*", "daemon/admin",
          ("daemon/base", "daemon/log", "daemon/loop", *CLAIMS, "daemon/config", "daemon/store",
           "daemon/upstream", "daemon/shm", "daemon/fleet", "daemon/audit", "daemon/server", "daemon/front_door", "daemon/http"),
          IMPURE),
    Layer("daemon/host/*", "daemon/host", ("daemon/base", "daemon/log", "daemon/loop", "daemon/store", "proto"), IMPURE),
    # The composition root.
    Layer("daemon/*", "daemon", ALL_OF_THE_DAEMON, IMPURE + ("CLI11",)),
)

# Stricter than the layer: (pattern of the including file, layer): the only files it may include.
ONLY = {
    # The audit log uses the LMDB wrapper, not the claims cache.
    ("daemon/audit/*", "daemon/store"): ("daemon/store/check_in_child.h", "daemon/store/lmdb.h"),
    # The doctor applies the daemon's own rules for file permissions.
    ("client/claimsctl/*", "daemon/store"): ("daemon/store/file_rules.h", "daemon/store/private_directory.h"),
}

# Only these files read a clock. Everything else gets the clock passed in.
CLOCK_READERS = ("daemon/base/clock.cc", "client/src/deadline.*")
CLOCK_CALLS = r"\b(?:clock_gettime|gettimeofday|timespec_get|time)\s*\(\s*(?:CLOCK_|NULL|nullptr|0|&)|_clock::now\s*\("

MAX_LINES = 500  # a longer file should be split

# tests/X/NAME_test.cc and tests/X/NAME_TOPIC_test.cc test NAME of the directory that tests/X mirrors. Other folders
# of tests/ mirror none: they test the whole.
MIRRORED = (
    ("tests/client", ("client/src", "client/include")),
    ("tests/claimsctl", ("client/claimsctl",)),
    ("tests/proto", ("proto",)),
    ("tests/daemon", ("daemon",)),
    ("tests", ("daemon",)),
)
NOT_MIRRORED = ("bench", "docs", "e2e", "faultserver", "fuzz", "mutants", "sim", "support", "system", "systemd", "architecture")
