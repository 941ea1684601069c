"""The HTTP front door of a real daemon, asked by Python's own HTTP client over the Unix socket."""

import json
import os
import socket

import pytest

from daemon import toml
from peer import until

def denials(claimsctl, daemon):
    """The records of denied requests."""
    done = claimsctl(daemon, "audit", "export", "--format", "jsonl", "--directory", daemon.root / "audit")
    assert done.returncode == 0, done.stderr
    return [record for record in map(json.loads, done.stdout.splitlines()) if record["event"] == "denied"]


def identity(response):
    return {name: response.getheader(name) for name in ("X-Claims-Id", "X-Claims-Email", "X-Claims-Roles", "X-Claims-Truncated")}


def test_a_client_of_the_auth_api_works_unchanged_with_claimsd(front_door, auth_api):
    _, client = front_door(auth_api.url)
    token = auth_api.login("tess")
    own = auth_api.ask("GET", "/api/me/", token=token)
    response = client.ask("/api/me/", token)
    assert (response.status, response.getheader("Content-Type"), response.getheader("Cache-Control")) == (200, "application/json", "no-store")
    assert json.loads(response.text) == own[1]
    head = client.ask("/api/me/", token, method="HEAD")
    assert (head.status, head.text, head.getheader("Content-Length")) == (200, "", str(len(response.text)))


def test_the_document_is_that_of_the_auth_api_byte_for_byte(front_door, faults, claimsctl):
    document = ' {\n  "role" : ["doctor"],\t"id":"7", "more": [1.0e0, "\\u00e4", null]}\n'
    daemon, client = front_door(faults.url(faults.script("as-sent", {"body": document})))
    for _ in range(3):  # from the Auth API, then from the cache
        assert client.ask("/api/me/", "token").text == document
    assert faults.count("script-as-sent") == 1
    done = claimsctl(daemon, "query", "--json", token="token\n")
    assert done.returncode == 0, done.stderr
    line, = done.stdout.splitlines()
    assert json.loads(line)["claims"] == json.loads(document)


@pytest.mark.parametrize("document", [
    json.dumps({"id": "7", "role": "doctor", "more": "x" * 8000}),  # truncated in the cache
    '{"id": "7",' + " " * 8000 + '"role": "doctor"}',  # kept without its white space
    json.dumps({"id": "7", "role": "doctor", "more": "x" * 200_000})], ids=["truncated", "compacted", "long"])
@pytest.mark.parametrize("recorded", [False, True])
def test_a_document_too_large_to_keep_is_fetched_again_and_never_sent_in_part(front_door, faults, document, recorded):
    mode = faults.script("large", {"body": document})
    _, client = front_door({"url": faults.url(mode), "max_claims_bytes": "4KiB"}, audit={"level": "every" if recorded else "failures"})
    token = "long-enough-for-the-shared-map-" * 2
    assert client.ask("/v1/auth/doctors", token).status == 200
    for asked in (2, 3):
        response = client.ask("/api/me/", token)
        assert (response.status, response.text) == (200, document)
        assert faults.count(mode) == asked
    faults.script("large", {"status": 503})
    assert client.ask("/api/me/", token).status == 503
    assert client.ask("/v1/auth/doctors", token).status == 200


