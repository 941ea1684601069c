"""An audit log on a full disk, or with failing disk calls: every answer is recorded or counted, and
the daemon recovers."""

import concurrent.futures
import mmap
import os
import pathlib
import struct
import time

import pytest

from audit_traffic import records_in, verified
from daemon import Claimsd
from peer import Peer, until
from tokens import jwt

WITHHELD = "not_recorded"
SMALL_DISK = ('mount -t tmpfs -o size=3m,mode=0700 tmpfs "$0" && head -c 1500000 /dev/zero > "$0/ballast" && exec "$@"')


def counted(records, event):
    return sum(record["count"] for record in records if record["event"] == event)


def missing(records, what):
    """How many events the gaps report as "denied" or "allowed"."""
    gaps = [record["detail"] for record in records if record["event"] == "gap"]
    return sum(int(part.removeprefix(f"{what}=")) for gap in gaps for part in gap.split() if part.startswith(f"{what}="))


# ---- a full disk ---------------------------------------------------------------------------------


class SmallDisk:
    """A daemon whose log is on a private disk of 3 MiB, with a file to use up space."""

    def __init__(self, claimsd, faults, when_full):
        self.daemon = claimsd(faults.url("echo"), start=False, limits={"misses_per_uid": 0},
                              audit={"level": "verifications", "when_full": when_full})
        self.at = self.daemon.root / "audit"
        self.at.mkdir(mode=0o700)
        self.daemon.start(prefix=["unshare", "--mount", "--propagation", "private", "sh", "-c", SMALL_DISK, str(self.at)])
        # Keeping it open lets the disk outlive the daemon.
        self.disk = os.open(f"/proc/{self.daemon.process.pid}/root{self.at}", os.O_RDONLY | os.O_DIRECTORY)
        self.directory = pathlib.Path(f"/proc/{os.getpid()}/fd/{self.disk}")
        self.peer = Peer(self.daemon.socket)
        self.asked = 0

    def ask(self, together=20):
        """The reasons of answers for new tokens."""
        tokens = [jwt(sub=f"user-{self.asked + number}") for number in range(together)]
        self.asked += together
        return [answer.reason for answer in self.peer.ask_all(tokens)]

    def fill(self):
        """Queries until a commit of twenty records does not fit."""
        reasons = []
        until(lambda: reasons.extend(self.ask()) or WITHHELD in reasons, "the disk fills up", 60)
        return reasons

    def failures(self):
        return self.daemon.status()["counters"]["audit_failures"]

    def state(self):
        return self.daemon.status()["audit"]["state"]

    def restart(self, end):
        """In the same mount namespace, which the open directory keeps alive."""
        self.peer.close()
        namespace = os.open(f"/proc/{self.daemon.process.pid}/ns/mnt", os.O_RDONLY)
        try:
            if end == "kill":
                self.daemon.kill()
            else:
                self.daemon.stop()
            self.daemon.start(prefix=["nsenter", f"--mount=/proc/{os.getpid()}/fd/{namespace}"])
        finally:
            os.close(namespace)
        self.peer = Peer(self.daemon.socket)

    def make_room(self):
        (self.directory / "ballast").unlink()

    def close(self):
        self.peer.close()
        os.close(self.disk)


@pytest.fixture
def small_disk(claimsd, faults):
    if os.geteuid() != 0:
        pytest.skip("needs root")
    made = []

    def make(when_full):
        made.append(SmallDisk(claimsd, faults, when_full))
        return made[-1]

    yield make
    for disk in made:
        disk.close()


def test_on_a_full_disk_no_answer_is_sent_without_its_record_and_answers_resume_with_free_space(small_disk, build):
    disk = small_disk("unavailable")
    reasons = disk.fill()
    assert set(reasons) == {"ok", WITHHELD}
    # Retried each second, a commit of one record would fit: the log does not begin again before there is space
    # for more, so that status and the alert do not change in turn.
    before, retried = disk.failures(), []
    until(lambda: retried.extend(disk.ask(1)) or disk.failures() >= before + 3, "the daemon retries")
    assert set(retried) == {WITHHELD}
    reasons += retried + disk.ask()
    assert disk.state() == "disk_full"
    status = disk.daemon.status()
    assert [finding["code"] for finding in status["findings"]] == ["audit_disk_full"]
    assert b"\nclaimsd_audit_writable 0\n" in disk.daemon.admin("/metrics")[1]
    # A cached answer needs no record at this level.
    assert disk.peer.ask(jwt(sub="user-0")).reason == "ok"
    disk.make_room()
    until(lambda: reasons.extend(disk.ask(1)) or reasons[-1] == "ok", "the log is written again")
    assert disk.state() == "writable" and disk.daemon.status()["healthy"]
    pid = disk.daemon.process.pid
    reasons += disk.ask()
    assert reasons[-20:] == ["ok"] * 20 and disk.daemon.process.pid == pid
    disk.daemon.stop()
    records = records_in(build, disk.directory)
    assert counted(records, "verified") == reasons.count("ok")
    assert missing(records, "denied") == reasons.count(WITHHELD) == disk.asked - reasons.count("ok")
    verified(build, disk.directory)


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_restart_on_a_full_disk_starts_and_keeps_the_count_of_withheld_answers(small_disk, build, end):
    disk = small_disk("unavailable")
    reasons = disk.fill()
    # A truncated last line of the anchors, as a full disk leaves it.
    anchors = disk.directory / "anchors"
    os.truncate(anchors, anchors.stat().st_size - 10)
    for _ in range(3):
        reasons += disk.ask()
        if end == "kill":
            time.sleep(1.5)  # the counts of the last second may be lost
        disk.restart(end)
        assert disk.state() in ("writable", "disk_full")
    until(lambda: reasons.extend(disk.ask()) or disk.state() == "disk_full", "the disk is full for the new process as well")
    disk.make_room()
    until(lambda: reasons.extend(disk.ask(1)) or reasons[-1] == "ok", "the log is written again")
    disk.daemon.stop()
    records = records_in(build, disk.directory)
    assert counted(records, "verified") == reasons.count("ok")
    # Besides the answers: starts and stops that could not be recorded.
    assert missing(records, "denied") == reasons.count(WITHHELD)
    verified(build, disk.directory)


