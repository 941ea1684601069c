"""`claimsd --check` and failed starts: every error is reported with its position and a fix."""

import os
import socket
import subprocess

import pytest

from daemon import StartFailed, run_check

CONFIGURATION_ERROR = 78  # EX_CONFIG, sysexits.h(3head)


@pytest.fixture
def check(build, scratch):
    """The result of --check for a text: (exit code, output, file)."""

    def run(text):
        file = scratch() / "claimsd.toml"
        file.write_text(text)
        code, said = run_check(build / "daemon" / "claimsd", file)
        return code, said, file

    return run


@pytest.fixture
def other_user_on_a_port():
    """A port on which a process of another user listens."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to become another user")
    script = "import socket, time; s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1], flush=True); time.sleep(600)"
    with subprocess.Popen(["setpriv", "--reuid=65534", "--clear-groups", "/usr/bin/python3", "-c", script],
                          stdout=subprocess.PIPE, text=True) as process:
        try:
            yield int(process.stdout.readline())
        finally:
            process.kill()


def test_two_lines_are_a_valid_configuration(check):
    code, said, _ = check('[upstream.main]\nurl = "https://auth.example.com"\n')
    assert (code, "valid, 1 upstream(s)" in said) == (0, True)


def test_all_errors_are_reported_at_once_each_with_its_position(check):
    text = '[cache]\nmax_ttl = "1h"\nmax_ttk = 1\n\n[upstream.main]\nurl = "http://auth.example.com"\n'
    code, said, file = check(text)
    assert code == CONFIGURATION_ERROR
    lines = said.splitlines()
    assert [line.split(": ")[0].rsplit(":", 1)[0] for line in lines] == [f"{file}:{number}" for number in (2, 3, 6)]


@pytest.mark.parametrize("text, says", [
    ('[cache]\nmax_tll = "5s"\n[upstream.main]\nurl = "https://a.example"', "max_ttl"),
    ('[upstream.main]\nur1 = "https://a.example"', "url"),
    ('[deamon]\n[upstream.main]\nurl = "https://a.example"', "daemon"),
])
def test_an_unknown_key_is_rejected_with_the_key_that_was_meant(check, text, says):
    code, said, file = check(text)
    assert code == CONFIGURATION_ERROR
    assert f"{file}:" in said and says in said


@pytest.mark.parametrize("url", [
    "http://auth.example.com", "http://10.0.0.1", "http://127.evil.example", "ftp://localhost"])
def test_plain_http_is_rejected_except_to_loopback(check, url):
    code, said, file = check(f'[upstream.main]\nurl = "{url}"')
    assert code == CONFIGURATION_ERROR
    assert f"{file}:2:" in said and "https" in said


@pytest.mark.parametrize("url", ["http://localhost:8000", "http://127.0.0.1", "http://[::1]:8000/auth"])
def test_http_to_loopback_is_accepted(check, url):
    assert check(f'[upstream.main]\nurl = "{url}"')[0] == 0


@pytest.mark.parametrize("text", ["", "[upstream]", "[upstream.main]", "not toml", "\x00"])
def test_text_that_is_not_a_configuration_is_rejected(check, text):
    code, said, file = check(text)
    assert code == CONFIGURATION_ERROR
    assert str(file) in said


def test_a_missing_file_is_named(build, scratch):
    file = scratch() / "nowhere.toml"
    code, said = run_check(build / "daemon" / "claimsd", file)
    assert code == CONFIGURATION_ERROR
    assert str(file) in said


def test_a_daemon_does_not_start_with_a_bad_configuration(claimsd):
    daemon = claimsd("http://auth.example.com", start=False)
    assert daemon.check()[0] == CONFIGURATION_ERROR
    with pytest.raises(StartFailed) as failed:
        daemon.start()
    assert failed.value.code == CONFIGURATION_ERROR
    assert not daemon.socket.exists()


@pytest.mark.parametrize("option", ["cache.key_file", "cache.directory", "daemon.socket", "daemon.admin_socket"])
def test_an_impossible_path_is_named_and_the_daemon_exits(claimsd, faults, option):
    daemon = claimsd(faults.url("echo"), start=False)
    table, key = option.split(".")
    impossible = str(daemon.config_file / "deep" / "x")  # below a file
    daemon.tables[table][key] = impossible
    code, said = daemon.check()
    assert code == CONFIGURATION_ERROR and f"{option}: " in said and str(daemon.config_file / "deep") in said
    assert daemon.check("--syntax-only")[0] == 0
    with pytest.raises(StartFailed) as failed:
        daemon.start()
    assert failed.value.code == 1
    assert str(daemon.config_file / "deep") in failed.value.printed


@pytest.mark.parametrize("option, value", [
    ("ca_file", "/nowhere/ca.pem"), ("client_certificate", "/nowhere/client.pem"), ("request_header_file", "/nowhere/header"),
    ("client_certificate", "/run/credentials/claimsd.service/claimsd.no-such-credential")])
def test_check_names_a_file_that_a_start_needs(claimsd, option, value):
    key = {"client_key": value} if option == "client_certificate" else {}
    daemon = claimsd({"url": "https://auth.example.com", option: value, **key}, start=False)
    code, said = daemon.check()
    assert code == CONFIGURATION_ERROR and value in said
    assert daemon.check("--syntax-only")[0] == 0


def test_check_names_a_port_that_another_user_holds(claimsd, other_user_on_a_port):
    daemon = claimsd("https://auth.example.com", start=False, daemon={"metrics_listen": f"127.0.0.1:{other_user_on_a_port}"})
    code, said = daemon.check()
    assert code == CONFIGURATION_ERROR and "metrics_listen" in said and "uid 65534" in said


def test_check_takes_the_port_of_the_running_daemon_as_free(claimsd, faults):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    daemon = claimsd(faults.url("echo"), daemon={"metrics_listen": f"127.0.0.1:{port}"})
    assert daemon.check()[0] == 0


@pytest.mark.parametrize("umask", ["022", "077"])
def test_a_first_start_creates_the_default_directories(claimsd, peer, faults, umask):
    """As on a fresh host: neither the sockets' directory nor the cache exists."""
    daemon = claimsd(faults.url("echo"), start=False)
    run = daemon.root / "run"
    daemon.socket, daemon.admin_socket = run / "c.sock", run / "a.sock"
    daemon.tables["daemon"] = {"socket": str(daemon.socket), "admin_socket": str(daemon.admin_socket)}
    daemon.tables["cache"].update(directory=str(daemon.root / "run-cache"), key_file=str(daemon.root / "lib" / "host.key"))
    daemon.start(prefix=["sh", "-c", f'umask {umask}; exec "$@"', "sh"])
    assert peer(daemon).ask("token").verdict == "valid"
    assert (run.stat().st_mode & 0o777, (daemon.root / "run-cache").stat().st_mode & 0o777) == (0o755, 0o700)


def test_a_missing_group_is_named(claimsd, faults):
    with pytest.raises(StartFailed) as failed:
        claimsd(faults.url("echo"), daemon={"socket_group": "no-such-group"})
    assert failed.value.code == 1
    assert "no-such-group" in failed.value.printed


def test_a_second_daemon_on_a_socket_is_rejected_and_the_first_continues(claimsd, peer, faults):
    first = claimsd(faults.url("echo"))
    second = claimsd(faults.url("echo"), start=False, daemon={"socket": str(first.socket)})
    with pytest.raises(StartFailed) as failed:
        second.start()
    assert str(first.socket) in failed.value.printed
    assert peer(first).ask("token").verdict == "valid"
