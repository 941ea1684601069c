"""The Debian packages: their contents, and that they install, upgrade and purge without a trace on
a fresh Debian."""

import subprocess

import pytest

from conftest import install, set_url

DATA = "/var/lib/claimsd"
OURS = ["claimsd", "libclaimsd1", "libclaimsd-dev", "python3-auth-integration"]


def dpkg_state(machine, package):
    done = machine.run("dpkg-query", "-W", "-f=${db:Status-Status}", package, check=False)
    return done.stdout if done.returncode == 0 else "gone"


def test_lintian_finds_no_error(packages):
    (changes,) = packages.glob("*.changes")
    done = subprocess.run(["lintian", "--fail-on", "error", "--allow-root", changes], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_package_has_its_debug_symbols(packages):
    for name in ("claimsd", "libclaimsd1"):
        assert list(packages.glob(f"{name}-dbgsym_*.deb"))


@pytest.mark.parametrize("name, wanted", [
    ("claimsd", ["man8/claimsd.8.gz", "man1/claimsctl.1.gz", "man5/claimsd.toml.5.gz",
                 "examples/nginx/claimsd.conf", "examples/haproxy/claimsd.lua", "examples/node/claimsd.js", "examples/shell/claimsd.sh", "http-openapi.yaml",
                 "lib/systemd/system/claimsd-http.socket", "bash-completion/completions/claimsctl", "zsh/vendor-completions/_claimsctl", "fish/vendor_completions.d/claimsctl.fish"]),
    ("libclaimsd-dev", ["man3/libclaimsd.3.gz", "man3/claimsd_query.3.gz"])])
def test_the_packages_contain_the_manual_the_completions_and_the_examples(packages, name, wanted):
    (deb,) = packages.glob(f"{name}_*.deb")
    held = subprocess.run(["dpkg-deb", "-c", deb], capture_output=True, text=True, check=True).stdout
    assert [one for one in wanted if one not in held] == []


def test_it_is_installed_upgraded_removed_and_purged(bare, packages, faults):
    install(bare, packages)
    assert {dpkg_state(bare, name) for name in OURS} == {"installed"}
    # Sockets are open, the daemon waits for its URL, and its configuration is not world-readable.
    for unit in ("claimsd.socket", "claimsd-admin.socket"):
        assert bare.show(unit, "ActiveState") == "active"
        assert bare.show(unit, "UnitFileState") == "enabled"
    assert bare.show("claimsd.service", "ActiveState") == "inactive"
    assert bare.run("stat", "-c", "%U:%G %a", "/etc/claimsd/claimsd.toml").stdout == "root:claimsd 640\n"
    assert bare.run("stat", "-c", "%U:%G %a", "/run/claimsd/claims.sock").stdout == "claimsd:claimsd-clients 660\n"
    assert bare.run("stat", "-c", "%U:%G %a", "/run/claimsd-admin/admin.sock").stdout == "claimsd:claimsd-admin 660\n"
    bare.run("python3", "-c", "import auth_integration._claimsd")
    set_url(bare, faults.url("echo"))
    bare.run("systemctl", "start", "claimsd")
    assert bare.run("stat", "-c", "%U:%G %a", DATA).stdout == "claimsd:claimsd 700\n"

    # Installing the same version again is an upgrade: a new daemon process, the same sockets and
    # settings.
    before = bare.show("claimsd.service", "MainPID")
    listening = bare.run("stat", "-c", "%i", "/run/claimsd/claims.sock").stdout
    bare.run("dpkg", "-i", *[f"/tmp/{deb.name}" for deb in packages.glob("claimsd_*.deb")])
    assert bare.show("claimsd.service", "ActiveState") == "active"
    assert bare.show("claimsd.service", "MainPID") != before
    assert bare.run("stat", "-c", "%i", "/run/claimsd/claims.sock").stdout == listening
    assert faults.url("echo") in bare.path("etc/claimsd/claimsd.toml").read_text()

    bare.run("apt-get", "remove", "--yes", *OURS, timeout=300)
    assert bare.show("claimsd.service", "LoadState") == "not-found"
    assert bare.run("pgrep", "-x", "claimsd", check=False).returncode != 0
    assert not bare.path("run/claimsd/claims.sock").exists()
    assert bare.path("etc/claimsd/claimsd.toml").exists() and bare.path(DATA).exists()

    bare.run("dpkg", "--purge", *OURS)
    assert {dpkg_state(bare, name) for name in OURS} <= {"gone", "not-installed"}
    # The audit log is kept: records may have to be.
    assert [path.name for path in bare.path(DATA).iterdir()] == ["audit"]
    bare.run("rm", "-r", DATA)
    left = bare.run("find", "/etc", "/var/lib", "/run", "/usr", "/lib/systemd", "-name", "*claimsd*", "-not", "-path", "/var/lib/dpkg/*",
                    "-not", "-path", "/usr/share/doc/*").stdout.split()
    assert left == [], left


@pytest.mark.parametrize("name", ["claimsd", "libclaimsd1", "libclaimsd-dev", "python3-auth-integration"])
def test_each_package_names_its_dependencies(packages, name):
    (deb,) = packages.glob(f"{name}_*.deb")
    depends = subprocess.run(["dpkg-deb", "-f", deb, "Depends"], capture_output=True, text=True, check=True).stdout
    wanted = {"claimsd": "libclaimsd1", "libclaimsd1": "libssl3", "libclaimsd-dev": "libclaimsd1 (=", "python3-auth-integration": "libclaimsd1"}
    assert wanted[name] in depends
