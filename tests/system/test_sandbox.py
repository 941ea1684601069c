"""What the daemon can no longer do once it answers: injected system calls are stopped, and its
memory is unreadable.

tests/sandbox/planted.c is preloaded into the real daemon and makes the call from a thread that
existed before the filter. Each call is also made in a daemon without the filter, where it works.
So every test here fails if the filter is missing.
"""

import contextlib
import errno
import os
import pathlib
import signal
import subprocess
import threading

import pytest

import other_user
import skips
from peer import until
from tokens import user_of

needs_io_uring = pytest.mark.skipif(skips.io_uring_is_off(), reason="this kernel has io_uring switched off")


@pytest.fixture(scope="module", autouse=True)
def not_instrumented():
    """Sanitizers need ptrace(2) and more, so their builds have no filter."""
    if skips.instrumented():
        pytest.skip("a build with sanitizers has no system call filter")


@contextlib.contextmanager
def no_umask():
    before = os.umask(0)
    try:
        yield
    finally:
        os.umask(before)


class Planted:
    """A daemon with an injected thread."""

    def __init__(self, daemon, build):
        self.daemon = daemon
        self.orders = daemon.root / "orders"
        self.answers = daemon.root / "orders.out"
        os.mkfifo(self.orders)
        os.mkfifo(self.answers)
        daemon.start(env={"LD_PRELOAD": str(build / "tests" / "sandbox" / "planted.so"), "CLAIMSD_PLANTED": str(self.orders)})

    def make(self, call):
        """0, an errno, or None if the daemon died of the call."""
        got = []

        def listen():
            with open(self.answers, encoding="ascii") as answers:
                got.append(answers.read())

        listener = threading.Thread(target=listen)
        listener.start()
        self.orders.write_text(call)
        pidfd = os.pidfd_open(self.daemon.process.pid)
        while listener.is_alive() and self.daemon.process.poll() is None:
            listener.join(0.02)
        if listener.is_alive():  # no answer will come
            os.close(os.open(self.answers, os.O_WRONLY))
            listener.join()
        os.close(pidfd)
        return int(got[0]) if got and got[0] else None


@pytest.fixture
def planted(claimsd, faults, build):
    def make(**options):
        return Planted(claimsd(faults.url("echo"), start=False, **options), build)

    return make


def test_the_filter_is_on_in_every_thread(claimsd, faults):
    daemon = claimsd(faults.url("echo"))
    tasks = list(pathlib.Path(f"/proc/{daemon.process.pid}/task").iterdir())
    assert len(tasks) > 1
    for task in tasks:
        assert "Seccomp:\t2\n" in (task / "status").read_text()


def test_the_audit_thread_has_lower_scheduling_priority_than_the_loop(claimsd, faults):
    daemon = claimsd(faults.url("echo"))
    main = daemon.process.pid

    def claims(thread):
        return os.sched_getscheduler(thread), os.getpriority(os.PRIO_PROCESS, thread) > os.getpriority(os.PRIO_PROCESS, main)

    def modest():
        threads = [int(task.name) for task in pathlib.Path(f"/proc/{main}/task").iterdir()]
        return [claims(thread) for thread in threads].count((os.SCHED_BATCH, True))

    until(lambda: modest() == 1, "one thread has a lower priority")
    assert os.sched_getscheduler(main) == os.SCHED_OTHER


needs_x86_64 = pytest.mark.skipif(skips.not_x86_64(), reason="the system call numbers are those of x86-64")
foreign = pytest.param("foreign", marks=needs_x86_64)


@pytest.mark.parametrize("call", ["exec-here", "ptrace", "unshare", foreign])
def test_a_call_that_only_an_intruder_makes_kills_the_daemon(planted, call):
    intruder = planted()
    assert intruder.make(call) is None
    assert intruder.daemon.process.wait(10) == -signal.SIGSYS
    intruder.daemon.kill()


@pytest.mark.parametrize("call, error", [
    ("netlink", errno.EAFNOSUPPORT), ("packet", errno.EAFNOSUPPORT), ("vsock", errno.EAFNOSUPPORT), ("fork", errno.ENOSYS),
    ("execve", errno.ENOSYS), ("core", errno.ENOSYS),
    ("idle", errno.ENOSYS), ("renice", errno.ENOSYS), ("io_uring", errno.ENOSYS), ("clone3", errno.ENOSYS)])
def test_a_call_that_the_daemon_does_not_need_fails(planted, peer, call, error):
    intruder = planted()
    assert intruder.make(call) == error
    assert peer(intruder.daemon).ask("token").id == user_of("token")


def test_a_system_call_that_the_daemon_needs_is_allowed(planted):
    assert planted().make("inet") == 0


def test_the_event_loops_have_no_io_uring_ring(claimsd, faults, peer):
    """libuv 1.45 and later creates a ring per loop, which bypasses the filter, and aborts if the
    filter stops it."""
    daemon = claimsd(faults.url("echo"))
    assert peer(daemon).ask("token").id == user_of("token")
    links = [os.readlink(fd) for fd in pathlib.Path(f"/proc/{daemon.process.pid}/fd").iterdir()]
    assert any("eventpoll" in link for link in links)
    assert [link for link in links if "io_uring" in link] == []


@pytest.mark.parametrize("call", ["execve", "ptrace", "netlink", "fork", "inet", "idle", "renice", "clone3", foreign, pytest.param("io_uring", marks=needs_io_uring)])
def test_without_the_filter_the_planted_calls_work(planted, call):
    intruder = planted(daemon={"system_call_filter": False})
    assert intruder.make(call) == 0


def test_it_has_a_private_umask_no_new_privileges_and_no_core_limit(claimsd, faults):
    daemon = claimsd(faults.url("echo"), start=False)
    with no_umask():
        daemon.start()
    process = pathlib.Path(f"/proc/{daemon.process.pid}")
    status = (process / "status").read_text()
    assert "Umask:\t0077\n" in status and "NoNewPrivs:\t1\n" in status
    (core,) = [line for line in (process / "limits").read_text().splitlines() if line.startswith("Max core file size")]
    assert core.split()[4:6] == ["0", "0"]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_not_even_its_own_user_can_read_its_memory(claimsd, faults):
    daemon = claimsd(faults.url("echo"), start=False)
    os.chown(daemon.root, other_user.UID, other_user.UID)
    as_user = ["setpriv", f"--reuid={other_user.UID}", f"--regid={other_user.UID}", "--clear-groups"]
    with no_umask():  # its notifications go to our socket
        daemon.start(prefix=as_user)

    def readable(process, name):
        return subprocess.run([*as_user, "head", "-c1", f"/proc/{process.pid}/{name}"], capture_output=True).returncode == 0

    sleeper = subprocess.Popen([*as_user, "sleep", "60"], stdout=subprocess.PIPE)
    try:
        for name in ("environ", "maps", "mem"):
            assert not readable(daemon.process, name)
        assert readable(sleeper, "environ")
    finally:
        sleeper.kill()
        sleeper.wait()


@pytest.mark.skipif(skips.cores_go_to_a_program(), reason="this host gives cores to a program")
def test_a_crash_leaves_no_core(claimsd, faults):
    daemon = claimsd(faults.url("echo"), start=False)
    daemon.start(prefix=["env", "-C", str(daemon.root), "sh", "-c", 'ulimit -S -c "$(ulimit -H -c)"; exec "$@"', "sh"])
    daemon.signal(signal.SIGSEGV)
    assert daemon.process.wait(10) == -signal.SIGSEGV
    daemon.kill()
    assert [path.name for path in daemon.root.iterdir() if path.name.startswith("core")] == []
