"""claimsctl audit on a directory: search, report, verify, export, tail, stat."""

import csv
import fcntl
import io
import json
import os
import pathlib
import subprocess
import unicodedata

import pytest

SAMPLE = pathlib.Path(os.environ.get("CLAIMSD_BUILD_DIR", "build/dev")) / "tests" / "audit" / "claimsd_audit_sample"
TOKEN = b"canary-token-0123456789abcdef"


@pytest.fixture
def log(tmp_path):
    directory = tmp_path / "audit"
    directory.mkdir(mode=0o700)
    key = tmp_path / "host.key"
    key.write_bytes(bytes(range(65, 97)))
    subprocess.run([SAMPLE, directory, key], input=TOKEN, check=True, timeout=60)
    return directory


def run(claimsctl, log, *words, **more):
    return claimsctl.run("audit", *words, "--directory", str(log), **more)


def records(done):
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_search_by_user_finds_only_that_user(claimsctl, log):
    found = records(run(claimsctl, log, "search", "--user", "7", "--json"))
    assert len(found) == 10
    assert {record["user"] for record in found} == {"7"}
    assert found[0]["event"] == "denied" and found[0]["schema"] == 1


def test_search_by_token_reads_it_from_standard_input_and_never_prints_it(claimsctl, log):
    done = run(claimsctl, log, "search", "--token", "--key-file", str(log.parent / "host.key"), "--json", stdin=TOKEN)
    assert len(records(done)) == 1
    assert TOKEN.decode() not in done.stdout + done.stderr
    other = run(claimsctl, log, "search", "--token", "--key-file", str(log.parent / "host.key"), "--json", stdin=b"x" * 30)
    assert records(other) == []


def test_search_filters_by_time_event_verdict_and_peer(claimsctl, log):
    def count(*words):
        return len(records(run(claimsctl, log, "search", "--json", *words)))

    assert count("--since", "2024-10-04T12:40:00Z", "--until", "2024-10-04T12:50:00Z") == 10
    assert count("--since", "2024-10-05") == 0
    assert count("--event", "denied") == 40
    assert count("--verdict", "invalid") == 31
    assert count("--verdict", "unavailable") == 1
    assert count("--peer", "1000") == 71
    assert count("--peer", "1001") == 0
    assert count("--limit", "3") == 3


def test_tail_prints_the_last_records_one_per_line(claimsctl, log):
    done = run(claimsctl, log, "tail", "-n", "5")
    lines = done.stdout.splitlines()
    assert len(lines) == 5
    assert "gap" in lines[-1] and "count=5" in lines[-1]
    everything = run(claimsctl, log, "tail", "-n", "1000").stdout
    assert len(everything.splitlines()) == 73 and "\x1b" not in everything


def test_the_report_counts_by_reason_user_peer_and_hour(claimsctl, log):
    page = run(claimsctl, log, "report").stdout
    for expected in ("permission denied", "rejected", "uid 1000 gunicorn", "12:00", "13:00", "█", "5 events that were not"):
        assert expected in page
    report = json.loads(run(claimsctl, log, "report", "--json").stdout)
    assert report["missing"] == 5
    assert report["denied"]["by_user"] == {"8": 30, "7": 10}
    assert report["denied"]["by_reason"] == {"permission denied": 40}
    assert sum(report["denied"]["by_hour"]) == 40


def test_the_report_tells_rejections_denials_and_outages_apart(claimsctl, log):
    report = json.loads(run(claimsctl, log, "report", "--json").stdout)
    assert [report[kind]["count"] for kind in ("rejected", "denied", "unavailable")] == [31, 40, 7]
    assert report["rejected"]["by_reason"] == {"rejected": 31}
    assert report["unavailable"]["by_reason"] == {"upstream_timeout": 7}
    lines = run(claimsctl, log, "report").stdout.splitlines()
    assert "  rejected     31 tokens: the user had to log in again" in lines
    assert "  denied       40 requests of users without the permission" in lines
    assert "  unavailable  7 lookups without a verdict" in lines
    assert "Unavailable by reason" in lines and "Rejected by reason" in lines


def test_verify_exits_0_for_an_intact_log_and_1_for_a_modified_one(claimsctl, log):
    done = run(claimsctl, log, "verify", "--json")
    said = json.loads(done.stdout)
    assert done.returncode == 0 and said["whole"] and said["anchored"] == 73 and said["cannot_tell"] == []
    pinned = run(claimsctl, log, "verify", "--root-key", said["root_key"])
    assert pinned.returncode == 0
    assert run(claimsctl, log, "verify", "--root-key", "ab" * 32).returncode == 1
    segment = sorted(log.glob("*.segment"))[0]
    segment.write_bytes(segment.read_bytes().replace(b"/patients/", b"/patientz/"))
    done = run(claimsctl, log, "verify")
    assert done.returncode == 1 and "modified: change at sequence 1" in done.stdout


