"""Fixtures of the tests of an installed claimsd: the packages, and machines on which they are
installed.

CLAIMSD_BUILD_DIR names the build. CLAIMSD_PACKAGES names a directory of packages to use instead of
building them, as made by `./dev package`.
"""

import os
import pathlib
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[1:1] = [str(HERE.parent / "system"), str(HERE.parent / "support")]

import fresh_root  # noqa: E402
import machine as machines  # noqa: E402
import skips  # noqa: E402
from servers import FaultServer  # noqa: E402

URL_LINE = '# url = "https://auth.example.com"'


@pytest.fixture(scope="session")
def build():
    return pathlib.Path(os.environ.get("CLAIMSD_BUILD_DIR", ROOT / "build" / "dev")).resolve()


@pytest.fixture(scope="session")
def packages(build, tmp_path_factory):
    """A directory with the .debs."""
    if "CLAIMSD_PACKAGES" in os.environ:
        return pathlib.Path(os.environ["CLAIMSD_PACKAGES"]).resolve()
    out = tmp_path_factory.mktemp("packages")
    done = subprocess.run([ROOT / "systemd" / "package.sh", out, build], capture_output=True, text=True)
    assert done.returncode == 0, (done.stdout + done.stderr)[-5000:]
    return out


@pytest.fixture(scope="session")
def faults(tmp_path_factory):
    with FaultServer(tmp_path_factory.mktemp("faults")) as server:
        yield server


@pytest.fixture(scope="session")
def fresh():
    if skips.not_root():
        pytest.skip("needs root")
    if why := machines.why_not() or fresh_root.why_not():
        pytest.fail(why)
    return fresh_root.make()


@pytest.fixture(scope="module")
def bare(fresh):
    """A machine without claimsd."""
    with machines.Machine(fresh) as one:
        yield one


@pytest.fixture(scope="module")
def machine(bare, packages, faults, build):
    """A machine with all packages installed and claimsd configured as an operator would; no service
    was started by hand."""
    install(bare, packages)
    set_url(bare, faults.url("echo"))
    for program in ("claimsd_worker", "claimsd_spinner"):
        bare.install_file(build / "tests" / "system" / program, f"usr/local/bin/{program}")
    bare.install_file(build / "tests" / "sandbox" / "claimsd_planted", "usr/local/bin/claimsd_planted")
    yield bare


def as_worker(machine):
    """A command prefix that runs as a user in claimsd-clients and no other group."""
    if machine.run("id", "worker", check=False).returncode != 0:
        machine.run("useradd", "--system", "--groups", "claimsd-clients", "worker")
    return ["setpriv", "--reuid=worker", "--regid=worker", "--init-groups"]


def install(machine, packages):
    debs = [deb for deb in sorted(packages.glob("*.deb")) if "dbgsym" not in deb.name]
    for deb in debs:
        machine.install_file(deb, f"tmp/{deb.name}")
    machine.run("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "--yes", "--no-install-recommends",
                *[f"/tmp/{deb.name}" for deb in debs], timeout=600)


def set_url(machine, url):
    """Writes the one line that an operator must write."""
    machine.run("sed", "-i", f's|^{URL_LINE}$|url = "{url}"|', "/etc/claimsd/claimsd.toml")
    assert url in machine.path("etc/claimsd/claimsd.toml").read_text()