def test_on_a_full_disk_answers_without_a_record_are_counted_when_configured(small_disk, build):
    disk = small_disk("allow_unrecorded")
    reasons = []
    until(lambda: reasons.extend(disk.ask()) or disk.state() == "disk_full", "the disk fills up", 60)
    reasons += disk.ask()
    counters = disk.daemon.status()["counters"]
    assert set(reasons) == {"ok"} and counters["audit_unrecorded"] >= 20 and counters["audit_unavailable"] == 0
    disk.make_room()
    until(lambda: reasons.extend(disk.ask(1)) or disk.state() == "writable", "the log is written again")
    disk.daemon.stop()
    records = records_in(build, disk.directory)
    assert set(reasons) == {"ok"}
    assert counted(records, "verified") + missing(records, "allowed") == len(reasons)
    assert missing(records, "denied") == 0
    verified(build, disk.directory)


# ---- a disk that fails ---------------------------------------------------------------------------

CALLS = 17  # more calls than three commits make


class FailingDisk:
    """A daemon whose disk calls succeed and then fail a given number of times."""

    def __init__(self, build, root, when_full):
        orders = pathlib.Path(root) / "orders"
        orders.write_bytes(bytes(16))
        self.daemon = Claimsd(build, root, "http://127.0.0.1:9", audit={"when_full": when_full}, log={"level": "error"})
        watched = os.path.realpath(self.daemon.root / "audit")
        self.daemon.start(env={"LD_PRELOAD": str(build / "tests" / "audit" / "libclaimsd_watched_disk.so"),
                               "WATCHED_DIRECTORY": watched, "WATCHED_ORDERS": str(orders)})
        with open(orders, "r+b") as file:
            self.orders = mmap.mmap(file.fileno(), 16)
        self.peer = Peer(self.daemon.socket)
        self.reasons = []

    def ask(self):
        self.reasons.append(self.peer.ask("no token").reason)
        return self.reasons[-1]

    def fail(self, call, times):
        """Makes that call fail. Returns whether it was reached within three queries; waits for
        recovery."""
        struct.pack_into("<q", self.orders, 0, call - 1)
        struct.pack_into("<q", self.orders, 8, times)
        for _ in range(3):
            self.ask()
        came = struct.unpack_from("<q", self.orders, 8)[0] < times
        until(lambda: self.ask() == "malformed" and self.daemon.status()["audit"]["state"] == "writable", "the log is written again")
        struct.pack_into("<q", self.orders, 8, 0)
        return came

    def end(self):
        self.peer.close()
        self.daemon.stop()
        return self.reasons


@pytest.mark.parametrize("when_full", ["unavailable", "allow_unrecorded"])
def test_whichever_disk_call_fails_no_answer_is_sent_without_a_record_or_a_count_and_the_daemon_recovers(build, scratch, when_full):
    # One daemon per call: after each failure the log waits a second before it retries.
    disks = [FailingDisk(build, scratch(), when_full) for _ in range(CALLS)]
    with concurrent.futures.ThreadPoolExecutor(CALLS) as pool:
        for times in (1, 3) if when_full == "unavailable" else (1,):
            failed = list(pool.map(lambda numbered: numbered[1].fail(numbered[0] + 1, times), enumerate(disks)))
            assert failed.count(True) >= 12, failed  # the calls that three commits always make
    for disk, has_failed in zip(disks, failed):
        reasons = disk.end()
        records = records_in(build, disk.daemon.root / "audit")
        withheld = reasons.count(WITHHELD)
        assert set(reasons) <= {"malformed", WITHHELD} and reasons.count("malformed") > 0
        if when_full == "unavailable":
            assert counted(records, "rejected_locally") == reasons.count("malformed")
            assert missing(records, "denied") == withheld
        else:
            assert withheld == 0 and (missing(records, "allowed") > 0 or not has_failed)
            assert counted(records, "rejected_locally") + missing(records, "allowed") == len(reasons)
        verified(build, disk.daemon.root / "audit")
