"""Claims documents: the cases shared with the daemon, and the handling of tolerated values."""

import base64
import json
import logging
import pathlib

import pytest

from auth_integration.claims import claims_from_daemon
from auth_integration.documents import BadDocument, parse
from auth_integration.transports.jwt_times import NEVER, times_of
from auth_integration.mapping import WARN_AFTER, ClaimsMapping, Mismatch, Pointer, RolesUnknown

FOLDER = pathlib.Path(__file__).resolve().parents[1] / "testdata" / "documents"
CASES = [(path.stem, case) for path in sorted(FOLDER.glob("*.json")) for case in json.loads(path.read_text())["cases"]]
REASONS = {BadDocument: ("unavailable", "upstream_body"), RolesUnknown: ("unavailable", "roles_unknown"), Mismatch: ("invalid", "claim_mismatch")}


TOKENS = json.loads((FOLDER.parent / "tokens" / "times.json").read_text())["cases"]


def body_of(case):
    if "document_base64" in case:
        return base64.b64decode(case["document_base64"])
    return case["document"].replace("@PAD@", "x" * case.get("pad", 0)).encode()


def test_there_are_enough_cases_with_unique_names():
    assert len(CASES) >= 60
    assert len({(file, case["name"]) for file, case in CASES}) == len(CASES)


@pytest.mark.parametrize("file,case", CASES, ids=[f"{file}: {case['name']}" for file, case in CASES])
def test_each_case_has_its_verdict(file, case):
    expected, payload = case["expect"], case.get("token_payload")
    try:
        claims = ClaimsMapping(**case.get("settings", {})).read(body_of(case), None if payload is None else payload.encode())
    except (BadDocument, Mismatch, RolesUnknown) as error:
        assert REASONS[type(error)] == (expected["verdict"], expected["reason"]), str(error)
        assert f'"{expected["member"]}"' in str(error) if "member" in expected else True
        return
    assert (expected["verdict"], expected["reason"]) == ("valid", "ok")
    assert (claims.id, claims.email, list(claims.roles)) == (expected["id"], expected["email"], expected["roles"])
    assert type(claims.id) is type(expected["id"])
    json.dumps(claims, ensure_ascii=False, allow_nan=False).encode()  # as REST framework's renderer does


@pytest.mark.parametrize("case", TOKENS, ids=[case["name"] for case in TOKENS])
def test_each_token_has_its_times(case):
    expected = case["expect"]
    payload = base64.urlsafe_b64encode(case.get("token_payload", "").encode()).decode().rstrip("=")
    times = times_of(case.get("token", f"e30.{payload}.c2ln"))
    found = times.expires_at if times.expires_at < 2**62 else NEVER  # 2^70 s is the same as never
    assert (found, times.issued_at) == (expected.get("exp", NEVER), expected.get("iat", -NEVER))
    assert times.readable == expected["readable"]
    if "exp" in expected:
        assert times.exact == expected["exact"]
    assert times.rejected_after == (found if times.exact else NEVER) or found == NEVER


@pytest.mark.parametrize("options,said", [
    ({"id_claim": ""}, "ID_CLAIM"), ({"role_claims": [5]}, "ROLE_CLAIMS"), ({"role_claims": [{"form": "list"}]}, "ROLE_CLAIMS"),
    ({"role_claims": [{"at": "x", "form": "csv"}]}, "unknown form 'csv'"), ({"role_claims": ["/a~2b"]}, "invalid escape"), ({"require": {"/~": 1}}, "REQUIRE"),
    ({"role_claims": [{"at": "x", "from": "list"}]}, "ROLE_CLAIMS")])
def test_a_wrong_option_is_named(options, said):
    with pytest.raises(ValueError, match=said):
        ClaimsMapping(**options)


def test_no_message_contains_a_value_of_the_document():
    for file, case in CASES:
        try:
            ClaimsMapping(**case.get("settings", {})).read(body_of(case).replace(b"user", b"s3cr"), None)
        except (BadDocument, Mismatch, RolesUnknown) as error:
            assert "s3cr" not in str(error)


def test_a_role_claim_that_never_appears_is_a_warning_once(caplog):
    mapping = ClaimsMapping(role_claims=["role", "/realm_access/roles"])
    for _ in range(3 * WARN_AFTER):
        mapping.read(b'{"id":1,"role":"rvt"}')
    assert [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING] == [
        'no claims document had the role claim "/realm_access/roles" so far: check ROLE_CLAIMS']


def test_an_odd_email_address_is_a_warning_once(caplog):
    mapping = ClaimsMapping()
    for _ in range(3):
        assert mapping.read(b'{"id":1,"email":["x@example.com"]}').email == ""
    assert len(caplog.records) == 1 and "example.com" not in caplog.text


def test_a_tolerated_document_from_the_daemon_can_be_rendered():
    document = '{"id":7,"note":"a\\u0000\\ud800","n":1e999,"m":' + "9" * 5000 + ',"x":1,"x":2}'
    claims = claims_from_daemon(document, "7", "", ())
    assert claims.id == 7 and claims["x"] == 2 and claims["n"] == "1e999" and claims["note"] == "a\0\ufffd"
    json.dumps(claims, ensure_ascii=False, allow_nan=False).encode()
    assert claims_from_daemon('{"sub":7,"id":8}', "7", "", (), id_claim="sub").id == 7
    assert claims_from_daemon('{"id":8}', "7", "", ()).id == "7"  # the daemon's word counts


def test_a_pointer_names_what_rfc_6901_says():
    assert Pointer("/a~1b/m~0n").find(parse(b'{"a/b":{"m~n":5}}')) == 5
