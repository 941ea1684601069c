"""What every transport does."""

from typing import TYPE_CHECKING, Any, Callable, Dict, Optional, Tuple, Union

from asgiref.sync import sync_to_async

from auth_integration.bearer import Refused, check_token, parse_bearer
from auth_integration.claims import Claims
from auth_integration.reasons import Answer, answer_of
from auth_integration.users import ClaimsUser

if TYPE_CHECKING:
    from auth_integration.audit import Report

Identity = Tuple[ClaimsUser, Claims]  # exactly a tuple: an Answer is one of its subclasses
Found = Union[None, Identity, Answer]  # None: the request brings no bearer token
Lost = Callable[[Answer, int], None]  # told why that many reports may have no record; by any thread


def identity_of(claims: Claims) -> Identity:
    return ClaimsUser(claims), claims


def bearer_of(meta: Dict[str, Any]) -> Union[None, str, Answer]:
    """The token in this META; None where it brings none, an Answer where what it brings cannot be one."""
    if "HTTP_AUTHORIZATION" not in meta:
        return None
    token = parse_bearer(meta["HTTP_AUTHORIZATION"])
    return answer_of(token.reason) if isinstance(token, Refused) else token


class Transport:
    """identify() and its like may be called by any thread. A transport is made after any fork, or survives one."""

    outlives_settings = False  # put there by a test

    def ask(self, token: str, meta: Optional[Dict[str, Any]], route: Optional[str]) -> Union[Identity, Answer]:
        """Whose token is this? It has been checked to be one by its characters."""
        raise NotImplementedError

    def known(self, meta: Dict[str, Any]) -> Optional[Identity]:
        """Who sent the request with this META, where that is known without asking anybody: at once, in a loop or hub, too. Never a refusal."""
        return None

    def identify(self, meta: Dict[str, Any], route: Optional[str]) -> Found:
        """Who sent the request with this META? `route` is the pattern that it matched, for the audit record."""
        token = bearer_of(meta)
        return self.ask(token, meta, route) if isinstance(token, str) else token

    def identify_token(self, token: str, meta: Optional[Dict[str, Any]], route: Optional[str]) -> Union[Identity, Answer]:
        """As identify(), for a token that came another way."""
        reason = check_token(token)
        return self.ask(token, meta, route) if reason is None else answer_of(reason)

    async def ask_async(self, token: str, meta: Optional[Dict[str, Any]], route: Optional[str]) -> Union[Identity, Answer]:
        """As ask(), without blocking the event loop."""
        answer: Union[Identity, Answer] = await sync_to_async(self.ask, thread_sensitive=False)(token, meta, route)
        return answer

    async def identify_async(self, meta: Dict[str, Any], route: Optional[str]) -> Found:
        token = bearer_of(meta)
        return await self.ask_async(token, meta, route) if isinstance(token, str) else token

    async def identify_token_async(
            self, token: str, meta: Optional[Dict[str, Any]], route: Optional[str]) -> Union[Identity, Answer]:
        reason = check_token(token)
        return await self.ask_async(token, meta, route) if reason is None else answer_of(reason)

    def report(self, report: "Report", lost: Lost) -> None:
        """Has a refusal written into the audit log, and says what may not be there: of this one or, later, of earlier ones. There is no such log
        where claimsd is not asked."""

    async def report_async(self, report: "Report", lost: Lost) -> None:
        """As report(), without blocking the event loop."""

    def describe(self) -> Tuple[bool, str]:
        """Whether it could answer just now, and a sentence for `manage.py auth_status`."""
        raise NotImplementedError

    def close(self) -> None:
        """Gives back what it holds."""
