"""The installed packages under a real systemd: socket activation, restart, kill, stop, watchdog,
sandbox.

CLAIMSD_UNIT_RESTARTS: the number of restarts under load.
"""

import errno
import json
import os
import re
import socket
import time

import pytest

from conftest import ROOT, as_worker
from http_client import RawClient
from manual import commands
from peer import until
from servers import free_port
from spinners import Spinners
from tokens import jwt, user_of
from workers import Worker

HTTP = (ROOT / "daemon" / "front_door" / "HTTP.md").read_text()
OPERATIONS = (ROOT / "daemon" / "OPERATIONS.md").read_text()
RESTARTS = int(os.environ.get("CLAIMSD_UNIT_RESTARTS", "8"))
EXPOSURE = 1.5
SOCKET = "/run/claimsd/claims.sock"
TOKENS = [jwt(sub=f"user-{number}") for number in range(200)]
WAITS_1_S = {"CLAIMSD_TIMEOUT_MS": "1000"}
WATCHDOG = 10  # seconds: WatchdogSec= of the unit


@pytest.fixture(name="worker")
def worker_of_the_machine(machine):
    """An `ask` worker in the machine, of a user in claimsd-clients and no other group."""
    prefix = machine.command(*as_worker(machine), "env", *[f"{key}={value}" for key, value in WAITS_1_S.items()])
    made = []

    def make():
        made.append(Worker(None, SOCKET, "ask", prefix=prefix, binary="/usr/local/bin/claimsd_worker"))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def spin(machine, build, tmp_path):
    """Eight workers at full speed, with an optional timeout. They reach the machine's socket
    through /proc."""
    made = []

    def make(env=None):
        made.append(Spinners(build, tmp_path, machine.path(SOCKET), 8, lambda number: TOKENS[number::8], env).start())
        made[-1].until_each_goes_on("lookups", 1000)
        return made[-1]

    yield make
    for spinners in made:
        spinners.close()


def nothing_failed(spinners):
    rows = spinners.rows()
    assert [(row.invalid, row.unavailable, row.wrong) for row in rows] == [(0, 0, 0)] * len(rows)
    return sum(row.lookups for row in rows)


def pid_of(machine):
    return int(machine.show("claimsd", "MainPID"))


def questions(machine):
    """The number of queries to this daemon. Its map starts empty, so each token is queried once
    more."""
    return json.loads(machine.run("claimsctl", "status", "--json").stdout)["counters"]["queries"]


def running_again(machine, before):
    until(lambda: machine.show("claimsd", "SubState") == "running" and pid_of(machine) not in (0, before), "a new daemon")


@pytest.fixture
def running(machine):
    machine.run("systemctl", "start", "claimsd")
    return machine


def test_the_first_query_starts_the_daemon(machine, worker):
    assert machine.show("claimsd", "ActiveState") == "inactive"
    assert worker().ask(TOKENS[0]).id == user_of(TOKENS[0])
    assert machine.show("claimsd", "ActiveState") == "active"
    assert json.loads(machine.run("claimsctl", "status", "--json").stdout)["healthy"]


def test_a_user_outside_the_group_is_not_permitted(running):
    with Worker(None, SOCKET, "ask", prefix=running.command("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"),
                binary="/usr/local/bin/claimsd_worker") as stranger:
        assert stranger.ask(TOKENS[0]).reason == "not_permitted"


def test_systemctl_status_shows_the_state_of_the_daemon(running, worker):
    assert worker().ask(TOKENS[0]).verdict == "valid"
    until(lambda: re.match(r"Healthy: \d+ lookups, [\d.]+ % from a cache; ", running.show("claimsd", "StatusText")),
          "a status of a daemon that has answered")


def test_its_own_filter_is_on_in_the_unit_as_well(running):
    """The unit installs filters, and the daemon adds one."""
    assert "Seccomp:\t2\n" in running.path(f"proc/{pid_of(running)}/status").read_text()
    assert "syscall_filter_off" not in running.journal("claimsd")


def test_restarts_under_load_fail_no_lookup(running, spin):
    spinning = spin()
    began = time.monotonic()
    for _ in range(RESTARTS):
        running.run("systemctl", "restart", "claimsd")
        # The library retries once when a daemon goes, not twice, so this daemon must answer each
        # worker before the next restart.
        until(lambda: questions(running) >= len(TOKENS), "a new daemon that has answered each worker")
    took = time.monotonic() - began
    spinning.until_each_goes_on("lookups", 1000)
    print(f"{RESTARTS} restarts in {took:.1f} s, {nothing_failed(spinning)} lookups of 8 workers, none failed")


