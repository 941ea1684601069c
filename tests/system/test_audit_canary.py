"""The audit log names users by id only: no token, email or other claim is stored, sent or shown in
any encoding."""

import subprocess

import pytest

from canaries import BAD_TOKENS, CLAIMS, SECRETS, TOKENS, found_in
from daemon import Claimsd, toml
from peer import Peer

# Records name a user by the id claim. If that is configured to be the email, they contain the
# email.
IN_RECORDS = (CLAIMS["id"],)
FORMATS = ("jsonl", "ecs", "ocsf", "csv")


def control(build, daemon, *words, token=None):
    command = [str(build / "client" / "claimsctl" / "claimsctl"), "--admin-socket", str(daemon.admin_socket), *words]
    return subprocess.run(command, input=token or "", capture_output=True, text=True, timeout=60)


def live(build, daemon):
    """{command: output} of all views of the log while the daemon runs."""
    directory = str(daemon.root / "audit")
    commands = [("tail", "-n", "1000"), ("search", "--user", CLAIMS["id"]), ("report",), ("stat",), ("verify",),
                *(("export", "--format", form) for form in FORMATS)]
    shown = {}
    for words in commands:
        done = control(build, daemon, "audit", *words, "--directory", directory)
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        shown[words] = (done.stdout + done.stderr).encode()
    shown["/v1/audit"] = daemon.admin("/v1/audit")[1]
    return shown


@pytest.fixture(scope="module")
def daemon(build, scratch, fault_server):
    fault_server.script("claims", {"body": CLAIMS})
    fault_server.script("rejected", {"status": 401, "body": CLAIMS, "headers": {"WWW-Authenticate": 'Bearer error="canary-header"'}})
    root = scratch()
    upstreams = {"upstream.main": {"url": fault_server.url("script-claims"), "default": True},
                 "upstream.rejected": {"url": fault_server.url("script-rejected")}}
    audit = {"level": "every", "anchors_file": str(root / "elsewhere")}
    with Claimsd(build, root, audit=audit, **upstreams) as one:
        with Peer(one.socket) as peer:
            assert {answer.verdict for answer in peer.ask_all(TOKENS) + peer.ask_all(TOKENS)} == {"valid"}
            assert {peer.ask(token).verdict for token in BAD_TOKENS} == {"invalid", "unavailable"}  # unavailable: too long
        with Peer(one.socket, fault_server.url("script-rejected")) as peer:
            assert peer.ask(TOKENS[3]).verdict == "invalid"
        assert control(build, one, "revoke", token=TOKENS[0]).returncode == 0
        assert control(build, one, "purge", "--user", CLAIMS["id"]).returncode == 0
        one.tables["limits"] = {"max_in_flight": 9}
        one.config_file.write_text(toml(one.tables))
        assert control(build, one, "reload").returncode == 0
        yield one


def leaks(outputs):
    return {what: found for what, data in outputs.items() if (found := found_in(data, but=IN_RECORDS))}


def test_the_audit_log_names_the_users_and_events_of_the_traffic(daemon, build):
    shown = control(build, daemon, "audit", "report", "--json", "--directory", str(daemon.root / "audit")).stdout
    for event in ("verified", "hit", "rejected", "rejected_locally", "revoked", "purged", "configured", "started"):
        assert f'"{event}"' in shown, event
    assert CLAIMS["id"].encode() in live(build, daemon)[("export", "--format", "jsonl")]


def test_no_view_of_the_log_of_a_running_daemon_shows_a_secret(daemon, build):
    assert leaks(live(build, daemon)) == {}


def test_no_segment_anchor_journal_or_export_contains_a_secret(daemon, build):
    daemon.stop()
    try:
        files = {str(path): path.read_bytes() for path in sorted(daemon.root.rglob("*")) if path.is_file()}
        assert {"anchors", "anchor.key", "elsewhere", "log"} <= {name.rsplit("/", 1)[1] for name in files}
        assert any(name.endswith(".segment") and CLAIMS["id"].encode() in data for name, data in files.items())
        assert "audit_anchor" in daemon.log()
        assert leaks(files) == {}
        # Outside the segments, not even the id.
        assert not [name for name, data in files.items() if not name.endswith(".segment") and found_in(data)]
        outputs = {}
        for form in FORMATS:
            outputs[form] = control(build, daemon, "audit", "export", "--format", form,
                                    "--directory", str(daemon.root / "audit")).stdout.encode()
        assert all(len(output) > 1000 for output in outputs.values())
        assert leaks(outputs) == {}
    finally:
        daemon.start()


def test_the_search_finds_a_secret_that_is_there():
    assert found_in(f"x {CLAIMS['email']} y".encode(), but=IN_RECORDS) == [CLAIMS["email"]]
    assert set(SECRETS) > set(IN_RECORDS)
