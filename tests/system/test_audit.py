"""The running daemon's audit log: events of workers and operators are on disk before they are
acknowledged."""

import json
import os
import subprocess
import time

import pytest

from daemon import StartFailed, toml
from tokens import jwt

VALID = 0


@pytest.fixture
def claimsctl(build):
    def run(*arguments, token=None):
        return subprocess.run([str(build / "client" / "claimsctl" / "claimsctl"), *map(str, arguments)],
                              input=token or "", capture_output=True, text=True, timeout=60)

    return run


def order(claimsctl, daemon, *arguments, token=None):
    return claimsctl("--admin-socket", daemon.admin_socket, *arguments, token=token)


def events(claimsctl, directory):
    done = claimsctl("audit", "export", "--format", "jsonl", "--directory", directory)
    assert done.returncode == 0, done.stderr
    records = [json.loads(line) for line in done.stdout.splitlines()]
    return [record for record in records if record["event"] != "anchored"]


def test_an_acknowledged_order_is_in_the_log_with_its_author_even_if_the_daemon_is_killed(claimsd, claimsctl, faults):
    daemon = claimsd(faults.url("echo"))
    token = jwt(sub="revoked", iat=int(time.time()) - 60)
    assert order(claimsctl, daemon, "revoke", token=token).returncode == VALID
    assert order(claimsctl, daemon, "revoke", "--user", "77").returncode == VALID
    assert order(claimsctl, daemon, "purge", "--all").returncode == VALID
    daemon.kill()
    directory = daemon.root / "audit"
    records = events(claimsctl, directory)
    assert [record["event"] for record in records] == ["started", "revoked", "revoked", "purged"]
    assert [record["peer"]["uid"] for record in records[1:]] == [os.geteuid()] * 3
    assert records[2]["user"] == "77"
    assert token not in json.dumps(records)
    found = claimsctl("audit", "search", "--token", "--key-file", daemon.key_file, "--directory", directory, token=token)
    assert "revoked" in found.stdout and found.stdout.count("\n") == 1, found.stdout + found.stderr
    assert claimsctl("audit", "verify", "--directory", directory).returncode == 0


def test_a_clean_stop_is_recorded_last_and_the_next_start_appends_to_the_log(claimsd, claimsctl, faults):
    daemon = claimsd(faults.url("echo"))
    daemon.restart()
    daemon.stop()
    directory = daemon.root / "audit"
    assert [record["event"] for record in events(claimsctl, directory)] == ["started", "stopped"] * 2
    assert claimsctl("audit", "verify", "--directory", directory).returncode == 0
    assert "audit_anchor" in daemon.log()


def test_without_an_audit_log_orders_work_and_no_file_is_written(claimsd, claimsctl, faults):
    daemon = claimsd(faults.url("echo"), audit={"enabled": False})
    assert order(claimsctl, daemon, "purge", "--all").returncode == VALID
    assert not (daemon.root / "audit").exists()


def test_a_daemon_whose_audit_directory_is_readable_by_others_does_not_start(claimsd, faults, tmp_path):
    directory = tmp_path / "open"
    directory.mkdir(mode=0o755)
    with pytest.raises(StartFailed) as failed:
        claimsd(faults.url("echo"), audit={"directory": str(directory)})
    assert str(directory) in failed.value.printed


def test_each_rejection_is_on_disk_before_its_answer_even_if_the_daemon_is_killed(claimsd, claimsctl, peer, faults):
    daemon = claimsd(faults.url("status-401"))
    asker = peer(daemon)
    tokens = [jwt(sub=f"user-{number}") for number in range(20)]
    assert {answer.reason for answer in asker.ask_all(tokens)} == {"refused"}
    assert asker.ask("no token").reason == "malformed"
    daemon.kill()
    records = events(claimsctl, daemon.root / "audit")
    assert sum(record["count"] for record in records if record["event"] == "refused") == 20
    assert sum(record["count"] for record in records if record["event"] == "refused_locally") == 1
    assert {record["peer"]["uid"] for record in records if record["event"] == "refused"} == {os.geteuid()}


def test_the_running_daemon_shows_the_newest_records(claimsd, claimsctl, peer, faults):
    daemon = claimsd(faults.url("status-401"))
    token = jwt(sub="lately")
    assert peer(daemon).ask(token).reason == "refused"
    directory = daemon.root / "audit"
    for words in (("tail",), ("search", "--event", "refused"), ("search", "--verdict", "invalid")):
        done = order(claimsctl, daemon, "audit", *words, "--directory", directory)
        assert done.returncode == 0, done.stderr
        assert "refused" in done.stdout and token not in done.stdout
    found = order(claimsctl, daemon, "audit", "search", "--token", "--key-file", daemon.key_file,
                  "--directory", directory, token=token)
    assert found.stdout.count("\n") == 1, found.stdout + found.stderr
    assert "1" in order(claimsctl, daemon, "audit", "report", "--directory", directory).stdout


def test_each_level_records_what_it_promises(claimsd, claimsctl, peer, faults):
    seen = {}
    for level in ("failures", "verifications", "every"):
        daemon = claimsd(faults.url("echo"), audit={"level": level})
        asker = peer(daemon)
        token = jwt(sub="good")
        assert [asker.ask(token).verdict for _ in range(3)] == ["valid"] * 3
        daemon.stop()
        seen[level] = [record["event"] for record in events(claimsctl, daemon.root / "audit")]
    assert seen["failures"] == ["started", "stopped"]
    assert seen["verifications"] == ["started", "verified", "stopped"]
    assert seen["every"].count("verified") == 1 and seen["every"].count("hit") == 2