def test_after_a_kill_it_is_back_before_a_lookup_fails(running, spin):
    spinning = spin(WAITS_1_S)
    for _ in range(3):
        before = pid_of(running)
        running.run("systemctl", "kill", "--kill-whom=main", "--signal=KILL", "claimsd")
        running_again(running, before)
        spinning.until_each_goes_on("socket", 10)
    nothing_failed(spinning)


def test_a_stop_loses_no_answer(running, worker, faults):
    faults.reset()
    running.run("sed", "-i", f's|^url = .*|url = "{faults.url("gate")}"|', "/etc/claimsd/claimsd.toml")
    running.run("systemctl", "restart", "claimsd")
    asker = worker()
    asker.say("in-flight")
    try:
        faults.wait("gate", in_flight=1)
        running.run("systemctl", "stop", "--no-block", "claimsd")
        until(lambda: running.show("claimsd", "StatusText").startswith("Stopping: 1 queries"), "the daemon is stopping and waits")
        faults.open("gate")
        assert asker.read_answer().verdict == "valid"
        until(lambda: running.show("claimsd", "Result") == "success" and pid_of(running) == 0, "a clean stop")
    finally:
        running.run("sed", "-i", f's|^url = .*|url = "{faults.url("echo")}"|', "/etc/claimsd/claimsd.toml")
        running.run("systemctl", "restart", "claimsd")


def test_systemctl_reload_applies_the_new_configuration(running, worker):
    """Through ExecReload=, within the unit's sandbox: it runs claimsctl reload."""
    before = pid_of(running)
    set_options = ("claimsctl", "config", "--set")
    try:
        running.run("sed", "-i", '1i log = {level = "debug"}', "/etc/claimsd/claimsd.toml")
        running.run("systemctl", "reload", "claimsd")
        assert pid_of(running) == before
        assert re.search(r'^log.level +"debug"', running.run(*set_options).stdout, re.MULTILINE)

        # One error, and nothing of the file takes effect; systemctl reports the failure.
        running.run("sed", "-i", '1s/.*/log = {level = "error", nonsense = 1}/', "/etc/claimsd/claimsd.toml")
        assert running.run("systemctl", "reload", "claimsd", check=False).returncode != 0
        assert pid_of(running) == before
        assert re.search(r'^log.level +"debug"', running.run(*set_options).stdout, re.MULTILINE)
        assert worker().ask(TOKENS[0]).verdict == "valid"
    finally:
        running.run("sed", "-i", "/^log = /d", "/etc/claimsd/claimsd.toml")
        running.run("systemctl", "reload", "claimsd")


def test_a_bad_configuration_is_not_retried_in_a_loop(running):
    running.run("sh", "-c", "echo 'nonsense = 1' >> /etc/claimsd/claimsd.toml")
    try:
        assert running.run("systemctl", "restart", "claimsd", check=False).returncode != 0
        assert running.show("claimsd", "ExecMainStatus") == "78"
        assert running.show("claimsd", "ActiveState") == "failed"
        assert "nonsense" in running.journal("claimsd")
    finally:
        running.run("sed", "-i", "/^nonsense/d", "/etc/claimsd/claimsd.toml")
        running.run("systemctl", "restart", "claimsd")


def test_a_hung_daemon_is_restarted_by_the_watchdog(running):
    before = pid_of(running)
    running.run("systemctl", "kill", "--kill-whom=main", "--signal=STOP", "claimsd")
    began = time.monotonic()
    running_again(running, before)
    assert time.monotonic() - began < WATCHDOG + 5
    assert "watchdog" in running.journal("claimsd").lower()


def test_its_exposure_level_is_low(running):
    said = running.run("systemd-analyze", "security", "--no-pager", "claimsd.service").stdout
    exposure = float(re.search(r"Overall exposure level for claimsd.service: ([\d.]+)", said)[1])
    assert exposure <= EXPOSURE, said
    print(f"exposure {exposure}")


def test_the_unit_allows_the_lower_priority_of_the_audit_thread(running):
    policies = f"for task in /proc/{pid_of(running)}/task/*; do chrt -p ${{task##*/}}; done"
    until(lambda: "SCHED_BATCH" in running.run("sh", "-c", policies).stdout, "one thread has a lower priority")


PLANTED = ["execve", "ptrace", "netlink", "packet", "inet"]


