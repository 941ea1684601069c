"""Claims documents: the cases shared with the daemon, and the handling of tolerated values."""

import base64
import json
import logging
import pathlib
import subprocess

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

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


SETTINGS = {"role_claims": ["role", "/a/b", {"at": "scope", "form": "words"}, {"at": "k", "form": "keys"}]}  # those of document_reader.cc
SCALARS = [b"1", b"-0", b"1.5", b"1e5", b"1e999", b"18446744073709551615", b"18446744073709551616", b"-9223372036854775809", b"9" * 30, b"01", b"1.", b"true", b"null",
           b"NaN", b"Infinity", b'""', b'"x"', b'"a b"', b'"\\ud800"', b'"\\ud83d\\ude00"', b'"\\udc00"', b'"\\u0000"', b'"\\n"', b'"\\x"', b'"\x7f"', b'"\xc3\xa9"',
           b'"\xc3"', b'"\xed\xa0\x80"', b'"a\nb"', b'"' + b"r" * 513 + b'"', b"[]", b"{}", b"[" * 33 + b"]" * 33, b"tru", b""]
NAMES = [b'"id"', b'"email"', b'"role"', b'"a"', b'"b"', b'"scope"', b'"k"', b'"x"', b'"\\u0069d"', b'"_claim_names"', b'"hasgroups"', b'"\\ud800"', b"id"]


def documents():
    def containers(values):
        members = st.lists(st.tuples(st.sampled_from(NAMES), values), max_size=5).map(lambda pairs: b"{" + b",".join(name + b":" + value for name, value in pairs) + b"}")
        return st.lists(values, max_size=4).map(lambda items: b"[" + b", ".join(items) + b"]") | members

    values = st.recursive(st.sampled_from(SCALARS), containers, max_leaves=8)
    good = st.lists(st.tuples(st.sampled_from(NAMES), values), max_size=6).map(
        lambda pairs: b'{"id":"u"' + b"".join(b"," + name + b":" + value for name, value in pairs) + b"}")
    return good | values | st.binary(max_size=40) | st.tuples(good, st.binary(max_size=3)).map(b"".join)


@pytest.fixture(scope="module")
def daemons_reader(build):
    with subprocess.Popen([str(build / "tests" / "claims" / "claimsd_document_reader")], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as reader:
        def read(body):
            reader.stdin.write(base64.b64encode(body) + b"\n")
            reader.stdin.flush()
            return json.loads(reader.stdout.readline())

        yield read
        reader.stdin.close()


@settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))
@given(documents())
def test_the_daemon_reads_any_document_in_the_same_way(daemons_reader, body):
    theirs = daemons_reader(body)
    try:
        claims = ClaimsMapping(**SETTINGS).read(body)
    except (BadDocument, RolesUnknown) as error:
        assert theirs["reason"] == REASONS[type(error)][1], (body, str(error), theirs)
        return
    assert theirs == {"reason": "ok", "id": str(claims.id), "email": claims.email, "roles": list(claims.roles)}, body


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
