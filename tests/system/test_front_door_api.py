"""Every response of the HTTP socket conforms to daemon/front_door/openapi.yaml, and every documented status occurs."""

import json
import os
import pathlib
import re

import jsonschema
import pytest
import yaml

from front_door_client import Client

ROOT = pathlib.Path(__file__).resolve().parents[2]
OPENAPI = yaml.safe_load((ROOT / "daemon" / "front_door" / "openapi.yaml").read_text())
GATE, DOCUMENT = "/v1/auth/{gate}", "/api/me/"


def resolved(node):
    if isinstance(node, dict) and "$ref" in node:
        found = OPENAPI
        for step in node["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        return resolved(found)
    if isinstance(node, dict):
        return {key: resolved(value) for key, value in node.items()}
    return node


def conform(path, method, response):
    """The response is documented, with its headers and its body."""
    documented = resolved(OPENAPI["paths"][path][method.lower()])["responses"]
    assert str(response.status) in documented, (method, path, response.status, response.text)
    expected = documented[str(response.status)]
    assert response.getheader("Cache-Control") == "no-store"
    for name, header in expected.get("headers", {}).items():
        value = response.getheader(name)
        assert value is not None, name
        jsonschema.validate(value, header["schema"])
    identity = {name.lower() for name, _ in response.getheaders() if name.lower().startswith("x-claims-")}
    assert identity <= {name.lower() for name in expected.get("headers", {})}
    if "content" in expected and method != "HEAD":
        jsonschema.validate(json.loads(response.text), expected["content"]["application/json"]["schema"])
    elif method != "HEAD":
        assert response.text == ""


def test_it_is_openapi_3_with_an_id_for_each_operation():
    assert OPENAPI["openapi"].startswith("3.0.")
    ids = [operation["operationId"] for path in OPENAPI["paths"].values() for method, operation in path.items() if method != "parameters"]
    assert len(ids) == len(set(ids)) and all(re.fullmatch("[a-zA-Z]+", one) for one in ids)


@pytest.mark.parametrize("path", [GATE, DOCUMENT])
def test_each_response_is_as_documented(front_door, auth_api, faults, path):
    _, client = front_door(auth_api.url, **{"upstream.down": {"url": faults.url(faults.script("down", {"status": 503})), "default": False}, "upstream.main": {"default": True},
                                            "http.gate.down": {"upstream": "down"}})
    dana, tess = auth_api.login("dana"), auth_api.login("tess")
    target = {GATE: "/v1/auth/doctors", DOCUMENT: DOCUMENT}[path]
    def ask(method, to, token, **headers):
        response = client.ask(to, token, method=method, **headers)
        conform(path, method, response)
        return response.status

    for method in [name.upper() for name in OPENAPI["paths"][path] if name != "parameters"]:
        if method in ("POST", "PUT") and path == DOCUMENT:
            assert ask(method, target, dana) == 405
            continue
        assert ask(method, target, dana) == 200
        assert ask(method, target, "wrong") == ask(method, target, None) == 401
        assert ask(method, target, dana, Content_Length="5") == 400
        if path == GATE:
            assert ask(method, target, tess) == 403
            assert ask(method, "/v1/auth/none", dana) == 404
            assert ask(method, "/v1/auth/down", dana) == 503


@pytest.mark.parametrize("path", [GATE, DOCUMENT])
def test_a_user_who_may_not_ask_gets_403(front_door, auth_api, path):
    if os.geteuid() != 0:
        pytest.skip("needs root")
    _, client = front_door(auth_api.url, daemon={"allowed_uids": [12345]}, http={"socket_mode": "0666"})
    os.seteuid(54321)  # whose credentials the connection gets
    try:
        client.connect()
    finally:
        os.seteuid(0)
    token, target = auth_api.login("dana"), path.replace("{gate}", "doctors")
    assert Client(client.path).ask(target, token).status == 200  # so that the token is known
    response = client.ask(target, token)
    assert response.status == 403
    conform(path, "GET", response)