def test_an_introspection_endpoint_has_no_document(front_door, faults, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("s:cret%+\n")
    secret.chmod(0o600)
    _, client = front_door({"url": faults.url("introspection-post"), "kind": "introspection", "path": "/api/me/", "client_id": "lumen daemon", "client_auth": "post",
                            "client_secret_file": str(secret), "id_claim": "id", "audience": "lumen"})
    assert client.ask("/v1/auth/authenticated", "a-token").status == 200
    assert client.ask("/api/me/", "a-token").status == 404


def test_a_gate_admits_by_role_and_passes_the_identity(front_door, auth_api):
    _, client = front_door(auth_api.url)
    technician, doctor = auth_api.login("tess"), auth_api.login("dana")
    for method in ("GET", "POST", "DELETE", "OPTIONS"):
        response = client.ask("/v1/auth/doctors/any/path?and=query", doctor, method=method)
        assert response.status == 200
        assert identity(response) == {"X-Claims-Id": "user-201", "X-Claims-Email": "dana@example.com", "X-Claims-Roles": "doctor", "X-Claims-Truncated": "0"}
    assert client.ask("/v1/auth/doctors", technician).status == 403
    assert client.ask("/v1/auth/staff", technician).status == 200
    assert client.ask("/v1/auth/authenticated", technician).status == 200
    assert client.ask("/v1/auth/nurses", doctor).status == 404


def test_401_503_and_what_a_proxy_needs_to_tell_them_apart(front_door, faults):
    mode = faults.script("trouble", {"status": 401}, {"status": 503}, {"status": 503})
    daemon, client = front_door(faults.url(mode), limits={"failure_threshold": 100})
    for target in ("/v1/auth/authenticated", "/api/me/"):
        response = client.ask(target)
        assert (response.status, response.getheader("WWW-Authenticate")) == (401, 'Bearer realm="api"')
    response = client.ask("/v1/auth/authenticated", "wrong")
    assert (response.status, response.getheader("WWW-Authenticate")) == (401, 'Bearer realm="api", error="invalid_token"')
    response = client.ask("/v1/auth/authenticated", "other")
    assert response.status == 503 and int(response.getheader("Retry-After")) >= 1
    assert set(identity(response).values()) == {None}


def test_a_denied_request_is_in_the_audit_log_before_its_answer(front_door, auth_api, claimsctl):
    daemon, client = front_door(auth_api.url)
    assert client.ask("/v1/auth/doctors/records", auth_api.login("tess"), traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01").status == 403
    record, = denials(claimsctl, daemon)
    assert (record["status"], record["user"], record["route"], record["roles"]) == (403, "user-101", "/v1/auth/doctors", "doctor")
    assert "0af7651916cd43dd8448eb211c80319c" in json.dumps(record) and record["peer"]["uid"] == os.geteuid()


def test_a_known_token_is_found_in_the_shared_map_and_a_denial_is_recorded_all_the_same(front_door, auth_api, claimsctl):
    daemon, client = front_door(auth_api.url)
    token = auth_api.login("tess")
    own = client.ask("/api/me/", token).text
    before = daemon.counter("queries")
    for _ in range(20):
        assert client.ask("/api/me/", token).text == own
        assert identity(client.ask("/v1/auth/staff/records", token))["X-Claims-Id"] == "user-101"
    assert daemon.counter("queries") == before
    assert client.ask("/v1/auth/doctors/records", token).status == 403
    assert daemon.counter("queries") == before + 1
    assert len(denials(claimsctl, daemon)) == 1


def test_without_the_shared_map_every_request_is_a_query(front_door, auth_api):
    daemon, client = front_door(auth_api.url, daemon={"shared_memory": False})
    token = auth_api.login("dana")
    for asked in (1, 2, 3):
        assert client.ask("/v1/auth/doctors", token).status == 200
        assert daemon.counter("queries") == asked


def test_a_revocation_ends_the_next_request(front_door, auth_api, claimsctl):
    daemon, client = front_door(auth_api.url)
    token = auth_api.login("dana")
    assert client.ask("/v1/auth/doctors", token).status == 200
    assert claimsctl(daemon, "revoke", "--user", "user-201").returncode == 0
    assert client.ask("/v1/auth/doctors", token).status == 401
    assert client.ask("/api/me/", token).status == 401


def test_requests_that_two_programs_could_read_differently_get_400_and_an_end(front_door, auth_api):
    daemon, client = front_door(auth_api.url)
    token = auth_api.login("dana")
    bad = [
        f"GET /v1/auth/doctors HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\nAuthorization: Bearer {token}\r\n\r\n",
        f"GET /v1/auth/doctors HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\nContent-Length: 5\r\n\r\nhello",
        f"GET /v1/auth/doctors HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        f"GET /v1/auth/doctors HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\nX: \x01\r\n\r\n",
    ]
    for request in bad:
        raw = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        raw.settimeout(30)
        raw.connect(client.path)
        raw.sendall(request.encode())
        said = b""
        while piece := raw.recv(4096):
            said += piece
        assert said.startswith(b"HTTP/1.1 400 "), (request, said)
        assert b"200 OK" not in said
    assert client.ask("/v1/auth/doctors", token, Content_Length="0").status == 200  # as Envoy sends it


def test_nothing_answers_200_without_a_token(front_door, auth_api):
    _, client = front_door(auth_api.url)
    for target in ("/", "/healthz", "/readyz", "/metrics", "/v1/status", "/v1/auth/", "/v1/auth/doctors", "/api/me/", "/api/me"):
        assert client.ask(target).status in (401, 404), target


def test_gates_can_be_added_and_changed_by_a_reload(front_door, auth_api):
    daemon, client = front_door(auth_api.url)
    token = auth_api.login("tess")
    assert client.ask("/v1/auth/technicians", token).status == 404
    daemon.tables["http.gate.technicians"] = {"roles": ["rvt"]}
    daemon.tables["http.gate.staff"] = {"roles": ["doctor"]}
    daemon.config_file.write_text(toml(daemon.tables))
    assert daemon.admin("/v1/reload", {})[0] == 200
    # The HTTP thread learns of it a moment later.
    until(lambda: client.ask("/v1/auth/technicians", token).status == 200, "the gate is there")
    assert client.ask("/v1/auth/staff", token).status == 403


def test_the_client_address_counts_only_from_a_trusted_uid(front_door, auth_api, claimsctl):
    for trusted, expected in (([os.geteuid()], True), ([os.geteuid() + 1], False)):
        daemon, client = front_door(auth_api.url, http={"client_address_header": "X-Forwarded-For", "trusted_uids": trusted})
        assert client.ask("/v1/auth/doctors", auth_api.login("tess"), X_Forwarded_For="1.1.1.1, 192.0.2.77").status == 403
        record, = denials(claimsctl, daemon)
        assert ("192.0.2.77" in json.dumps(record)) is expected
        assert "1.1.1.1" not in json.dumps(record)


def test_requests_are_counted_by_their_answer(front_door, auth_api):
    daemon, client = front_door(auth_api.url)
    token = auth_api.login("tess")
    for target in ("/v1/auth/staff", "/v1/auth/doctors", "/v1/auth/none", "/nothing"):
        client.ask(target, token)
    client.ask("/v1/auth/staff")
    status, text = daemon.admin("/metrics")
    assert status == 200
    for name, count in (("allowed", 1), ("denied", 1), ("unknown", 1), ("rejected", 1), ("unauthorized", 1)):
        assert f"claimsd_http_{name}_total {count}\n" in text.decode()
