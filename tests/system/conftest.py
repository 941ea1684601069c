"""Fixtures of the system tests. CLAIMSD_BUILD_DIR names the build (set by ctest; default:
build/dev)."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(1, str(HERE.parent / "support"))

from daemon import Claimsd  # noqa: E402
from fleets import ACL, SERVERS, Fleet, Keys  # noqa: E402
from front_door_client import GATES, Client  # noqa: E402
from peer import Peer  # noqa: E402
from servers import AuthApi, FaultServer  # noqa: E402
from workers import Worker  # noqa: E402


@pytest.fixture(scope="session")
def build():
    directory = pathlib.Path(os.environ.get("CLAIMSD_BUILD_DIR", HERE.parents[1] / "build" / "dev")).resolve()
    if not (directory / "daemon" / "claimsd").exists():
        pytest.fail(f"no daemon in {directory}: build it, or set CLAIMSD_BUILD_DIR")
    return directory


@pytest.fixture(scope="session")
def scratch():
    """Makes directories that any user may enter, with short paths because of the 107-byte limit of
    sockets."""
    made = []

    def make():
        made.append(pathlib.Path(tempfile.mkdtemp(prefix="claimsd-")))
        made[-1].chmod(0o755)
        return made[-1]

    yield make
    for directory in made:
        shutil.rmtree(directory)


@pytest.fixture
def claimsd(build, scratch):
    """Makes daemons: claimsd(upstream, table={...}); started unless start=False. All are stopped at
    the end."""
    made = []

    def make(upstream=None, start=True, **options):
        made.append(Claimsd(build, scratch(), upstream, **options))
        return made[-1].start() if start else made[-1]

    yield make
    for daemon in made:
        if daemon.process is not None:
            daemon.stop()


@pytest.fixture
def audit_in_memory():
    """The table [audit] of a daemon whose log is not on a disk: each rejection waits for its record, and a busy disk
    takes long. Not for tests of the log."""
    with tempfile.TemporaryDirectory(prefix="claimsd-", dir="/dev/shm") as directory:
        yield {"directory": directory + "/audit"}


@pytest.fixture
def peer():
    """Makes connections, which are closed at the end."""
    made = []

    def make(daemon, upstream="", hello=True):
        made.append(Peer(daemon.socket, upstream, hello))
        return made[-1]

    yield make
    for connection in made:
        connection.close()


@pytest.fixture
def worker(build):
    """Makes worker processes, which are ended at the end."""
    made = []

    def make(daemon, *mode, **options):
        made.append(Worker(build, daemon.socket, *mode, **options))
        return made[-1]

    yield make
    for process in made:
        process.close()


@pytest.fixture(scope="session")
def fault_server(scratch):
    with FaultServer(scratch()) as server:
        yield server


@pytest.fixture
def faults(fault_server):
    """The fault server, reset before each test."""
    fault_server.reset()
    return fault_server


@pytest.fixture(scope="session")
def auth_api(scratch):
    with AuthApi(scratch()) as api:
        yield api


@pytest.fixture
def front_door(claimsd):
    """Makes a daemon with an HTTP socket and a client of it."""

    def make(upstream, **options):
        daemon = claimsd(upstream, start=False, **{**GATES, **options}).serve_http().start()
        return daemon, Client(daemon.http_socket)

    return make


@pytest.fixture(scope="session")
def fleet_keys(scratch):
    return Keys(scratch())


@pytest.fixture(scope="module", params=SERVERS)
def fleet(request, build, scratch, fault_server, fleet_keys):
    """Makes fleets with their own Redis or Valkey: fleet(number of hosts), all of them current.
    Stopped at the end of the module."""
    made = []

    def make(hosts=3, acl=ACL):
        made.append(Fleet(build, scratch, fault_server.url("echo"), fleet_keys, acl, request.param))
        for _ in range(hosts):
            made[-1].add()
        if acl == ACL:
            made[-1].wait_current()
        return made[-1]

    yield make
    for one in made:
        one.stop()


@pytest.fixture
def claimsctl(build):
    """Runs claimsctl against a daemon, with the token on its standard input."""
    def run(daemon, *arguments, token=None, **options):
        command = [str(build / "client" / "claimsctl" / "claimsctl"), "--socket", str(daemon.socket),
                   "--admin-socket", str(daemon.admin_socket), *map(str, arguments)]
        return subprocess.run(command, input=token or "", capture_output=True, text=True, timeout=90, **options)

    return run
