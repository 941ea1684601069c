"""A name with several addresses, of which only the last answers: packets to the others vanish. Real addresses, the C
library's resolver and the real daemon, in a network namespace of its own."""

import contextlib
import ctypes
import os
import subprocess
import time

import pytest

from servers import FaultServer


def libcurl_version():
    """The major number: curl_version(3) begins with "libcurl/7.88.1"."""
    version = ctypes.CDLL("libcurl.so.4").curl_version
    version.restype = ctypes.c_char_p
    return int(version().decode().partition("/")[2].partition(".")[0])


# Documentation addresses (RFC 5737, RFC 3849). The far end of their device drops every packet, because
# none is addressed to it.
SILENT = ["198.51.100.2", "198.51.100.3", "198.51.100.4"]
SILENT_IPV6 = ["2001:db8::2", "2001:db8::3"]
LIVE = "127.0.0.1"
# How many silent addresses of a family libcurl passes over within 2 s: it gives each half of the time that is left,
# from version 8 on only if that is more than 600 ms (README.md, "Supported platforms").
PASSED_OVER = 3 if libcurl_version() < 8 else 2
CONNECT_TIMEOUT = 2.0

SETUP = """
set -e
ip link set lo up
ip link add silent type veth peer name drain
ip link set silent arp off
ip link set drain up
ip address add 198.51.100.1/24 dev silent
ip address add 2001:db8::1/64 dev silent nodad
ip link set silent up
mount --bind "$1" /etc/hosts
mount --bind "$2" /etc/gai.conf
echo ready
exec sleep infinity
"""

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


class Network:
    """Namespaces in which auth.test has these addresses, tried in this order."""

    def __init__(self, directory, addresses):
        hosts, order = directory / "hosts", directory / "gai.conf"
        hosts.write_text("127.0.0.1 localhost\n" + "".join(f"{address} auth.test\n" for address in addresses))
        mapped = [address if ":" in address else f"::ffff:{address}" for address in addresses]
        order.write_text("".join(f"precedence {address}/128 {100 - number}\n" for number, address in enumerate(mapped)))
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "unshare", "--net", "--mount", "sh", "-c", SETUP, "sh", str(hosts), str(order)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if self.process.stdout.readline() != "ready\n":
            raise RuntimeError(self.process.communicate()[1])
        self.enter = ["nsenter", "--target", str(self.process.pid), "--net", "--mount"]

    def run(self, *command):
        return subprocess.run([*self.enter, *command], capture_output=True, text=True, timeout=30)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()


@pytest.mark.parametrize("silent", [SILENT[:1], SILENT[:PASSED_OVER], SILENT_IPV6[:1], [*SILENT_IPV6, *SILENT[:2]]],
                         ids=["one", "several", "ipv6", "ipv6-and-ipv4"])
def test_addresses_that_never_answer_are_passed_over_within_connect_timeout(claimsd, peer, scratch, silent):
    with contextlib.ExitStack() as stack:
        network = stack.enter_context(Network(scratch(), [*silent, LIVE]))
        assert network.run("getent", "ahosts", "auth.test").stdout.split()[0] == silent[0]
        server = stack.enter_context(FaultServer(scratch(), prefix=network.enter))
        daemon = claimsd({"url": f"https://auth.test:{server.ports['https']}/ok", "ca_file": str(server.tls / "ca.pem"),
                          "timeout": "4s", "connect_timeout": "2s"}, start=False)
        daemon.start(prefix=network.enter)
        asker = peer(daemon)
        began = time.monotonic()
        answer = asker.ask("a.token.b")
        assert (answer.verdict, answer.reason) == ("valid", "ok"), daemon.log()
        assert time.monotonic() - began < CONNECT_TIMEOUT
        daemon.stop()


def test_a_name_whose_addresses_never_answer_is_unavailable_after_connect_timeout(claimsd, peer, scratch):
    """The control: these addresses are silent, they do not refuse."""
    with Network(scratch(), SILENT[:1]) as network:
        daemon = claimsd({"url": "https://auth.test:1", "timeout": "4s", "connect_timeout": "1s"}, start=False)
        daemon.start(prefix=network.enter)
        began = time.monotonic()
        answer = peer(daemon).ask("a.token.b")
        assert (answer.verdict, answer.reason) == ("unavailable", "upstream_timeout")
        assert time.monotonic() - began >= 1
        daemon.stop()
