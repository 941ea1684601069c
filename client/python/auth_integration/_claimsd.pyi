from typing import Any, Callable, Dict, NamedTuple, Optional, Tuple, TypeVar, Union

from auth_integration.reasons import Answer as Answer
from auth_integration.transports.base import Identity

ANY_AGE: int
ANY_TRUSTED_UID: int
DEFAULT_SOCKET: str
LIBRARY_VERSION: str

def parse_bearer(header: str) -> Union[None, str, Tuple[str]]: ...

class Stream:
    def send(self, tag: int, token: str, meta: Optional[Dict[str, Any]] = None, route: Optional[str] = None, timeout_ms: int = 0,
             max_age_ms: int = ...) -> None: ...
    def report(
        self,
        tag: int,
        status: int,
        *,
        token: Optional[str] = None,
        reason: Optional[str] = None,
        user: Optional[str] = None,
        method: Optional[str] = None,
        route: Optional[str] = None,
        required: Optional[str] = None,
        client_address: Optional[str] = None,
        trace_id: Optional[str] = None,
        timeout_ms: int = 0,
    ) -> None: ...
    def receive(self) -> Optional[Tuple[int, Tuple[Optional[Identity], Optional[Answer]]]]: ...
    def cancel(self, tag: int, /) -> bool: ...
    def fileno(self) -> int: ...
    def pending(self) -> int: ...
    def close(self) -> None: ...

class Handle:
    def __init__(
        self,
        make: Callable[[str, str, str, Tuple[str, ...], bool], Identity],
        *,
        socket: Optional[str] = None,
        upstream: Optional[str] = None,
        client_name: Optional[str] = None,
        timeout_ms: int = 0,
        max_connections: int = 0,
        daemon_uid: int = ...,
    ) -> None: ...
    def known(self, meta: Dict[str, Any], /) -> Optional[Identity]: ...
    def identify(self, meta: Dict[str, Any], route: Optional[str], /) -> Union[None, str, Identity, Answer]: ...
    def identify_token(self, token: str, meta: Optional[Dict[str, Any]], route: Optional[str], /) -> Union[str, Identity, Answer]: ...
    def query(
        self, token: str, *, meta: Optional[Dict[str, Any]] = None, route: Optional[str] = None, timeout_ms: int = 0, max_age_ms: int = ...
    ) -> Tuple[Optional[Identity], Answer]: ...
    def report(
        self,
        status: int,
        *,
        token: Optional[str] = None,
        reason: Optional[str] = None,
        user: Optional[str] = None,
        method: Optional[str] = None,
        route: Optional[str] = None,
        required: Optional[str] = None,
        client_address: Optional[str] = None,
        trace_id: Optional[str] = None,
        timeout_ms: int = 0,
        await_record: bool = False,
    ) -> Optional[Answer]: ...
    def ping(self, *, timeout_ms: int = 0) -> Tuple[Optional[int], Optional[Answer]]: ...
    def statistics(self) -> Dict[str, Any]: ...
    def stream(self) -> Stream: ...
    def close(self) -> None: ...
