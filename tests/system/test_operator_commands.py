"""claimsctl top, entries, show, statistics, monitor and metrics against a real daemon."""

import codecs
import fcntl
import itertools
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

import pytest

from peer import until
from tokens import jwt

PATIENCE = 30
CANARY = "canary-91c4"


@pytest.fixture
def claimsctl(build):
    binary = build / "client" / "claimsctl" / "claimsctl"

    def run(daemon, *words, stdin=""):
        done = subprocess.run([str(binary), "--admin-socket", str(daemon.admin_socket), *words], input=stdin,
                              capture_output=True, text=True, timeout=PATIENCE)
        assert CANARY not in done.stdout + done.stderr
        return done

    run.binary = binary
    return run


@pytest.fixture
def busy(claimsd, peer, faults):
    daemon = claimsd(faults.url("echo"))
    client = peer(daemon)
    for number in range(12):
        assert client.ask(f"{CANARY}-{number}").verdict == "valid"
    return daemon


def lines(done):
    assert done.returncode == 0, done.stdout + done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_entries_is_a_table_without_tokens_or_emails(busy, claimsctl):
    done = claimsctl(busy, "entries")
    assert done.returncode == 0, done.stderr
    head, *rows = done.stdout.splitlines()
    assert head.split() == ["entry", "user", "state", "age", "TTL", "lease"]
    assert len(rows) == 12 and all("fresh" in row for row in rows)
    assert "@" not in done.stdout
    assert "--limit 0" in claimsctl(busy, "entries", "--limit", "3").stdout
    assert len(lines(claimsctl(busy, "entries", "--limit", "3", "--json"))) == 3


def test_show_finds_a_token_by_its_bytes_and_a_user_by_the_id(busy, claimsctl):
    (found,) = lines(claimsctl(busy, "show", "--json", stdin=f"{CANARY}-3"))
    entry = found["upstreams"][0]["entry"]
    assert found["schema"] == 1 and entry["state"] == "fresh"
    done = claimsctl(busy, "show", stdin=f"{CANARY}-3")
    assert "fresh" in done.stdout and "@" not in done.stdout
    assert "unknown: the next query" in claimsctl(busy, "show", stdin="never-seen").stdout
    assert entry["user"] in claimsctl(busy, "show", "--user", entry["user"]).stdout
    assert "no token of this user is cached" in claimsctl(busy, "show", "--user", "nobody").stdout
    assert claimsctl(busy, "show", stdin="a b").returncode == 2


@pytest.mark.parametrize("token", ["1|Wl8hN2", '00D5f!A"Q\\4', "a:b,c"])
def test_a_token_with_other_signs_is_shown_purged_and_revoked(claimsd, peer, faults, claimsctl, token):
    daemon = claimsd(faults.url("echo"))
    asker = peer(daemon)
    assert asker.ask(token).verdict == "valid"
    (found,) = lines(claimsctl(daemon, "show", "--json", stdin=token))
    assert found["upstreams"][0]["entry"]["state"] == "fresh"
    assert claimsctl(daemon, "purge", stdin=token).returncode == 0
    assert asker.ask(token).source == "upstream"
    assert claimsctl(daemon, "revoke", stdin=token).returncode == 0
    assert asker.ask(token).reason == "revoked"


def test_statistics_add_up(busy, claimsctl):
    (said,) = lines(claimsctl(busy, "statistics", "--json"))
    assert sum(row["count"] for row in said["lookups"]) == 12
    text = claimsctl(busy, "statistics", "--all").stdout
    assert re.search(r"^  upstream +12 +0 +0 +12 ", text, re.MULTILINE)
    assert re.search(r"^  queries +12$", text, re.MULTILINE)


def test_the_metrics_command_prints_the_daemons_metrics(busy, claimsctl):
    text = claimsctl(busy, "metrics").stdout
    assert "\nclaimsd_queries_total 12\n" in text
    series = {row["series"]: row["value"] for row in lines(claimsctl(busy, "metrics", "--json"))}
    assert series["claimsd_queries_total"] == 12


def test_monitor_prints_events_as_they_happen(busy, claimsctl, peer):
    command = [str(claimsctl.binary), "--admin-socket", str(busy.admin_socket), "monitor", "--json"]
    client, number, events = peer(busy), 0, []
    with subprocess.Popen(command, stdout=subprocess.PIPE) as monitor:
        # It prints only events after its start, which nothing signals: cause events until one
        # appears.
        while not select.select([monitor.stdout], [], [], 0.05)[0]:
            number += 1
            client.ask(f"{CANARY}-new-{number}")
        busy.admin("/v1/purge", {"user": "x"})
        busy.admin("/v1/revoke", {"token": f"{CANARY}-new-1"})
        while not events or events[-1]["event"] != "revoked":
            line = monitor.stdout.readline().decode()
            assert line and CANARY not in line
            events.append(json.loads(line))
        monitor.terminate()
    assert all(event["schema"] == 1 for event in events)
    assert {event["reason"] for event in events[:-2]} == {"ok"}
    assert [event["event"] for event in events[-2:]] == ["purged", "revoked"]
    assert (events[-2]["subject"], events[-2]["uid"]) == ("user", os.getuid())


