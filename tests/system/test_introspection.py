"""Token introspection (RFC 7662): django-oauth-toolkit's own endpoint, and one for each client
authentication."""

import contextlib
import pathlib
import sys
import urllib.error
import urllib.request

import pytest

from peer import until
from servers import Server

sys.path.insert(1, str(pathlib.Path(__file__).resolve().parents[1] / "authapi"))

from oauth_serve import CLIENT_ID, CLIENT_SECRET, EXPIRED, SHORT, USER, VALID  # noqa: E402


@pytest.fixture(scope="module")
def oauth(tmp_path_factory):
    data = tmp_path_factory.mktemp("oauth")
    with Server("authapi/oauth_serve.py", "--data", str(data), "--unix", str(data / "o.sock")) as server:
        server.url = f"http://127.0.0.1:{int(server.said)}"
        server.socket = data / "o.sock"
        with contextlib.suppress(urllib.error.HTTPError):
            # The first request imports the views, which takes seconds on a busy machine.
            urllib.request.urlopen(f"{server.url}/o/introspect/", b"token=x", timeout=30)
        yield server


@pytest.fixture
def endpoint(tmp_path):
    """The options of an upstream for that endpoint."""

    def make(url, secret=CLIENT_SECRET, **more):
        file = tmp_path / "secret"
        file.write_text(secret + "\n")
        file.chmod(0o600)
        return {"url": url, "kind": "introspection", "path": "/o/introspect/", "client_id": CLIENT_ID,
                "client_secret_file": str(file), "id_claim": "username", **more}

    return make


def test_django_oauth_toolkit_confirms_and_rejects(claimsd, peer, oauth, endpoint):
    asker = peer(claimsd(endpoint(oauth.url)))
    answer = asker.ask(VALID)
    assert (answer.verdict, answer.id, answer.source) == ("valid", USER, "upstream")
    assert asker.ask(VALID).source == "cache"
    assert asker.ask(EXPIRED).reason == "rejected"
    assert asker.ask("made-up").reason == "rejected"


def test_the_answer_ends_with_the_token(claimsd, peer, oauth, endpoint):
    asker = peer(claimsd(endpoint(oauth.url), cache={"clock_skew": "0s"}))
    assert 0 < asker.ask(SHORT).ttl_ms <= 40_000
    assert asker.ask(VALID).ttl_ms > 50_000


@pytest.mark.parametrize("how", ["basic", "post"])
def test_django_oauth_toolkit_accepts_both_ways_to_send_the_secret(claimsd, peer, oauth, endpoint, how):
    assert peer(claimsd(endpoint(oauth.url, client_auth=how))).ask(VALID).verdict == "valid"


def test_wrong_credentials_are_an_error_of_ours_and_are_read_again(claimsd, peer, oauth, endpoint, tmp_path):
    daemon = claimsd(endpoint(oauth.url, secret="wrong"), limits={"failure_threshold": 1000})
    asker = peer(daemon)
    answer = asker.ask(VALID)
    assert (answer.verdict, answer.reason) == ("unavailable", "upstream_credentials")
    assert "upstream_credentials" in daemon.log_file.read_text()
    assert "upstream_credentials" in [finding["code"] for finding in daemon.status()["findings"]]
    (tmp_path / "secret").write_text(CLIENT_SECRET)
    until(lambda: asker.ask(VALID).verdict == "valid", "the new secret is in effect")
    assert CLIENT_SECRET not in daemon.log_file.read_text()


def test_over_a_unix_socket(claimsd, peer, oauth, endpoint):
    assert peer(claimsd(endpoint(f"http+unix://{oauth.socket}", socket_user="0"))).ask(VALID).verdict == "valid"


@pytest.mark.parametrize("how", ["basic", "post", "certificate"])
def test_each_client_authentication(claimsd, peer, faults, endpoint, how):
    more = {"id_claim": "id", "path": "/api/me/", "client_auth": how, "audience": "lumen"}
    mode = f"introspection-{how}"
    if how == "certificate":
        upstream = endpoint(faults.url(mode, "https_client_cert"), **more, ca_file=str(faults.tls / "ca.pem"),
                            client_certificate=str(faults.tls / "client.pem"), client_key=str(faults.tls / "client.key"))
        del upstream["client_secret_file"]
    else:
        upstream = endpoint(faults.url(mode), **more)
    asker = peer(claimsd(upstream))
    assert asker.ask("a-token").verdict == "valid"
    for token in ("inactive-token", "other-token", "bound-token"):
        assert asker.ask(token).reason == "rejected", token
