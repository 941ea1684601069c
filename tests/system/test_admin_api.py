"""The admin API of a real daemon is what daemon/admin/openapi.yaml says, and tells no secret."""

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

ROOT = pathlib.Path(__file__).resolve().parents[2]
OPENAPI = yaml.safe_load((ROOT / "daemon" / "admin" / "openapi.yaml").read_text())
CANARY = "canary-7f3a"


def as_json_schema(node):
    """OpenAPI 3.0 says `nullable` where JSON Schema has a type of its own."""
    if isinstance(node, list):
        return [as_json_schema(item) for item in node]
    if not isinstance(node, dict):
        return node
    made = {key: as_json_schema(value) for key, value in node.items() if key != "nullable"}
    return {"anyOf": [{"type": "null"}, made]} if node.get("nullable") else made


def check(path, method, status, body):
    """`body` is what the file says of that response."""
    answer = OPENAPI["paths"][path][method]["responses"][str(status)]
    if "$ref" in answer:
        answer = OPENAPI["components"]["responses"][answer["$ref"].rsplit("/", 1)[1]]
    schema = answer["content"]["application/json"]["schema"]
    jsonschema.validate(json.loads(body), {**as_json_schema(schema), "components": as_json_schema(OPENAPI["components"])})


@pytest.fixture
def busy(claimsd, peer, faults):
    """A daemon that has confirmed, refused and failed, with an order carried out."""
    daemon = claimsd(faults.url("echo"))
    client = peer(daemon)
    assert client.ask(f"{CANARY}-token-one").verdict == "valid"
    client.ask(f"{CANARY}-token-one")
    client.ask("not a token")
    assert daemon.admin("/v1/purge", {"user": "nobody"})[0] == 200
    return daemon


GETS = [path for path, methods in OPENAPI["paths"].items() if "get" in methods]


@pytest.mark.parametrize("path", [path for path in GETS if path not in ("/metrics", "/openapi.yaml")])
def test_what_a_route_answers_is_what_the_file_says(busy, path):
    status, body = busy.admin(path)
    assert status == 200
    check(path, "get", status, body)
    assert CANARY.encode() not in body and b"@" not in body


def test_the_daemon_serves_the_file_itself(busy):
    assert yaml.safe_load(busy.admin("/openapi.yaml")[1]) == OPENAPI


@pytest.mark.parametrize("path, body, status", [
    ("/v1/entry", {"token": f"{CANARY}-token-one"}, 200), ("/v1/entry", {"token": "never-seen"}, 200),
    ("/v1/entry", {"user": "x"}, 400), ("/v1/purge", {"everybody": True}, 200), ("/v1/purge", {}, 400),
    ("/v1/revoke", {"token": "another-token"}, 200), ("/v1/revoke", {"token": "a b"}, 400),
    ("/v1/reload", {}, 200), ("/v1/log-level", {"level": "info"}, 200), ("/v1/log-level", {"level": "x"}, 400)])
def test_what_an_order_is_answered_is_what_the_file_says(busy, path, body, status):
    answered, said = busy.admin(path, body)
    assert answered == status
    check(path, "post", status, said)
    assert CANARY.encode() not in said and b"@" not in said


@pytest.mark.parametrize("query, status", [("?limit=1", 200), ("?limit=0", 400), ("?after=xyz", 400)])
def test_pages_of_entries(busy, query, status):
    answered, said = busy.admin("/v1/entries" + query)
    assert answered == status
    check("/v1/entries", "get", status, said)


def test_every_entry_is_on_one_page_and_a_users_are_found(claimsd, peer, faults):
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


def test_whoever_waits_for_an_event_is_woken_by_it(busy, peer):
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
    assert (event["event"], event["reason"], event["sequence"]) == ("flight_landed", "ok", last + 1)
    assert CANARY.encode() not in body


def test_curl_needs_nothing_but_the_socket(busy):
    done = subprocess.run(["curl", "-sS", "--unix-socket", str(busy.admin_socket), "http://localhost/v1/health"],
                          capture_output=True, text=True, timeout=30)
    assert json.loads(done.stdout)["alive"] is True


def test_prometheus_listener_has_its_three_paths_and_refuses_another_host(claimsd, faults):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
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


def test_a_listener_that_others_could_reach_keeps_the_daemon_from_starting(claimsd, faults):
    daemon = claimsd(faults.url("echo"), start=False, daemon={"metrics_listen": "0.0.0.0:9464"})
    with pytest.raises(Exception, match="no address of the loopback"):
        daemon.start()


def test_peers_are_counted_by_user_id(busy):
    (row,) = json.loads(busy.admin("/v1/statistics")[1])["peers"]
    assert (row["questions"], row["invalid"], row["connections"]) == (3, 1, 1)


def test_statistics_agree_with_the_metrics(busy):
    statistics = json.loads(busy.admin("/v1/statistics")[1])
    text = until(lambda: busy.admin("/metrics")[1].decode(), "metrics")
    for row in statistics["lookups"]:
        line = f'claimsd_lookups_total{{source="{row["source"]}",verdict="{row["verdict"]}"}} {row["count"]}\n'
        assert line in text
