"""The event of a refused request. Imports no transport, so audit, runtime and the transports can share it."""

from typing import Any, NamedTuple, NoReturn, Optional, Tuple


class AuthFailure(NamedTuple):
    """One refused request, for the signal and the log. Contains no token, no email address and no path, because a path may name a patient."""

    status: int  # 401, 403 or 503
    reason: str  # a word of auth_integration.reasons, "no_token" or "denied"
    method: str
    route: str  # the URL pattern that matched, or ""
    required: Tuple[str, ...]  # the permissions that denied, such as 'HasRole("rvt")'
    user_id: str  # "" for an anonymous request
    client_address: str
    detail: str = ""  # for example the member of the claims document that is not usable


class Report:
    """An event for claimsd, with the token, of which the daemon records a fingerprint. repr() omits the token; pickling is an error."""

    __slots__ = ("event", "token", "trace_id")

    def __init__(self, event: AuthFailure, token: Optional[str], trace_id: Optional[str]) -> None:
        self.event = event
        self.token = token
        self.trace_id = trace_id

    def __repr__(self) -> str:
        return f"<Report {self.event.status} {self.event.reason}>"

    def __reduce_ex__(self, _protocol: Any) -> NoReturn:
        raise TypeError("a Report is not pickled, because it holds a token")
