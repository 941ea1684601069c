"""Under every fault of the network or the Auth API, the daemon's verdict is the one in the fault
server's table.

Each mode is an upstream of its own. All are queried at once, each over its own connection.
"""

import contextlib
import json
import subprocess

import pytest

from daemon import Claimsd
from peer import Peer
from servers import PYTHON, TESTS

TABLE = json.loads(subprocess.check_output([PYTHON, "-B", TESTS / "faultserver" / "serve.py", "--list-json"]))
VERDICTS = {row["mode"]: row["verdict"] for row in TABLE}
MOST_UPSTREAMS = 60
# The expected reasons of some modes; for the others only the verdict is checked.
REASONS = {
    "401": "rejected", "401-claims": "rejected", "silence": "upstream_timeout", "slow-body": "upstream_timeout",
    "slow-headers": "upstream_timeout", "close": "upstream_protocol", "cut-body": "upstream_protocol",
    "garbage": "upstream_protocol", "http09": "upstream_protocol", "status-403": "upstream_status",
    "status-500": "upstream_status", "status-204": "upstream_status", "redirect-302": "upstream_status",
    "body-300k": "upstream_too_large", "endless-body": "upstream_too_large", "endless-chunks": "upstream_too_large",
    "gzip-bomb": "upstream_body", "two-documents": "upstream_body", "duplicate-id": "upstream_body",
    "deep-1000": "upstream_body", "id-crlf": "upstream_body", "html-200": "upstream_body", "jwt-200": "upstream_body",
}
TLS_VERDICTS = {
    "https": ("valid", "ok"), "https_wrong_name": ("unavailable", "upstream_tls"),
    "https_expired": ("unavailable", "upstream_tls"), "https_not_yet_valid": ("unavailable", "upstream_tls"),
    "https_self_signed": ("unavailable", "upstream_tls"), "https_client_cert": ("unavailable", "upstream_certificate"),
    "https_silent": ("unavailable", "upstream_timeout"), "tcp_full": ("unavailable", "upstream_timeout"),
}


def upstreams_of(fault_server):
    """Names and tables of all upstreams: one per mode and one per listener."""
    patience = {"timeout": "4s", "connect_timeout": "3s"}
    files = {name: str(fault_server.tls / name) for name in ("ca.pem", "client.pem", "client.key")}
    tls = {**patience, "ca_file": files["ca.pem"]}
    pair = {"client_certificate": files["client.pem"], "client_key": files["client.key"]}
    tables = {mode: {"url": fault_server.url(mode), **patience} for mode in VERDICTS}
    tables.update({name: {"url": fault_server.url("ok", name), **tls} for name in TLS_VERDICTS})
    tables["with_certificate"] = {"url": fault_server.url("echo", "https_client_cert"), **tls, **pair}
    tables["unknown_ca"] = {"url": fault_server.url("echo", "https"), **patience}
    return tables


@pytest.fixture(scope="module")
def daemons(build, scratch, fault_server):
    """{upstream name: (a daemon that has it, its URL)}; MOST_UPSTREAMS per daemon."""
    rows = list(upstreams_of(fault_server).items())
    with contextlib.ExitStack() as stack:
        found = {}
        for begin in range(0, len(rows), MOST_UPSTREAMS):
            some = dict(rows[begin:begin + MOST_UPSTREAMS])
            named = {f"upstream.u{number}": table for number, table in enumerate(some.values())}
            daemon = stack.enter_context(Claimsd(build, scratch(), **named))
            found.update({name: (daemon, table["url"]) for name, table in some.items()})
        yield found
        for daemon, _ in found.values():
            errors = [line for line in daemon.log().splitlines() if " error " in line and "certificate_wanted" not in line]
            assert errors == []


@pytest.fixture(scope="module")
def asked(daemons, fault_server):
    """{upstream name: answer} of one query each."""
    fault_server.control("POST", "/_open")
    with contextlib.ExitStack() as stack:
        peers = {name: stack.enter_context(Peer(daemon.socket, url)) for name, (daemon, url) in daemons.items()}
        for name, connection in peers.items():
            connection.query(f"token-for-{name}")
        return {name: connection.answer()[1] for name, connection in peers.items()}


@pytest.mark.parametrize("mode", sorted(VERDICTS))
def test_the_verdict_matches_the_table_of_modes(asked, mode):
    assert asked[mode].verdict == VERDICTS[mode], asked[mode]


@pytest.mark.parametrize("mode", sorted(REASONS))
def test_the_reason_matches_the_fault(asked, mode):
    assert asked[mode].reason == REASONS[mode]


@pytest.mark.parametrize("listener", sorted(TLS_VERDICTS))
def test_tls_and_connect_errors_give_the_verdict_and_reason_of_the_table(asked, listener):
    answer = asked[listener]
    assert (answer.verdict, answer.reason) == TLS_VERDICTS[listener]


def test_a_client_certificate_is_presented_to_an_upstream_that_requires_it(asked):
    assert asked["with_certificate"].verdict == "valid"


def test_a_certificate_of_an_unknown_authority_gives_unavailable(asked):
    assert (asked["unknown_ca"].verdict, asked["unknown_ca"].reason) == ("unavailable", "upstream_tls")


def test_only_a_401_gives_invalid(asked):
    invalid = {name for name, answer in asked.items() if answer.verdict == "invalid"}
    assert invalid == {mode for mode, verdict in VERDICTS.items() if verdict == "invalid"} != set()
    assert all(mode.startswith("401") for mode in invalid)


def test_only_a_valid_answer_has_claims(asked):
    for name, answer in asked.items():
        assert bool(answer.id) == bool(answer.raw) == (answer.verdict == "valid"), name
        assert answer.id != "user-666", name


def test_the_daemons_still_work_after_all_faults(asked, daemons):
    for name in ("ok", "echo", "https"):
        daemon, url = daemons[name]
        with Peer(daemon.socket, url) as peer:
            assert peer.ask("another-token").verdict == "valid"


def test_a_redirect_is_not_followed_and_no_other_service_is_called(asked, fault_server):
    assert fault_server.count("redirect-302") == 1
    assert fault_server.count("redirect-302-loop") == 1
    assert fault_server.count("redirect-target") == 1  # as its own mode
    assert fault_server.trap() == {"connections": 0, "bytes": 0, "contains_bearer": False}


def test_retry_after_is_passed_on_and_malformed_values_are_ignored(asked):
    assert asked["status-503-retry-after-7"].retry_after_ms == 7000
    for mode in ("status-503-retry-after-past", "status-503-retry-after-negative", "status-503-retry-after-garbage"):
        assert asked[mode].retry_after_ms == 0, mode


def test_cache_control_can_shorten_the_ttl_but_never_lengthen_it(asked):
    assert asked["max-age-2"].ttl_ms <= 2000
    assert asked["max-age-30-age-28"].ttl_ms <= 2000
    assert 50000 < asked["max-age-huge"].ttl_ms <= 60000
    assert {asked[mode].ttl_ms for mode in ("no-store", "no-cache", "max-age-garbage")} == {0}
