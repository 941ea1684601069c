"""The admin API of a real daemon conforms to daemon/admin/openapi.yaml and exposes no secret."""

import http.client
import json
import pathlib
import re
import socket
import subprocess

import jsonschema
import pytest
import yaml

from peer import until
from servers import free_port

ROOT = pathlib.Path(__file__).resolve().parents[2]
OPENAPI = yaml.safe_load((ROOT / "daemon" / "admin" / "openapi.yaml").read_text())
CANARY = "canary-7f3a"


def as_json_schema(node):
    """Converts OpenAPI 3.0 `nullable` to the JSON Schema type list."""
    if isinstance(node, list):
        return [as_json_schema(item) for item in node]
    if not isinstance(node, dict):
        return node
    made = {key: as_json_schema(value) for key, value in node.items() if key != "nullable"}
    return {"anyOf": [{"type": "null"}, made]} if node.get("nullable") else made


def check(path, method, status, body):
    """Checks `body` against the response schema in the file."""
    answer = OPENAPI["paths"][path][method]["responses"][str(status)]
    if "$ref" in answer:
        answer = OPENAPI["components"]["responses"][answer["$ref"].rsplit("/", 1)[1]]
    schema = answer["content"]["application/json"]["schema"]
    jsonschema.validate(json.loads(body), {**as_json_schema(schema), "components": as_json_schema(OPENAPI["components"])})


@pytest.fixture
def busy(claimsd, peer, faults):
    """A daemon that has confirmed and rejected tokens, had failures, and executed an order."""
    daemon = claimsd(faults.url("echo"))
    client = peer(daemon)
    assert client.ask(f"{CANARY}-token-one").verdict == "valid"
    client.ask(f"{CANARY}-token-one")
    client.ask("not a token")
    assert daemon.admin("/v1/purge", {"user": "nobody"})[0] == 200
    return daemon


GETS = [path for path, methods in OPENAPI["paths"].items() if "get" in methods]


@pytest.mark.parametrize("path", [path for path in GETS if path not in ("/metrics", "/openapi.yaml")])
def test_the_response_of_every_get_route_matches_the_openapi_file(busy, path):
    status, body = busy.admin(path)
    assert status == 200
    check(path, "get", status, body)
    assert CANARY.encode() not in body and b"@" not in body


def test_the_daemon_serves_the_openapi_file_itself(busy):
    assert yaml.safe_load(busy.admin("/openapi.yaml")[1]) == OPENAPI


@pytest.mark.parametrize("path, body, status", [
    ("/v1/entry", {"token": f"{CANARY}-token-one"}, 200), ("/v1/entry", {"token": "never-seen"}, 200),
    ("/v1/entry", {"user": "x"}, 400), ("/v1/purge", {"all_users": True}, 200), ("/v1/purge", {}, 400),
    ("/v1/revoke", {"token": "another-token"}, 200), ("/v1/revoke", {"token": "a b"}, 400),
    ("/v1/upstream-test", {"token": f"{CANARY}-token-two"}, 200), ("/v1/upstream-test", {"token": "a b"}, 400), ("/v1/upstream-test?upstream=x", {"token": "t"}, 400),
    ("/v1/reload", {}, 200), ("/v1/log-level", {"level": "info"}, 200), ("/v1/log-level", {"level": "x"}, 400)])
def test_the_response_to_every_order_matches_the_openapi_file(busy, path, body, status):
    answered, said = busy.admin(path, body)
    assert answered == status
    check(path.partition("?")[0], "post", status, said)
    assert CANARY.encode() not in said and b"@" not in said


@pytest.mark.parametrize("query, status", [("?limit=1", 200), ("?limit=0", 400), ("?after=xyz", 400)])
def test_entries_are_paged(busy, query, status):
    answered, said = busy.admin("/v1/entries" + query)
    assert answered == status
    check("/v1/entries", "get", status, said)


def test_every_entry_is_on_exactly_one_page_and_entries_are_found_by_user(claimsd, peer, faults):
    daemon = claimsd(faults.url("echo"))
    client = peer(daemon)
    for number in range(23):
        assert client.ask(f"token-{number}").verdict == "valid"
    seen, path = [], "/v1/entries?limit=10"
    while path:
        page = json.loads(daemon.admin(path)[1])
        assert len(page["entries"]) <= 10
        seen += [entry["entry"] for entry in page["entries"]]
        path = page["next"] and f"/v1/entries?limit=10&after={page['next']}"
    assert len(set(seen)) == len(seen) == 23
    user = json.loads(daemon.admin("/v1/entries?limit=1")[1])["entries"][0]["user"]
    found = json.loads(daemon.admin(f"/v1/entries?user={user}")[1])["entries"]
    assert found and all(entry["user"] == user for entry in found)


def test_a_long_poll_for_events_returns_when_one_happens(busy, peer):
    last = json.loads(busy.admin("/v1/events")[1])["last"]
    connection = http.client.HTTPConnection("localhost", timeout=30)
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(str(busy.admin_socket))
    connection.request("GET", f"/v1/events?after={last}&wait=30")
    peer(busy).ask(f"{CANARY}-token-two")
    body = connection.getresponse().read()
    connection.close()
    check("/v1/events", "get", 200, body)
    (event,) = json.loads(body)["events"]
    assert (event["event"], event["reason"], event["sequence"]) == ("request_completed", "ok", last + 1)
    assert CANARY.encode() not in body


def test_curl_needs_only_the_socket(busy):
    done = subprocess.run(["curl", "-sS", "--unix-socket", str(busy.admin_socket), "http://localhost/v1/health"],
                          capture_output=True, text=True, timeout=30)
    assert json.loads(done.stdout)["alive"] is True


def test_the_prometheus_listener_serves_three_paths_and_rejects_a_foreign_host_header(claimsd, faults):
    port = free_port()
    claimsd(faults.url("echo"), daemon={"metrics_listen": f"127.0.0.1:{port}"})

    def get(path, host=None):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("GET", path, headers={"Host": host} if host else {})
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer.status, body

    assert [get(path)[0] for path in ("/metrics", "/healthz", "/readyz")] == [200, 200, 200]
    assert [get(path)[0] for path in ("/v1/status", "/v1/entries", "/")] == [404, 404, 404]
    assert get("/metrics", "rebound.example")[0] == 403
    assert re.search(rb"^claimsd_build_info", get("/metrics")[1], re.MULTILINE)


def test_a_metrics_listener_off_the_loopback_prevents_the_start(claimsd, faults):
    daemon = claimsd(faults.url("echo"), start=False, daemon={"metrics_listen": "0.0.0.0:9464"})
    with pytest.raises(Exception, match="is not a loopback address"):
        daemon.start()


def test_peers_are_counted_by_uid(busy):
    (row,) = json.loads(busy.admin("/v1/statistics")[1])["peers"]
    assert (row["queries"], row["invalid"], row["connections"]) == (3, 1, 1)


def test_statistics_agree_with_the_metrics(busy):
    statistics = json.loads(busy.admin("/v1/statistics")[1])
    text = until(lambda: busy.admin("/metrics")[1].decode(), "metrics")
    for row in statistics["lookups"]:
        line = f'claimsd_lookups_total{{source="{row["source"]}",verdict="{row["verdict"]}"}} {row["count"]}\n'
        assert line in text
