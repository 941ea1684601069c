"""`claimsd --check` and starts that fail: all that is wrong, where it stands, and what to write instead."""

import pytest

from daemon import StartFailed, run_check

CONFIGURATION_ERROR = 78  # EX_CONFIG, sysexits.h(3head)


@pytest.fixture
def check(build, scratch):
    """What --check says of this text: (exit code, output, file)."""

    def run(text):
        file = scratch() / "claimsd.toml"
        file.write_text(text)
        code, said = run_check(build / "daemon" / "claimsd", file)
        return code, said, file

    return run


def test_two_lines_are_a_configuration(check):
    code, said, _ = check('[upstream.main]\nurl = "https://auth.example.com"\n')
    assert (code, "valid, 1 upstream(s)" in said) == (0, True)


def test_all_problems_are_told_at_once_each_with_its_place(check):
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
def test_an_unknown_key_is_refused_with_the_one_that_was_meant(check, text, says):
    code, said, file = check(text)
    assert code == CONFIGURATION_ERROR
    assert f"{file}:" in said and says in said


@pytest.mark.parametrize("url", [
    "http://auth.example.com", "http://10.0.0.1", "http://127.evil.example", "ftp://localhost"])
def test_tokens_go_over_https_or_to_loopback_alone(check, url):
    code, said, file = check(f'[upstream.main]\nurl = "{url}"')
    assert code == CONFIGURATION_ERROR
    assert f"{file}:2:" in said and "https" in said


@pytest.mark.parametrize("url", ["http://localhost:8000", "http://127.0.0.1", "http://[::1]:8000/auth"])
def test_http_to_loopback_is_fine(check, url):
    assert check(f'[upstream.main]\nurl = "{url}"')[0] == 0


@pytest.mark.parametrize("text", ["", "[upstream]", "[upstream.main]", "not toml", "\x00"])
def test_what_is_no_configuration_is_refused(check, text):
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
def test_a_path_that_cannot_be_is_named_and_the_daemon_ends(claimsd, faults, option):
    daemon = claimsd(faults.url("echo"), start=False)
    table, key = option.split(".")
    impossible = str(daemon.config_file / "deep" / "x")  # below a file
    daemon.tables[table][key] = impossible
    assert daemon.check()[0] == 0
    with pytest.raises(StartFailed) as failed:
        daemon.start()
    assert failed.value.code == 1
    assert str(daemon.config_file / "deep") in failed.value.printed


@pytest.mark.parametrize("umask", ["022", "077"])
def test_a_first_start_makes_the_directories_that_the_defaults_need(claimsd, peer, faults, umask):
    """As on a fresh host: the cache lies in the socket's directory, and neither is there."""
    daemon = claimsd(faults.url("echo"), start=False)
    run = daemon.root / "run"
    daemon.socket, daemon.admin_socket = run / "c.sock", run / "a.sock"
    daemon.tables["daemon"] = {"socket": str(daemon.socket), "admin_socket": str(daemon.admin_socket)}
    daemon.tables["cache"].update(directory=str(run / "cache"), key_file=str(daemon.root / "lib" / "host.key"))
    daemon.start(prefix=["sh", "-c", f'umask {umask}; exec "$@"', "sh"])
    assert peer(daemon).ask("token").verdict == "valid"
    assert (run.stat().st_mode & 0o777, (run / "cache").stat().st_mode & 0o777) == (0o755, 0o700)


def test_a_group_that_does_not_exist_is_named(claimsd, faults):
    with pytest.raises(StartFailed) as failed:
        claimsd(faults.url("echo"), daemon={"socket_group": "no-such-group"})
    assert failed.value.code == 1
    assert "no-such-group" in failed.value.printed


def test_a_second_daemon_on_a_socket_is_refused_and_the_first_goes_on(claimsd, peer, faults):
    first = claimsd(faults.url("echo"))
    second = claimsd(faults.url("echo"), start=False, daemon={"socket": str(first.socket)})
    with pytest.raises(StartFailed) as failed:
        second.start()
    assert str(first.socket) in failed.value.printed
    assert peer(first).ask("token").verdict == "valid"