def plant(machine, *settings):
    """The results of the injected calls in the unit with these settings changed: {call: 0 or
    errno}."""
    lines = "\n".join(["[Service]", "Type=oneshot", "Restart=no", "ExecStart=", "ExecStart=/usr/local/bin/claimsd_planted " + " ".join(PLANTED),
                       "ExecPaths=/usr/local/bin/claimsd_planted", "StandardOutput=file:/run/claimsd/planted", *settings])
    machine.run("systemctl", "stop", "claimsd")
    machine.write("run/systemd/system/claimsd.service.d/planted.conf", lines + "\n")
    machine.run("systemctl", "daemon-reload")
    try:
        machine.run("systemctl", "start", "claimsd")
        said = machine.path("run/claimsd/planted").read_text()
        return {call: int(error) for call, error in (line.split() for line in said.splitlines())}
    finally:
        machine.path("run/systemd/system/claimsd.service.d/planted.conf").unlink()
        machine.run("rm", "-f", "/run/claimsd/planted")
        machine.run("systemctl", "daemon-reload")
        machine.run("systemctl", "start", "claimsd")


def test_the_unit_stops_planted_calls(running):
    assert plant(running) == {"execve": errno.EACCES, "ptrace": errno.EPERM, "netlink": errno.EAFNOSUPPORT, "packet": errno.EAFNOSUPPORT,
                              "inet": 0}


@pytest.mark.parametrize("without, works", [
    (["NoExecPaths=", "ExecPaths="], "execve"), (["SystemCallFilter="], "ptrace"), (["RestrictAddressFamilies="], "netlink")])
def test_without_its_setting_each_planted_call_works(running, without, works):
    assert plant(running, *without)[works] == 0


def test_it_works_without_socket_activation(running, worker):
    units = ["claimsd.socket", "claimsd-admin.socket"]
    try:
        running.run("sh", "-ec", commands(OPERATIONS, "own sockets"))
        assert running.run("stat", "-c", "%U:%G %a", SOCKET).stdout == "claimsd:claimsd-clients 660\n"
        assert running.run("stat", "-c", "%U:%G %a", "/run/claimsd-admin/admin.sock").stdout == "claimsd:claimsd-admin 660\n"
        assert running.run("stat", "-c", "%U:%G %a", "/run/claimsd", "/run/claimsd-cache").stdout == "claimsd:claimsd 755\nclaimsd:claimsd 700\n"
        assert worker().ask(TOKENS[0]).verdict == "valid"
        # The override is in effect after a boot as well.
        running.run("systemctl", "stop", "claimsd")
        running.run("rm", "-rf", "/run/claimsd", "/run/claimsd-admin")
        running.run("systemd-tmpfiles", "--create")
        running.run("systemctl", "start", "claimsd")
        assert worker().ask(TOKENS[0]).verdict == "valid"
    finally:
        running.run("systemctl", "stop", "claimsd")
        running.run("rm", "-f", "/etc/tmpfiles.d/claimsd.conf")
        running.run("systemd-tmpfiles", "--create", "claimsd.conf")
        running.run("systemctl", "unmask", *units)
        running.run("systemctl", "start", *units, "claimsd")


def http_socket():
    """The commands of HTTP.md that open the HTTP socket."""
    return commands(HTTP, "http socket")


