"""Chooses the transport for TRANSPORT = "auto": claimsd on every host that has its socket or configuration, because a direct query skips its
revocations and its audit log."""

import os
from typing import NamedTuple, Optional

DEFAULT_SOCKET = "/run/claimsd/claims.sock"
CONFIGURATION = "/etc/claimsd"


class Choice(NamedTuple):
    transport: str  # "daemon" or "direct"
    reason: str
    explicit: bool = False


def choose(wanted: str, socket: Optional[str]) -> Choice:
    """`wanted` is the option TRANSPORT, `socket` the option SOCKET."""
    if wanted != "auto":
        return Choice(wanted, f'TRANSPORT is "{wanted}"', explicit=True)
    if socket is not None:
        return Choice("daemon", "SOCKET is set")
    if exists(DEFAULT_SOCKET):
        return Choice("daemon", f"{DEFAULT_SOCKET} exists")
    if exists(CONFIGURATION):
        return Choice("daemon", f"{CONFIGURATION} exists, though {DEFAULT_SOCKET} does not: claimsd is down")
    return Choice("direct", f"there is neither {DEFAULT_SOCKET} nor {CONFIGURATION}")


def exists(path: str) -> bool:
    """True also if this user may not see it."""
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True
