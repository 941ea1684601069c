"""Injects each fault of drill.py into an installed claimsd, reads what an operator would read, checks
that the alert fires in a real Prometheus, and cures the fault by the command that was suggested.

The windows and delays of the alert rules are shortened to seconds.
"""

import json
import re
import shutil
import socket
import socketserver
import subprocess
import threading
import urllib.parse
import urllib.request

import pytest

import drill
from conftest import ROOT, as_worker, install
from daemon import toml
from peer import Peer, until
from servers import free_port
from tokens import jwt

# Instead of the host's clock.
CLOCK = """#include <stdlib.h>
#include <sys/timex.h>
int adjtimex(struct timex *state) {
  const int synchronized = getenv("SYNCHRONIZED") != NULL;
  state->status = synchronized ? 0 : STA_UNSYNC;
  return synchronized ? TIME_OK : TIME_ERROR;
}
"""
DROP_IN = "run/systemd/system/claimsd.service.d/drill.conf"
MONITORING = ROOT / "daemon" / "admin" / "monitoring"
WINDOW = "20s"


class Valve:
    """A TCP port that leads to the Auth API while it is open, and refuses connections otherwise."""

    def __init__(self, to):
        self.to, self.port, self.server, self.clients = to, free_port(), None, []
        self.open()

    def open(self):
        valve = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                valve.clients.append(self.request)
                with socket.create_connection(("127.0.0.1", valve.to)) as server:
                    back = threading.Thread(target=self.pump, args=(server, self.request), daemon=True)
                    back.start()
                    self.pump(self.request, server)

            @staticmethod
            def pump(source, target):
                try:
                    while data := source.recv(65536):
                        target.sendall(data)
                    target.shutdown(socket.SHUT_WR)
                except OSError:
                    pass

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True

        self.server = Server(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None
        for client in self.clients:  # connections that the daemon keeps open
            try:
                client.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.clients = []


class Drill:
    """The machine, and what drill.py does with it."""

    def __init__(self, machine, faults, valve, directory):
        self.machine, self.faults, self.valve, self.directory = machine, faults, valve, directory
        self.environment, self.small = [], []
        self.metrics_port = free_port()
        self.asked, self.held, self.said = 0, [], ""
        self.taken = socket.create_server(("127.0.0.1", 0))
        self.taken_port = self.taken.getsockname()[1]

    def write_config(self, extra="", **tables):
        all_tables = {
            "daemon": {"metrics_listen": f"127.0.0.1:{self.metrics_port}"},
            "audit": {"level": "verifications"},
            # On a busy machine the Auth API of the test may be slow.
            "upstream.main": {"url": f"http://127.0.0.1:{self.valve.port}/echo", "timeout": "20s", "connect_timeout": "10s"},
        }
        for name, options in tables.items():
            all_tables["upstream.main" if name == "upstream" else name].update(options)
        wanted = {name: {key: value for key, value in options.items() if value is not None} for name, options in all_tables.items()}
        self.machine.write(drill.CONFIG, toml(wanted) + extra, 0o640)
        self.machine.run("chown", "root:claimsd", drill.CONFIG)

    def configure(self, **tables):
        self.write_config(**tables)
        self.machine.run("systemctl", "restart", "claimsd")

    def fail_to_start(self):
        """Restarts it, and waits until it says why it cannot start."""
        self.machine.run("systemctl", "restart", "--no-block", "claimsd")
        self.wait(lambda: "cannot start" in self.lines("status"), "the daemon says why it cannot start")

    def ask(self, count):
        """The reasons of the answers for new tokens; none if the daemon says that it cannot start."""
        with Peer(self.machine.path("run/claimsd/claims.sock"), hello=False) as peer:
            try:
                peer.say_hello()
                greeting = peer.receive()
            except BrokenPipeError:  # it said so before it read
                greeting = None
            if greeting is None or greeting[0] != "Welcome":
                return []
            tokens = [jwt(sub=f"drill-{self.asked + number}") for number in range(count)]
            self.asked += count
            return [answer.reason for answer in peer.ask_all(tokens)]

    def record(self, count):
        """The reasons for known tokens. With audit.level = "every" each leaves a record."""
        known = [jwt(sub=f"known-{number}") for number in range(50)]
        with Peer(self.machine.path("run/claimsd/claims.sock")) as peer:
            for token in known:  # one by one, which any machine can do in time
                peer.ask(token)
            return [answer.reason for answer in peer.ask_all(known * (count // len(known)))]

    def small_disk(self, directory):
        """An empty one, which can be filled, until heal()."""
        self.machine.run("systemctl", "stop", "claimsd")
        self.machine.run("mount", "-t", "tmpfs", "-o", "size=16m,mode=0700", "tmpfs", directory)
        self.small.append(directory)
        self.machine.run("chown", "claimsd:claimsd", directory)
        self.machine.run("systemctl", "start", "claimsd")
        self.wait(self.is_scraped, "Prometheus has a sample of this daemon")

    def fill(self, directory):
        self.machine.run("sh", "-c", f"cat /dev/zero > {directory}/ballast", check=False)

    def drop_in(self, text):
        self.machine.write(DROP_IN, text)
        self.machine.run("systemctl", "daemon-reload")

    def no_drop_in(self):
        self.machine.path(DROP_IN).unlink(missing_ok=True)
        self.machine.run("systemctl", "daemon-reload")

    def unsynchronize(self):
        """For claimsctl only: the clock is the host's."""
        source, library = self.directory / "clock.c", self.directory / "clock.so"
        source.write_text(CLOCK)
        subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
        self.machine.install_file(library, "usr/local/lib/clock.so")
        self.environment = ["LD_PRELOAD=/usr/local/lib/clock.so"]

    def synchronize(self):
        self.environment.append("SYNCHRONIZED=1")

    def hold_connections(self, count):
        for _ in range(count):
            one = socket.socket(socket.AF_UNIX)
            one.connect(str(self.machine.path("run/claimsd/claims.sock")))
            self.held.append(one)

    def findings(self):
        return json.loads(self.machine.run("claimsctl", "status", "--json", check=False).stdout or "{}").get("findings", [])

    def finds(self, code):
        return code in [finding["code"] for finding in self.findings()]

    def is_scraped(self):
        (started,) = re.findall(r"^process_start_time_seconds (\S+)$", self.machine.run("claimsctl", "metrics").stdout, re.MULTILINE)
        return [float(row["value"][1]) for row in self.prometheus.query("process_start_time_seconds")] == [float(started)]

    def lines(self, tool):
        """The first five lines of claimsctl status or doctor."""
        said = self.machine.run("env", *self.environment, "claimsctl", tool, check=False)
        self.said = said.stdout + said.stderr
        return "\n".join(self.said.splitlines()[:5])

    def suggested(self, begin):
        """The command that the last output suggests and that begins so."""
        found = re.search(rf"(?:fix: |then: |^ +)({re.escape(begin)}.*?)(?: \(|; |, then|$)", self.said, re.MULTILINE)
        assert found, f"no {begin} in: {self.said}"
        return found[1]

    wait = staticmethod(until)

    def heal(self):
        """As before the fault, whatever became of it."""
        for one in self.held:
            one.close()
        self.held, self.environment = [], []
        self.no_drop_in()
        self.valve.close()
        self.valve.open()
        self.machine.run("systemctl", "stop", "claimsd")
        while self.small:
            self.machine.run("umount", self.small.pop())
        self.write_config()
        self.machine.run("systemctl", "reset-failed", "claimsd", check=False)
        self.machine.run("sh", "-c", drill.RESTART_ALL)
        self.wait(lambda: self.machine.run("claimsctl", "status", check=False).returncode == 0, "the daemon is healthy again")
        self.wait(self.is_scraped, "Prometheus has a sample of this daemon, so that it sees what grows")


class Prometheus:
    """A real one that scrapes the machine, with the rules' windows and delays shortened."""

    def __init__(self, directory, target):
        self.port = free_port()
        rules = (MONITORING / "claimsd-rules.yml").read_text()
        rules = re.sub(r"for: \d+m", "for: 1s", re.sub(r"\[\d+[mh]\]", f"[{WINDOW}]", rules))
        (directory / "claimsd-rules.yml").write_text(rules)
        text = (MONITORING / "prometheus.yml").read_text().replace("127.0.0.1:9464", f"127.0.0.1:{target}")
        (directory / "prometheus.yml").write_text(text.replace("scrape_interval: 15s", "scrape_interval: 1s\n  scrape_timeout: 1s\n  evaluation_interval: 1s"))
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "prometheus", f"--config.file={directory}/prometheus.yml", f"--storage.tsdb.path={directory}/data",
             f"--web.listen-address=127.0.0.1:{self.port}", "--log.level=error"], stdin=subprocess.DEVNULL)

    def query(self, expression):
        url = f"http://127.0.0.1:{self.port}/api/v1/query?" + urllib.parse.urlencode({"query": expression})
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return json.load(answer)["data"]["result"]
        except OSError:
            return []

    def firing(self):
        return {row["metric"]["alertname"] for row in self.query('ALERTS{alertstate="firing"}')}

    def close(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture(scope="module")
def drilled(bare, packages, faults, tmp_path_factory):
    if shutil.which("prometheus") is None:
        pytest.fail("needs the package prometheus")
    install(bare, packages)
    as_worker(bare)  # otherwise the doctor warns that no user may query
    valve = Valve(faults.ports["http"])
    made = Drill(bare, faults, valve, tmp_path_factory.mktemp("drill"))
    made.configure()
    prometheus = Prometheus(tmp_path_factory.mktemp("prometheus"), made.metrics_port)
    made.prometheus = prometheus
    yield made
    prometheus.close()
    valve.close()
    made.taken.close()


def test_a_healthy_daemon_is_healthy_and_no_alert_fires(drilled):
    assert drilled.ask(2) == ["ok"] * 2
    assert drilled.lines("status").startswith("claimsd is healthy")
    until(lambda: drilled.is_scraped() and not drilled.prometheus.firing(), "no alert fires")


def test_the_suggested_restart_works_as_often_as_it_is_needed(drilled):
    for _ in range(8):  # systemd's own limit is five starts in ten seconds
        drilled.machine.run("sh", "-c", drill.RESTART_ALL)
    assert drilled.ask(1) == ["ok"]


@pytest.mark.parametrize("fault", drill.FAULTS, ids=[fault.name.replace(" ", "-") for fault in drill.FAULTS])
def test_each_fault_is_named_alerted_and_cured(drilled, fault):
    if fault.alert:
        until(lambda: fault.alert not in drilled.prometheus.firing(), f"{fault.alert} of an earlier fault ends", 60)
    try:
        fault.inject(drilled)
        until(lambda: re.search(fault.says, drilled.lines(fault.tool), re.DOTALL), f"{fault.tool} says: {fault.says}")
        if fault.alert:
            until(lambda: fault.alert in drilled.prometheus.firing(), f"{fault.alert} fires")
        fault.cure(drilled)
        until(lambda: drilled.ask(1) == ["ok"] and not re.search(fault.says, drilled.lines(fault.tool), re.DOTALL),
              f"queries are answered again, and {fault.tool} no longer names the fault")
    except AssertionError:
        print(drilled.said, drilled.prometheus.firing(), drilled.machine.journal("claimsd")[-5000:], sep="\n\n")
        raise
    finally:
        drilled.heal()


def test_the_table_in_the_manual_is_the_drill():
    text = drill.OPERATIONS.read_text()
    assert drill.with_table(text) == text, "run tests/systemd/drill.py --write"