def test_monitor_with_count_ends_after_that_many_events(busy, claimsctl, peer):
    command = [str(claimsctl.binary), "--admin-socket", str(busy.admin_socket), "monitor", "--count", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as monitor:
        client = peer(busy)
        until(lambda: client.ask(f"{CANARY}-{time.monotonic_ns()}") and monitor.poll() is not None, "monitor ends")
        (line,) = monitor.stdout.read().splitlines()
    assert monitor.returncode == 0
    assert "request_completed  main ok in" in line


def test_top_once_and_top_json_need_no_terminal(busy, claimsctl, peer):
    done = claimsctl(busy, "top", "--once", "--interval", "200")
    assert done.returncode == 0 and "no source" in done.stdout and "Auth API" in done.stdout
    assert "\x1b" not in done.stdout
    (said,) = lines(claimsctl(busy, "top", "--once", "--json", "--interval", "200"))
    assert said["schema"] == 1 and said["entries"] == 12
    assert said["peers"][0]["uid"] == os.getuid()


def test_top_counts_the_lookups_that_workers_answered_themselves(claimsd, worker, faults, claimsctl):
    daemon = claimsd(faults.url("echo"))
    asking, others = worker(daemon, "ask"), (jwt(sub=f"other-{number}") for number in itertools.count())
    command = [str(claimsctl.binary), "--admin-socket", str(daemon.admin_socket), "top", "--json", "--interval", "200"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as top:
        def by_workers():
            for _ in range(50):
                assert asking.ask(jwt(sub="first")).verdict == "valid"
            asking.ask(next(others))  # at most once a second a query brings the count
            said = json.loads(top.stdout.readline()) if select.select([top.stdout], [], [], 0)[0] else {}
            return said.get("by_source", {}).get("worker") and said
        try:
            assert until(by_workers, "top shows them")["hit_ratio"] > 0.5
        finally:
            top.terminate()


class Screen:
    """claimsctl top on its own terminal."""

    def __init__(self, binary, daemon, rows=24, columns=100):
        self.master, self.terminal = pty.openpty()
        self.resize(rows, columns)
        self.before = termios.tcgetattr(self.terminal)
        environment = {**os.environ, "TERM": "xterm", "NO_COLOR": "1"}
        self.process = subprocess.Popen(
            [str(binary), "--admin-socket", str(daemon.admin_socket), "top", "--interval", "200"], stdin=self.terminal,
            stdout=self.terminal, stderr=self.terminal, env=environment)
        self.text = ""
        self.decoder = codecs.getincrementaldecoder("utf-8")()

    def resize(self, rows, columns):
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read_until(self, holds):
        end = time.monotonic() + PATIENCE
        while not holds(self.text):
            assert time.monotonic() < end, self.text
            if select.select([self.master], [], [], 0.2)[0]:
                self.text += self.decoder.decode(os.read(self.master, 65536))

    def last_frame(self):
        """The last complete frame: a read can end inside a frame, and inside a character."""
        return re.findall(r"\x1b\[H(.*?)\x1b\[J", self.text, re.DOTALL)[-1]

    def end(self):
        code = self.process.wait(PATIENCE)
        while select.select([self.master], [], [], 0.1)[0]:
            self.text += self.decoder.decode(os.read(self.master, 65536))
        after = termios.tcgetattr(self.terminal)
        os.close(self.terminal)
        os.close(self.master)
        return code, after


@pytest.mark.parametrize("how", ["q", "SIGINT", "SIGTERM"])
def test_top_follows_the_daemon_and_restores_the_terminal(busy, claimsctl, how):
    screen = Screen(claimsctl.binary, busy)
    screen.read_until(lambda text: text.count("no source") >= 3)
    frame = screen.last_frame()
    assert "uid" in frame and "Auth API" in frame
    # The screen is not cleared between frames: each is drawn over the last.
    assert screen.text.count("\x1b[2J") == 1
    if how == "q":
        os.write(screen.master, b"q")
    else:
        screen.process.send_signal(getattr(signal, how))
    code, after = screen.end()
    assert code == 0
    assert screen.text.endswith("\x1b[?7h\x1b[?25h\x1b[?1049l")
    assert after == screen.before


def test_top_adapts_to_a_resized_terminal(busy, claimsctl):
    screen = Screen(claimsctl.binary, busy)
    screen.read_until(lambda text: "no source" in text)
    screen.resize(6, 30)
    screen.process.send_signal(signal.SIGWINCH)
    start = len(screen.text)
    screen.read_until(lambda text: text[start:].count("\x1b[J") >= 3)
    rows = [re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", row) for row in screen.last_frame().replace("\r", "").split("\n")]
    assert len(rows) <= 6 and max(map(len, rows)) <= 30
    os.write(screen.master, b"q")
    assert screen.end()[0] == 0


@pytest.mark.parametrize("command", ["top", "entries", "statistics", "monitor", "metrics"])
def test_without_a_daemon_it_says_so(claimsd, claimsctl, faults, command):
    daemon = claimsd(faults.url("echo"))
    daemon.stop()
    done = claimsctl(daemon, command)
    assert done.returncode == 69 and "does not exist" in done.stderr
