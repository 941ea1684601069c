"""The content of each golden frame, written by hand. codec_golden_test.cc has the same in C++."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
import wire  # noqa: E402

TOKEN = b"eyJhbGciOiJIUzI1NiJ9.eyJqdGkiOiI0MiJ9.c2lnbmF0dXJl"
RAW = b'{"id":"user-123","email":"tech@example.com","role":"rvt"}'
CLAIMS = wire.encode_claims(b"user-123", b"tech@example.com", [b"rvt"], RAW)
TRIMMED = wire.encode_claims(b"7", b"", [b"rvt", b"doctor"], b"")

FRAMES = {
    "hello_bare": ("Hello", 1, {"version_min": 2, "version_max": 2}),
    "hello_full": ("Hello", 1, {"version_min": 2, "version_max": 2, "client_name": b"lumen",
                                "upstream_url": b"https://auth.example.com"}),
    "hello_newer": ("Hello", 9, {"version_min": 1, "version_max": 3, "features": 1}),
    "welcome": ("Welcome", 1, {"version": 2, "boot_time_ns": 0x0102030405060708,
                               "daemon_version": b"0.1.0", "upstream_name": b"main"}),
    "welcome_shared_map": ("Welcome", 1, {"version": 2, "features": 1, "boot_time_ns": 1,
                                          "daemon_version": b"0.2.0", "upstream_id": 3}),
    "failure_not_allowed": ("Failure", 0, {
        "code": 6, "text": b"this uid is not in daemon.allowed_uids, nor its gid in daemon.allowed_gids: add one of them"}),
    "failure_stopping": ("Failure", 0, {"code": 10}),
    "hello_reports": ("Hello", 1, {"version_min": 2, "version_max": 2, "features": 2, "client_name": b"lumen",
                                   "upstream_url": b"https://auth.example.com"}),
    "welcome_reports": ("Welcome", 1, {"version": 2, "features": 2, "boot_time_ns": 0x0102030405060708,
                                       "daemon_version": b"0.1.0", "upstream_name": b"main"}),
    "ping_zero": ("Ping", 2, {}),
    "ping": ("Ping", 0xfffffffe, {"echo": 0x1122334455667788}),
    "pong_zero": ("Pong", 2, {}),
    "pong": ("Pong", 0xfffffffe, {"echo": 0x1122334455667788}),
    "query_bare": ("Query", 2, {"timeout_ms": 950, "max_age_ms": 0xffffffff, "token": TOKEN}),
    "query_full": ("Query", 3, {"timeout_ms": 950, "max_age_ms": 0, "token": TOKEN,
                                "client_address": b"2001:db8::7", "trace_id": b"4bf92f3577b34da6",
                                "route": b"GET /worklist"}),
    "query_counted": ("Query", 3, {"timeout_ms": 950, "max_age_ms": 0, "local_hits": 70000, "token": TOKEN,
                                "client_address": b"2001:db8::7", "trace_id": b"4bf92f3577b34da6",
                                "route": b"GET /worklist"}),
    "answer_valid": ("Answer", 2, {"verdict": 1, "source": 3, "age_ms": 1500, "ttl_ms": 58500,
                                   "claims": CLAIMS}),
    "answer_trimmed": ("Answer", 3, {"verdict": 1, "source": 5, "flags": 1, "age_ms": 61000,
                                     "claims": TRIMMED}),
    "answer_refused": ("Answer", 4, {"verdict": 2, "source": 4, "reason": 100, "ttl_ms": 5000}),
    "answer_unavailable": ("Answer", 5, {"verdict": 3, "source": 0, "reason": 210,
                                         "retry_after_ms": 2000}),
    "report_denied": ("Report", 4, {
        "timeout_ms": 950, "status": 403, "token": TOKEN, "user": b"user-123", "method": b"POST",
        "route": b"studies/<int:number>/report/", "required": b"HasAnyRole(doctor,admin)",
        "client_address": b"2001:db8::7", "trace_id": b"4bf92f3577b34da6"}),
    "report_late": ("Report", 5, {"timeout_ms": 950, "unacknowledged": 3, "status": 401, "reason": 101}),
    "receipt_recorded": ("Receipt", 4, {}),
    "receipt_refused": ("Receipt", 5, {"reason": 213}),
}
