"""A fake Auth API for the tests of applications. It needs no network, daemon or database.

    from auth_integration.testing import ClaimsTestCase, FakeAuthApi

    with FakeAuthApi() as api:
        client = api.client(role="rvt", email="tess@example.com")     # REST framework's APIClient, with a token
        assert client.get("/worklist/").status_code == 200
        api.revoke(client.token)
        assert client.get("/worklist/").status_code == 401
        with api.outage():
            assert client.get("/worklist/").status_code == 503
        with api.override_claims(client.token, role="doctor"):
            ...

Headers, authenticators and permissions are the real ones; only the lookup of tokens is replaced. For pytest the plugin of this package has the fixtures
`fake_auth_api` and `client_as`. In a test run a lookup without a FakeAuthApi is an error, unless AUTH_API_URL is on loopback or the test is inside
real_auth_api().
"""

import contextlib
import itertools
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Tuple, Union

from django.test import SimpleTestCase
from rest_framework.test import APIClient

from auth_integration import in_tests, runtime
from auth_integration.claims import Claims
from auth_integration.events import Report
from auth_integration.mapping import claims_of
from auth_integration.reasons import Answer, answer_of
from auth_integration.transports.base import Lost, Meta, Outcome, Transport, identity_of


@contextlib.contextmanager
def real_auth_api() -> Iterator[None]:
    """Allows lookups at the Auth API of the settings inside the block."""
    in_tests.allowed += 1
    try:
        yield
    finally:
        in_tests.allowed -= 1


class Query(NamedTuple):
    token: str
    route: Optional[str]
    max_age: Optional[float] = None


class FakeAuthApi(Transport):
    """A context manager. Inside its block it answers every lookup of this process, whatever the settings say. Blocks nest. Not thread-safe."""

    outlives_settings = True

    def __init__(self) -> None:
        self._users: Dict[str, Claims] = {}
        self._numbers = itertools.count(1)
        self._outage: Optional[Answer] = None
        self._outer: List[Optional[Transport]] = []
        self.queries: List[Query] = []  # the lookups that reached it
        self.reports: List[Report] = []  # the refusals that claimsd's audit log would record

    def __enter__(self) -> "FakeAuthApi":
        self._outer.append(runtime.replace(self))
        return self

    def __exit__(self, *_: object) -> None:
        runtime.replace(self._outer.pop())

    # ---- users -----------------------------------------------------------------------------------

    def issue(self, role: Union[str, List[str], None] = None, **claims: Any) -> str:
        """A token of a new user with these claims. A missing id or email is generated."""
        number = next(self._numbers)
        members: Dict[str, Any] = {"id": f"user-{number}", "email": f"user-{number}@example.com", **claims}
        if role is not None:
            members["role"] = role
        token = f"test-token-{number}"
        self._users[token] = claims_of(members)
        return token

    def client(self, role: Union[str, List[str], None] = None, **claims: Any) -> "ClaimsClient":
        return ClaimsClient(self.issue(role, **claims))

    def anonymous_client(self) -> APIClient:
        return APIClient()

    def revoke(self, token: str) -> None:
        """The token is rejected from now on."""
        del self._users[token]

    @contextlib.contextmanager
    def override_claims(self, token: str, **claims: Any) -> Iterator[None]:
        """Changes claims of a token inside the block; None removes one."""
        before = self._users[token]
        members = {name: value for name, value in {**before, **claims}.items() if value is not None}
        self._users[token] = claims_of(members)
        try:
            yield
        finally:
            self._users[token] = before

    @contextlib.contextmanager
    def outage(self, reason: str = "upstream_connect", retry_after_ms: int = 0) -> Iterator[None]:
        """Every lookup inside the block is unavailable."""
        self._outage = answer_of(reason, retry_after_ms)
        try:
            yield
        finally:
            self._outage = None

    # ---- the transport ---------------------------------------------------------------------------

    def query(self, token: str, meta: Meta, route: Optional[str], max_age: Optional[float] = None) -> Outcome:
        self.queries.append(Query(token, route, max_age))
        if self._outage is not None:
            return self._outage
        claims = self._users.get(token)
        return answer_of("rejected", source="upstream") if claims is None else identity_of(claims)

    async def query_async(self, token: str, meta: Meta, route: Optional[str], max_age: Optional[float] = None) -> Outcome:
        return self.query(token, meta, route, max_age)

    def report(self, report: Report, lost: Lost) -> None:
        self.reports.append(report)

    async def report_async(self, report: Report, lost: Lost) -> None:
        self.report(report, lost)

    def describe(self) -> Tuple[bool, str]:
        return self._outage is None, "a FakeAuthApi"


class ClaimsClient(APIClient):
    """REST framework's test client with a token in its Authorization header."""

    def __init__(self, token: str, **options: Any) -> None:
        super().__init__(**options)
        self.token = token
        self.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")


class ClaimsTestCase(SimpleTestCase):
    """A test case with a FakeAuthApi: `self.auth_api`, `self.client_as("rvt")`."""

    auth_api: FakeAuthApi

    def setUp(self) -> None:
        super().setUp()
        self.auth_api = FakeAuthApi().__enter__()
        self.addCleanup(self.auth_api.__exit__, None, None, None)

    def client_as(self, role: Union[str, List[str], None] = None, **claims: Any) -> ClaimsClient:
        return self.auth_api.client(role, **claims)
