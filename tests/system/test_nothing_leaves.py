"""No byte of a token goes anywhere but to the configured Auth API, whatever the environment or a
server says."""

import hashlib
import os
import urllib.request

import pytest

from tokens import user_of

REDIRECTS = [301, 302, 303, 307, 308]


@pytest.fixture
def hostile(faults, scratch):
    """An environment with a proxy for everything, and a .netrc whose opening is noticed."""
    home = scratch()
    netrc = home / ".netrc"
    os.mkfifo(netrc)  # opening it blocks forever
    trap = f"http://127.0.0.1:{faults.ports['proxy_trap']}"
    names = ("http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
    return {**dict.fromkeys(names, trap), "HOME": str(home), "NETRC": str(netrc), "no_proxy": "", "NO_PROXY": ""}


def untouched(faults):
    return faults.trap() == {"connections": 0, "bytes": 0, "contains_bearer": False}


def test_the_trap_catches_a_client_that_obeys_the_environment(faults, hostile, monkeypatch):
    """Otherwise the tests below would pass with a broken trap."""
    for name, value in hostile.items():
        monkeypatch.setenv(name, value)
    request = urllib.request.Request(faults.url("echo"), headers={"Authorization": "Bearer token"})
    urllib.request.urlopen(request, timeout=5).close()
    assert faults.trap()["contains_bearer"]


@pytest.mark.parametrize("listener", ["http", "https"])
def test_proxy_variables_and_netrc_are_ignored(claimsd, peer, faults, hostile, listener):
    upstream = {"url": faults.url("echo", listener), "ca_file": str(faults.tls / "ca.pem")}
    daemon = claimsd(upstream, start=False).start(env=hostile)
    assert peer(daemon).ask("the-token").verdict == "valid"
    last = faults.seen("echo")["last"]
    assert last["authorization_sha256"] == hashlib.sha256(b"Bearer the-token").hexdigest()
    assert untouched(faults)


def test_tls_session_keys_are_not_written_to_a_file_named_in_the_environment(claimsd, peer, faults, scratch):
    keys = scratch() / "keys"
    upstream = {"url": faults.url("echo", "https"), "ca_file": str(faults.tls / "ca.pem")}
    daemon = claimsd(upstream, start=False).start(env={"SSLKEYLOGFILE": str(keys)})
    assert peer(daemon).ask("the-token").verdict == "valid"
    assert not keys.exists()


@pytest.mark.parametrize("status", REDIRECTS)
def test_a_redirect_is_not_followed(claimsd, peer, faults, hostile, status):
    there, elsewhere = faults.url(f"redirect-{status}"), faults.url(f"redirect-{status}-other-port")
    daemon = claimsd(start=False, **{"upstream.a": {"url": there}, "upstream.b": {"url": elsewhere}}).start(env=hostile)
    assert peer(daemon, there).ask("token").verdict == "unavailable"
    assert peer(daemon, elsewhere).ask("token").verdict == "unavailable"
    assert faults.count(f"redirect-{status}") == faults.count(f"redirect-{status}-other-port") == 1
    assert faults.count("redirect-target") == 0
    assert untouched(faults)


@pytest.mark.parametrize("token", [
    b"token\r\nX-Role: admin", b"token\nX-Role: admin", b"token\r\n\r\nGET /echo/api/me/ HTTP/1.1",
    b"token\x00", b"to ken", b"token\xff", b"", b"Bearer token"])
def test_a_malformed_token_never_reaches_the_auth_api(claimsd, peer, faults, token):
    asker = peer(claimsd(faults.url("echo")))
    answer = asker.ask(token)
    assert (answer.verdict, answer.reason) == ("invalid", "malformed")
    assert faults.count("echo") == 0
    assert asker.ask("good-token").verdict == "valid"


@pytest.mark.parametrize("token", ["1|Wl8hN2", "00D5f000000!AQ4AQ", "a:b:c", "a=b=", "\"a\\b\"", "a;b,c", "%0d%0a", "{}<>[]()@?#$&*^`'"])
def test_a_token_of_visible_ascii_reaches_the_auth_api_as_it_is(claimsd, peer, worker, faults, token):
    daemon = claimsd(faults.url("echo"))
    assert peer(daemon).ask(token).id == worker(daemon, "ask").ask(token).id == user_of(token)
    assert faults.count("echo") == 1


def test_cookies_and_alternative_services_of_the_upstream_are_ignored(claimsd, peer, faults):
    for mode in ("set-cookie", "alt-svc"):
        asker = peer(claimsd(faults.url(mode)))
        asker.ask("one")
        asker.ask("two")
        assert faults.count(mode) == 2
        assert "cookie" not in [name.lower() for name in faults.seen(mode)["last"]["headers"]]
    assert untouched(faults)


def test_a_url_named_by_a_client_is_never_called(claimsd, peer, faults):
    daemon = claimsd(faults.url("echo"))
    stranger = peer(daemon, hello=False)
    stranger.say_hello(faults.url("ok"))
    assert stranger.failure() == (0, 8)
    assert faults.count("ok") == 0