def http_status(address, token, host="claimsd"):
    with socket.socket(socket.AF_INET if isinstance(address, tuple) else socket.AF_UNIX) as connected:
        connected.settimeout(30)
        connected.connect(address)
        client = RawClient(connected)
        client.send(f"GET /v1/auth/authenticated HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
        return client.response().status


def test_the_http_socket_is_off_until_it_is_enabled(running):
    path = running.path("/run/claimsd/http.sock")
    unit = "claimsd-http.socket"
    assert (running.show(unit, "UnitFileState"), running.show(unit, "ActiveState")) == ("disabled", "inactive")
    running.run("systemctl", "restart", "claimsd")
    assert not path.exists()
    drop_in = f"run/systemd/system/{unit}.d/port.conf"
    port = free_port()  # the machine has this host's network
    try:
        running.run("sh", "-ec", http_socket())
        assert running.run("stat", "-c", "%U:%G %a", "/run/claimsd/http.sock").stdout == "claimsd:claimsd-clients 660\n"
        assert http_status(str(path), TOKENS[0]) == 200
        # It stays open while the daemon restarts.
        held = running.run("stat", "-c", "%i", "/run/claimsd/http.sock").stdout
        running.run("systemctl", "restart", "claimsd")
        assert running.run("stat", "-c", "%i", "/run/claimsd/http.sock").stdout == held
        assert http_status(str(path), TOKENS[0]) == 200
        running.write(drop_in, f"[Socket]\nListenStream=127.0.0.1:{port}\n")
        running.run("systemctl", "daemon-reload")
        running.run("systemctl", "stop", unit)
        running.run("sh", "-ec", http_socket())
        assert (http_status(str(path), TOKENS[0]), http_status(("127.0.0.1", port), TOKENS[0], "127.0.0.1"), http_status(("127.0.0.1", port), TOKENS[0], "a.example")) == (200, 200, 403)
    finally:
        running.path(drop_in).unlink(missing_ok=True)
        running.run("systemctl", "daemon-reload")
        running.run("systemctl", "stop", "claimsd")
        running.run("systemctl", "disable", "--now", unit)
        running.run("systemctl", "start", "claimsd")
    assert not path.exists()


def test_a_daemon_that_crashes_at_each_start_backs_off(running, worker):
    """Also with systemd 252, which has no growing RestartSec=."""
    drop_in = "run/systemd/system/claimsd.service.d/crash.conf"
    running.run("systemctl", "stop", "claimsd")
    running.write(drop_in, "[Service]\nSystemCallFilter=~epoll_create1\nSystemCallErrorNumber=\n")  # the kernel kills it
    running.run("systemctl", "daemon-reload")
    try:
        running.run("systemctl", "start", "--no-block", "claimsd")
        until(lambda: int(running.show("claimsd", "NRestarts")) >= 3, "three crashes")
        assert "SYS" in running.journal("claimsd")
        began, restarts = time.monotonic(), int(running.show("claimsd", "NRestarts"))
        asking = worker()
        for _ in range(5):
            before = time.monotonic()
            assert asking.ask(TOKENS[0]).reason in ("no_daemon", "disconnected")
            assert time.monotonic() - before < 0.9  # the worker waits for 1 s
            time.sleep(2)
        assert int(running.show("claimsd", "NRestarts")) - restarts <= (time.monotonic() - began) / 5 + 1
    finally:
        running.path(drop_in).unlink()
        running.run("systemctl", "daemon-reload")
    until(lambda: running.show("claimsd", "SubState") == "running", "the daemon has started")


def test_a_daemon_that_cannot_start_answers_at_once_and_is_retried(running, worker):
    """systemd holds the socket meanwhile. Once the cause is gone, the service recovers by itself."""
    running.run("systemctl", "stop", "claimsd")
    running.run("chmod", "0755", "/var/lib/claimsd/revocations")
    try:
        running.run("systemctl", "start", "--no-block", "claimsd")
        until(lambda: "cannot start" in running.show("claimsd", "StatusText"), "the daemon says why it cannot start")
        restarts = int(running.show("claimsd", "NRestarts"))
        began = time.monotonic()
        asking = worker()
        for _ in range(5):
            before = time.monotonic()
            assert asking.ask(TOKENS[0]).reason in ("no_daemon", "disconnected")
            assert time.monotonic() - before < 0.9  # the worker waits for 1 s
            time.sleep(2)
        assert int(running.show("claimsd", "NRestarts")) - restarts <= (time.monotonic() - began) / 5 + 1
        assert "/var/lib/claimsd/revocations" in running.journal("claimsd")
        assert "chmod 0700" in running.run("claimsctl", "status", check=False).stderr
    finally:
        running.run("chmod", "0700", "/var/lib/claimsd/revocations")
    until(lambda: running.show("claimsd", "SubState") == "running", "the daemon has started")
    assert worker().ask(TOKENS[0]).verdict == "valid"


def test_the_host_key_may_be_a_credential(running):
    running.run("sh", "-c", "mkdir -p /etc/credstore; head -c32 /dev/urandom > /etc/credstore/claimsd.host-key")
    running.run("sh", "-c", "printf '\\n[cache]\\nkey_file = \"/run/credentials/claimsd.service/claimsd.host-key\"\\n' >> /etc/claimsd/claimsd.toml")
    try:
        running.run("systemctl", "restart", "claimsd")
        assert running.show("claimsd", "ActiveState") == "active"
    finally:
        running.run("sed", "-i", "/^.cache.$/,$d", "/etc/claimsd/claimsd.toml")
        running.run("systemctl", "restart", "claimsd")