def test_verify_with_saved_anchors_detects_that_all_segments_are_gone(claimsctl, log):
    journal = log.parent / "journal.txt"
    journal.write_text("".join(f"Oct 04 host claimsd[1]: {line}\n" for line in (log / "anchors").read_text().splitlines()))
    assert run(claimsctl, log, "verify", "--anchors", str(journal)).returncode == 0
    for segment in log.glob("*.segment"):
        segment.unlink()
    done = run(claimsctl, log, "verify", "--anchors", str(journal), "--json")
    assert done.returncode == 1 and json.loads(done.stdout)["finding"]["kind"] == "deletion"


def test_verify_without_anchors_lists_what_it_cannot_detect(claimsctl, log):
    (log / "anchors").unlink()
    done = run(claimsctl, log, "verify")
    assert done.returncode == 0
    for kind in ("rollback", "truncation", "change"):
        assert kind in done.stdout


@pytest.mark.parametrize("form", ["jsonl", "ecs", "ocsf"])
def test_every_exported_line_is_a_json_object(claimsctl, log, form):
    lines = records(run(claimsctl, log, "export", "--format", form))
    assert len(lines) == 73
    if form == "ecs":
        assert lines[0]["event"]["action"] == "denied" and lines[0]["event"]["outcome"] == "failure"
        assert lines[0]["@timestamp"] == "2024-10-04T12:00:00.000000Z"
    if form == "ocsf":
        assert lines[0]["type_uid"] == lines[0]["class_uid"] * 100 + lines[0]["activity_id"]
        assert lines[0]["category_uid"] == lines[0]["class_uid"] // 1000


def test_csv_has_one_row_per_record_and_no_formulas(claimsctl, log):
    done = run(claimsctl, log, "export", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert len(rows) == 73 and rows[0]["event"] == "denied" and rows[0]["user"] == "7"
    assert not any(unicodedata.normalize("NFKC", value).lstrip(" ?").startswith(("=", "+", "@")) for row in rows for value in row.values())


def test_no_output_contains_characters_that_hide_or_reorder_text(claimsctl, log):
    commands = [("export", "--format", form) for form in ("jsonl", "ecs", "ocsf", "csv")]
    for words in (*commands, ("search",), ("search", "--json"), ("report",), ("tail", "-n", "100")):
        shown = run(claimsctl, log, *words).stdout
        assert shown
        hidden = {c for c in shown if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp")} - {"\n", "\r"}
        assert not hidden, (words, hidden)


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n", b"x"])
def test_a_host_key_may_end_like_a_line(claimsctl, tmp_path, end):
    directory = tmp_path / "audit"
    directory.mkdir(mode=0o700)
    key = tmp_path / "host.key"
    key.write_bytes(bytes(range(65, 97))[:-len(end)] + end)
    subprocess.run([SAMPLE, directory, key], input=TOKEN, check=True, timeout=60)
    found = records(run(claimsctl, directory, "search", "--token", "--key-file", str(key), "--json", stdin=TOKEN))
    assert len(found) == 1 and found[0]["event"] == "rejected"
    for wrong in (b"", b"\n"):  # too short, too long
        key.write_bytes(bytes(31) if not wrong else bytes(32) + wrong)
        assert run(claimsctl, directory, "search", "--token", "--key-file", str(key), stdin=TOKEN).returncode == 77


def test_stat_prints_the_range_of_the_log(claimsctl, log):
    said = json.loads(run(claimsctl, log, "stat", "--json").stdout)
    assert (said["origin"], said["first"], said["last"], said["events"]) == ("host.example", 1, 73, 83)
    assert "host.example" in run(claimsctl, log, "stat").stdout


def test_a_log_that_a_daemon_writes_to_is_read_through_that_daemon(claimsctl, log):
    with open(log / "lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = run(claimsctl, log, "tail")
        assert done.returncode == 69 and "admin.sock" in done.stderr


def test_following_a_log_that_no_daemon_writes_to_is_a_usage_error(claimsctl, log):
    done = run(claimsctl, log, "tail", "-f")
    assert done.returncode == 2 and "--follow" in done.stderr


def test_a_directory_without_a_log_is_named_in_the_error(claimsctl, tmp_path):
    done = run(claimsctl, tmp_path, "search")
    assert done.returncode == 69 and str(tmp_path) in done.stderr
    missing = run(claimsctl, tmp_path / "none", "report")
    assert missing.returncode == 69 and "--directory" in missing.stderr


@pytest.mark.parametrize("words, said", [
    (("audit",), "command"),
    (("audit", "search", "--since", "yesterday"), "--since"),
    (("audit", "search", "--event", "party"), "--event"),
    (("audit", "export", "--format", "xml"), "--format"),
])
def test_wrong_usage_exits_2(claimsctl, words, said):
    done = claimsctl.run(*words)
    assert done.returncode == 2 and said in done.stderr


def test_no_log_file_or_export_contains_a_token(claimsctl, log):
    for path in log.iterdir():
        assert TOKEN not in path.read_bytes()
    for form in ("jsonl", "ecs", "ocsf", "csv"):
        assert TOKEN.decode() not in run(claimsctl, log, "export", "--format", form).stdout
