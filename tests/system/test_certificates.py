"""Certificate files that change are reloaded by a running daemon; broken ones are not.

Every wait is for a state that the daemon reports. Meanwhile a worker keeps querying, and no query
may fail.
"""

import json
import os
import shutil
import threading
import time

import pytest

PATIENCE = 30
OLD, NEW = "", "next"


class Certificates:
    """The files of an upstream that requires a client certificate, and those of its server."""

    def __init__(self, faults, directory):
        self.faults = faults
        self.directory = directory
        for name in ("ca.pem", "client.pem", "client.key"):
            shutil.copy(self.of(OLD, name), directory / name)
        self.serve(OLD, OLD)

    def of(self, authority, name):
        return self.faults.tls / authority / name

    def serve(self, server, *clients):
        self.faults.control("POST", f"/_rotate?server={server}&clients={','.join(clients)}")

    def upstream(self, mode):
        path = lambda name: str(self.directory / name)  # noqa: E731
        return {"url": self.faults.url(mode, "https_rotating"), "ca_file": path("ca.pem"),
                "client_certificate": path("client.pem"), "client_key": path("client.key"),
                "timeout": "30s", "connect_timeout": "10s"}  # so that a slow machine fails no query

    def write(self, name, text):
        """Writes the file in place, as `cat >` does."""
        (self.directory / name).write_text(text)

    def rename_over(self, name, text):
        other = self.directory / f".{name}.new"
        other.write_text(text)
        os.rename(other, self.directory / name)


@pytest.fixture
def certificates(faults, scratch):
    made = Certificates(faults, scratch())
    yield made
    made.serve(OLD, OLD)


def metric(daemon, name):
    text = daemon.admin("/metrics")[1].decode()
    return float(next(line.split()[-1] for line in text.splitlines() if line.startswith(name + "{")))


def wait_metric(daemon, name, value):
    end = time.monotonic() + PATIENCE
    while metric(daemon, name) != value:
        assert time.monotonic() < end, daemon.log()
        time.sleep(0.05)


def taken(daemon, times):
    wait_metric(daemon, "claimsd_upstream_certificates_taken_total", times)


class Asking:
    """Queries new tokens in a loop until stopped; `bad` collects failed answers."""

    def __init__(self, connection):
        self._connection = connection
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.asked, self.bad = 0, []

    def _run(self):
        while not self._stop.is_set():
            answer = self._connection.ask(f"token-{self.asked}")
            self.asked += 1
            if answer.verdict != "valid":
                self.bad.append(answer)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join(PATIENCE)


def test_authorities_and_client_certificate_are_rotated_without_a_failed_query(claimsd, peer, certificates):
    daemon = claimsd(certificates.upstream("echo"), limits={"misses_per_uid": 1000000, "miss_burst_per_uid": 1000000})
    read = lambda authority, name: certificates.of(authority, name).read_text()  # noqa: E731
    ended = metric(daemon, "claimsd_upstream_client_certificate_end_seconds")
    with Asking(peer(daemon)) as asking:
        # The safe order: trust both, change sides, trust only the new one.
        certificates.rename_over("ca.pem", read(OLD, "ca.pem") + read(NEW, "ca.pem"))
        taken(daemon, 1)
        certificates.serve(NEW, OLD, NEW)
        certificates.write("client.pem", read(NEW, "client.pem"))
        certificates.write("client.key", read(NEW, "client.key"))
        taken(daemon, 2)
        certificates.serve(NEW, NEW)
        certificates.write("ca.pem", read(NEW, "ca.pem"))
        taken(daemon, 3)
        before = asking.asked
        end = time.monotonic() + PATIENCE
        while asking.asked < before + 20 and time.monotonic() < end:
            time.sleep(0.01)
    assert asking.asked >= before + 20
    assert asking.bad == []
    assert metric(daemon, "claimsd_upstream_certificates_refused_total") == 0
    assert metric(daemon, "claimsd_upstream_client_certificate_end_seconds") >= ended
    assert daemon.log().count("certificates_taken") == 3
    found = json.loads(daemon.admin("/v1/audit?event=configured")[1])
    assert json.dumps(found).count("certificate files reloaded") == 3


def test_a_broken_certificate_file_changes_nothing_until_it_is_fixed(claimsd, peer, certificates):
    daemon = claimsd(certificates.upstream("echo"))
    assert peer(daemon).ask("token-1").verdict == "valid"
    whole = certificates.of(NEW, "ca.pem").read_text()
    certificates.write("ca.pem", whole[:200])
    wait_metric(daemon, "claimsd_upstream_certificates_outdated", 1)
    assert peer(daemon).ask("token-2").verdict == "valid"
    status = json.loads(daemon.admin("/v1/status")[1])
    assert [finding["code"] for finding in status["findings"]] == ["certificates_refused"]
    assert "upstream.main.ca_file" in status["findings"][0]["message"]
    assert daemon.log().count("certificates_refused") == 1
    # Fixed, after the server has changed to the new authority.
    certificates.serve(NEW, OLD)
    certificates.write("ca.pem", whole)
    taken(daemon, 1)
    assert metric(daemon, "claimsd_upstream_certificates_outdated") == 0
    assert peer(daemon).ask("token-3").verdict == "valid"
    assert json.loads(daemon.admin("/v1/status")[1])["well"]


def test_a_removed_authority_is_not_trusted_even_over_an_old_connection(claimsd, peer, certificates):
    daemon = claimsd(certificates.upstream("echo"))
    assert peer(daemon).ask("token-1").verdict == "valid"
    certificates.rename_over("ca.pem", certificates.of(NEW, "ca.pem").read_text())
    taken(daemon, 1)
    answer = peer(daemon).ask("token-2")
    assert (answer.verdict, answer.reason) == ("unavailable", "upstream_tls")


def test_a_broken_certificate_file_prevents_the_start(claimsd, certificates):
    certificates.write("client.key", certificates.of(NEW, "client.key").read_text())
    with pytest.raises(Exception, match="upstream.main.client_key: it is not the key"):
        claimsd(certificates.upstream("echo"))
