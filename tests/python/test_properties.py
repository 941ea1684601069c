"""Random headers and claims: the answer follows the rules and is never a 500."""

import json

import pytest
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st

from auth_integration import runtime
from auth_integration.documents import BadDocument
from auth_integration.mapping import ClaimsMapping
from auth_integration.reasons import REASONS, Answer, answer_of
from auth_integration.testing import FakeAuthApi
from auth_integration.transports.base import identity_of

PATHS = ["/me/", "/tech/", "/not-tech/", "/open/", "/public/", "/public-tech/", "/plain/", "/plain-async/", "/unguarded/", "/staff/"]
MIDDLEWARE = ["auth_integration.middleware.CacheUserClaimsMiddleware"]

TOO_LONG = "Bearer " + "x" * 32769
headers = st.one_of(
    st.none(), st.text(max_size=50), st.binary(max_size=50).map(lambda raw: raw.decode("latin-1")),
    st.builds("{}{}{}".format, st.sampled_from(["Bearer", "bearer", "Basic", ""]), st.text(" \t\0,=", max_size=3),
              st.text(st.characters(max_codepoint=0x2ff), max_size=20)),
    st.just("Bearer token"), st.just(TOO_LONG))
words = st.text(max_size=8) | st.sampled_from(["rvt", "doctor", "admin"])
values = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | words,
                      lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3), max_leaves=6)
documents = st.builds(lambda known, more: json.dumps({**more, **known}).encode("utf-8", "surrogatepass"), st.fixed_dictionaries(
    {}, optional={"id": words | st.integers() | values, "email": words | values, "role": words | st.lists(words, max_size=3) | values}),
    st.dictionaries(words, values, max_size=3))
outages = st.sampled_from(sorted(REASONS)).map(answer_of).filter(lambda answer: answer.verdict != "valid")


class AnyApi(FakeAuthApi):
    """Answers with the document of the example, as the direct transport would have read it."""

    def query(self, token, meta, route, max_age=None):
        if isinstance(self.given_answer, Answer):
            return self.given_answer
        try:
            return identity_of(ClaimsMapping().read(self.given_answer))
        except BadDocument:
            return answer_of("upstream_body")


def expected(path, header, given_answer):
    """The statuses that the rules allow."""
    public = path.startswith(("/public/", "/open/", "/unguarded/"))
    unavailable = isinstance(given_answer, Answer) and given_answer.verdict == "unavailable"
    if path in ("/public/", "/unguarded/"):
        return {200}
    if header is None:
        return {200} if public else {401}
    if header == TOO_LONG:
        return {200, 401, 503}
    if unavailable or not isinstance(given_answer, Answer):
        return {200, 401, 403, 503}
    return {200, 401} if public else {401}


@pytest.mark.parametrize("middleware", [False, True], ids=["alone", "with middleware"])
def test_no_header_and_no_claims_make_a_500(middleware, use):
    if middleware:
        use(MIDDLEWARE=MIDDLEWARE)
    client = Client(raise_request_exception=True)

    @settings(max_examples=700, deadline=None)
    @given(header=headers, given_answer=st.one_of(documents, outages), path=st.sampled_from(PATHS), method=st.sampled_from(["GET", "POST", "OPTIONS"]))
    def holds(header, given_answer, path, method):
        api.given_answer = given_answer
        response = client.generic(method, path, **({} if header is None else {"HTTP_AUTHORIZATION": header}))
        if response.status_code == 405:
            return
        assert response.status_code in expected(path, header, given_answer) | ({200} if method == "OPTIONS" else set())
        response.content.decode()
        if response.status_code == 401:
            assert response["WWW-Authenticate"].startswith("Bearer realm=")
        if response.status_code == 503:
            assert int(response["Retry-After"]) >= 1 and isinstance(given_answer, (Answer, bytes))
        if isinstance(given_answer, Answer) and given_answer.verdict == "unavailable" and header == "Bearer token":
            assert response.status_code != 401

    with AnyApi() as api:
        holds()
        assert runtime.current().transport is api
