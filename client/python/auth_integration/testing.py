"""For the tests of applications: an Auth API of one's own, without a network, a daemon or a database.

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

Headers, authenticators and permissions are the real ones; only the question to the Auth API is answered here. With pytest the fixtures `fake_auth_api`
and `client_as` do the same (the plugin comes with the package).
"""

import contextlib
import itertools
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Tuple, Union

from django.test import SimpleTestCase
from rest_framework.test import APIClient

from auth_integration import runtime
from auth_integration.audit import Report
from auth_integration.claims import Claims, claims_of
from auth_integration.reasons import Answer, answer_of
from auth_integration.transports.base import Identity, Lost, Transport, identity_of


class Question(NamedTuple):
    token: str
    route: Optional[str]


class FakeAuthApi(Transport):
    """A context manager; while it is entered, this process asks it alone. Not for several threads at once."""

    outlives_settings = True

    def __init__(self) -> None:
        self._users: Dict[str, Claims] = {}
        self._numbers = itertools.count(1)
        self._outage: Optional[Answer] = None
        self.questions: List[Question] = []  # what was asked of it
        self.reports: List[Report] = []  # refusals, as claimsd's audit log would have them

    def __enter__(self) -> "FakeAuthApi":
        runtime.replace(self)
        return self

    def __exit__(self, *_: object) -> None:
        runtime.replace(None)

    # ---- who there is ----------------------------------------------------------------------------

    def issue(self, role: Union[str, List[str], None] = None, **claims: Any) -> str:
        """A token of a new user with these claims; id and email are made up where they are not given."""
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
        """The Auth API refuses it from now on."""
        del self._users[token]

    @contextlib.contextmanager
    def override_claims(self, token: str, **claims: Any) -> Iterator[None]:
        """Other claims for a token, for a while; None takes one away."""
        before = self._users[token]
        members = {name: value for name, value in {**before, **claims}.items() if value is not None}
        self._users[token] = claims_of({**members, "role": list(members["role"])} if isinstance(members.get("role"), tuple) else members)
        try:
            yield
        finally:
            self._users[token] = before

    @contextlib.contextmanager
    def outage(self, reason: str = "upstream_connect", retry_after_ms: int = 0) -> Iterator[None]:
        """Nobody can say who anybody is."""
        self._outage = answer_of(reason, retry_after_ms)
        try:
            yield
        finally:
            self._outage = None

    # ---- the transport ---------------------------------------------------------------------------

    def ask(self, token: str, meta: Optional[Dict[str, Any]], route: Optional[str]) -> Union[Identity, Answer]:
        self.questions.append(Question(token, route))
        if self._outage is not None:
            return self._outage
        claims = self._users.get(token)
        return answer_of("rejected", source="upstream") if claims is None else identity_of(claims)

    async def ask_async(self, token: str, meta: Optional[Dict[str, Any]], route: Optional[str]) -> Union[Identity, Answer]:
        return self.ask(token, meta, route)

    def report(self, report: Report, lost: Lost) -> None:
        self.reports.append(report)

    async def report_async(self, report: Report, lost: Lost) -> None:
        self.report(report, lost)

    def describe(self) -> Tuple[bool, str]:
        return self._outage is None, "a test's own Auth API"


class ClaimsClient(APIClient):
    """REST framework's test client with a token in its Authorization header."""

    def __init__(self, token: str, **options: Any) -> None:
        super().__init__(**options)
        self.token = token
        self.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")


class ClaimsTestCase(SimpleTestCase):
    """A test case with an Auth API of its own: `self.auth_api`, `self.client_as("rvt")`."""

    auth_api: FakeAuthApi

    def setUp(self) -> None:
        super().setUp()
        self.auth_api = FakeAuthApi().__enter__()
        self.addCleanup(self.auth_api.__exit__, None, None, None)

    def client_as(self, role: Union[str, List[str], None] = None, **claims: Any) -> ClaimsClient:
        return self.auth_api.client(role, **claims)