def test_without_an_audit_log_nothing_is_recorded_and_the_admin_api_says_so(claimsd, claimsctl, peer, faults):
    daemon = claimsd(faults.url("status-401"), audit={"enabled": False})
    assert peer(daemon).ask(jwt(sub="x")).reason == "refused"
    assert not (daemon.root / "audit").exists()
    status, body = daemon.admin("/v1/audit")
    assert status == 404 and b"audit.enabled" in body


def test_a_configuration_change_is_recorded_with_its_author(claimsd, claimsctl, faults):
    daemon = claimsd(faults.url("echo"))
    daemon.tables["limits"] = {"max_in_flight": 7}
    daemon.config_file.write_text(toml(daemon.tables))
    assert order(claimsctl, daemon, "reload").returncode == VALID
    assert order(claimsctl, daemon, "log-level", "error").returncode == VALID
    daemon.stop()
    records = [record for record in events(claimsctl, daemon.root / "audit") if record["event"] == "configured"]
    assert [record["peer"]["uid"] for record in records] == [os.geteuid()] * 2
    assert records[0]["detail"] == f"limits.max_in_flight: 64 -> 7 (uid {os.geteuid()})"
    assert records[1]["detail"] == "log.level: debug -> error, until the next reload or restart"


def test_anchors_in_the_journal_and_in_a_second_file_verify_the_log(claimsd, claimsctl, peer, faults, tmp_path):
    elsewhere = tmp_path / "anchors"
    daemon = claimsd(faults.url("status-401"), audit={"anchors_file": str(elsewhere)})
    assert peer(daemon).ask(jwt(sub="one")).reason == "refused"
    daemon.stop()
    lines = elsewhere.read_text().splitlines()
    assert any(line.startswith("claimsd-audit-anchor ") for line in lines)
    assert all(line in daemon.log() for line in lines)
    directory = daemon.root / "audit"
    for anchors in (elsewhere, daemon.log_file):
        done = claimsctl("audit", "verify", "--directory", directory, "--anchors", anchors, "--json")
        said = json.loads(done.stdout)
        assert (done.returncode, said["whole"], said["anchored"]) == (0, True, said["last"]), done.stdout
    for segment in directory.glob("*.segment"):
        segment.unlink()
    done = claimsctl("audit", "verify", "--directory", directory, "--anchors", elsewhere, "--json")
    assert (done.returncode, json.loads(done.stdout)["finding"]["kind"]) == (1, "deletion")


def test_an_unwritable_anchors_file_is_logged_and_does_not_delay_answers(claimsd, peer, faults, tmp_path):
    daemon = claimsd(faults.url("status-401"), audit={"anchors_file": str(tmp_path / "none" / "anchors")})
    assert peer(daemon).ask(jwt(sub="one")).reason == "refused"
    daemon.stop()
    assert "audit_anchors_file" in daemon.log()


def test_the_status_shows_the_audit_log(claimsd, claimsctl, peer, faults):
    daemon = claimsd(faults.url("status-401"))
    asker = peer(daemon)
    assert {answer.reason for answer in asker.ask_all([jwt(sub=f"user-{number}") for number in range(5)])} == {"refused"}
    status = daemon.status()
    assert (status["audit"]["state"], status["audit"]["when_full"]) == ("writable", "deny")
    assert status["counters"]["audit_events"] == 6  # including the start
    assert status["audit"]["sequence"] == status["counters"]["audit_records"]
    shown = order(claimsctl, daemon, "status").stdout
    assert "audit log" in shown and str(daemon.root / "audit") in shown


def test_a_running_daemons_log_verifies_to_its_end_and_a_modified_file_is_detected(claimsd, claimsctl, peer, faults):
    daemon = claimsd(faults.url("status-401"))
    directory = daemon.root / "audit"

    def verify():
        done = order(claimsctl, daemon, "audit", "verify", "--directory", directory, "--json")
        return done.returncode, json.loads(done.stdout)

    asker = peer(daemon)
    for number in range(20):
        assert asker.ask(jwt(sub=f"user-{number}")).reason == "refused"
    code, said = verify()
    assert (code, said["whole"], said["last"]) == (0, True, daemon.status()["audit"]["sequence"])
    assert said["records"] == said["last"] >= 21
    (segment,) = directory.glob("*.segment")
    written = segment.read_bytes()
    with open(segment, "r+b") as file:  # in place, because the daemon has it open
        file.write(written.replace(b"main", b"mein"))
    code, said = verify()
    assert (code, said["finding"]["kind"]) == (1, "change")
    assert 1 < said["finding"]["sequence"] <= said["last"] + 1


def test_another_daemons_directory_is_verified_up_to_its_newest_segment(claimsd, claimsctl, faults):
    one, other = claimsd(faults.url("echo")), claimsd(faults.url("echo"))
    done = order(claimsctl, one, "audit", "verify", "--directory", other.root / "audit")
    assert done.returncode == 69 and "no completed segment yet" in done.stderr
