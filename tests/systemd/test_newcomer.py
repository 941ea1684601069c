"""The five commands of README.md, read from it and run word for word on a fresh Debian with a real
systemd.

The test provides what a newcomer has besides: the packages made by `./dev package`, sudo, an Auth
API at the address in README.md with a trusted certificate, and a token in a file.
"""

import re
import sys

import pytest

from conftest import ROOT
from manual import block

sys.path.insert(1, str(ROOT / "tests"))

from servers import AuthApi  # noqa: E402
from tls_front import ADDRESS, TlsFront  # noqa: E402

README = (ROOT / "README.md").read_text()
OPERATIONS = (ROOT / "daemon" / "OPERATIONS.md").read_text()
NAME = "auth.example.com"
HOME = "root/claimsd"


def commands():
    return block(README, "newcomer").strip().splitlines()


@pytest.fixture
def auth_api(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "tls").mkdir()
    with AuthApi(tmp_path / "data") as api, TlsFront(tmp_path / "tls", NAME, api.port) as front:
        api.authority = front.authority
        yield api


@pytest.fixture
def newcomer(bare, packages, auth_api):
    """A machine as a newcomer finds it, in the directory of the packages."""
    for deb in packages.glob("*.deb"):
        if "dbgsym" not in deb.name:
            bare.path(f"{HOME}/build/package").mkdir(parents=True, exist_ok=True)
            bare.install_file(deb, f"{HOME}/build/package/{deb.name}")
    bare.write("usr/local/bin/sudo", '#!/bin/sh\nexec "$@"\n', 0o755)
    hosts = bare.path("etc/hosts").read_text() if bare.path("etc/hosts").exists() else ""
    bare.write("etc/hosts", f"{hosts}\n{ADDRESS} {NAME}\n")
    bare.write("usr/local/share/ca-certificates/authority.crt", auth_api.authority.read_text())
    bare.run("update-ca-certificates")
    bare.write(f"{HOME}/token", auth_api.login("tess"), 0o600)
    return bare


def test_the_five_commands_lead_from_nothing_to_an_answer(newcomer):
    listed = commands()
    assert len(listed) == 5
    said = []
    for command in listed:
        # apt asks for confirmation if it installs more than was named.
        done = newcomer.run("sh", "-c", f"cd /{HOME} && {command}", check=False, input="y\n", timeout=600)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        said.append(done.stdout)
    assert "FAILED" not in said[3] and re.search(rf"^ok +certificate +the certificate of https://{NAME}/api/me/ expires in 29 days$", said[3], re.MULTILINE), said[3]
    assert said[4].startswith("valid: ") and "tess@example.com" in said[4]

    # The screen in OPERATIONS.md has the names of the doctor's checks.
    (screen,) = re.findall(r"^\$ sudo claimsctl doctor.*?\n(.*?)^```$", OPERATIONS, re.DOTALL | re.MULTILINE)
    heading = re.compile(r"^(?:ok       |warning  |FAILED   |unchecked)  (.{18}) \S", re.MULTILINE)
    assert set(heading.findall(screen)) <= set(heading.findall(said[3]))

    # With a fault it says so, even without a daemon.
    newcomer.run("systemctl", "stop", "claimsd.socket", "claimsd-admin.socket", "claimsd")
    newcomer.run("chmod", "0666", "/etc/claimsd/claimsd.toml")
    ill = newcomer.run("claimsctl", "doctor", check=False)
    assert ill.returncode == 69
    assert re.search(r"^FAILED +daemon ", ill.stdout, re.MULTILINE) and "chmod go-w /etc/claimsd/claimsd.toml" in ill.stdout
