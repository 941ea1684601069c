"""The interface of all transports."""

from typing import Any, Callable, Dict, Optional, Tuple, Union

from asgiref.sync import sync_to_async

from auth_integration.bearer import Refused, check_token, parse_bearer
from auth_integration.claims import Claims
from auth_integration.events import Report
from auth_integration.reasons import Answer, answer_of
from auth_integration.users import ClaimsUser

Identity = Tuple[ClaimsUser, Claims]  # exactly a tuple, because Answer is a subclass of it
Outcome = Union[Identity, Answer]
Found = Union[None, Identity, Answer]  # None: the request has no bearer token
Meta = Optional[Dict[str, Any]]
Lost = Callable[[Answer, int], None]  # called by any thread with the reason and the number of reports that may have no record


def identity_of(claims: Claims) -> Identity:
    return ClaimsUser(claims), claims


def bearer_of(meta: Dict[str, Any]) -> Union[None, str, Answer]:
    """The token in this META; None if there is none, an Answer if the header is broken."""
    if "HTTP_AUTHORIZATION" not in meta:
        return None
    token = parse_bearer(meta["HTTP_AUTHORIZATION"])
    return answer_of(token.reason) if isinstance(token, Refused) else token


class Transport:
    """Any thread may call it. `route` is the URL pattern that matched, for the audit record. `max_age` is the maximum age of
    the Auth API's confirmation in seconds. None: as the caches allow. 0: query it now."""

    outlives_settings = False  # True: a test installed it

    def query(self, token: str, meta: Meta, route: Optional[str], max_age: Optional[float] = None) -> Outcome:
        """Looks up a token whose characters have been checked."""
        raise NotImplementedError

    def known(self, meta: Dict[str, Any]) -> Optional[Identity]:
        """Returns the sender of the request with this META, if this process knows the token. Never blocks, and never returns a rejection."""
        return None

    def identify(self, meta: Dict[str, Any], route: Optional[str]) -> Found:
        """Looks up the sender of the request with this META."""
        token = bearer_of(meta)
        return self.query(token, meta, route) if isinstance(token, str) else token

    def identify_token(self, token: str, meta: Meta, route: Optional[str], max_age: Optional[float] = None) -> Outcome:
        """Like identify(), for a token that is not in META."""
        reason = check_token(token)
        return self.query(token, meta, route, max_age) if reason is None else answer_of(reason)

    async def query_async(self, token: str, meta: Meta, route: Optional[str], max_age: Optional[float] = None) -> Outcome:
        """Like query(), without blocking the event loop."""
        answer: Outcome = await sync_to_async(self.query, thread_sensitive=False)(token, meta, route, max_age)
        return answer

    async def identify_async(self, meta: Dict[str, Any], route: Optional[str]) -> Found:
        token = bearer_of(meta)
        return await self.query_async(token, meta, route) if isinstance(token, str) else token

    async def identify_token_async(self, token: str, meta: Meta, route: Optional[str], max_age: Optional[float] = None) -> Outcome:
        reason = check_token(token)
        return await self.query_async(token, meta, route, max_age) if reason is None else answer_of(reason)

    def report(self, report: Report, lost: Lost) -> None:
        """Sends a refusal to the audit log. Calls `lost` for this report, or later for earlier ones, if there may be no record. Without claimsd there
        is no such log, and nothing is sent."""

    async def report_async(self, report: Report, lost: Lost) -> None:
        """Like report(), without blocking the event loop."""

    def describe(self) -> Tuple[bool, str]:
        """Whether it can answer now, and a sentence for `manage.py auth_status`."""
        raise NotImplementedError

    def close(self) -> None:
        """Releases its connections."""
