"""The table of all modes: printed by `serve.py --list`, used by the server and by tests."""

import modes_body
import modes_controlled
import modes_framing
import modes_introspection
import modes_recovery
import modes_status
from tls import LISTENERS

MODES = [
    *modes_framing.MODES,
    *modes_status.MODES,
    *modes_body.MODES,
    *modes_controlled.MODES,
    *modes_recovery.MODES,
    *modes_introspection.MODES,
]

_BY_NAME = {mode.path: mode for mode in MODES}
# One pattern per name, in the order of the table.
_PATTERNS = list({mode.name: (mode.pattern, mode) for mode in MODES if mode.pattern}.values())


def find(name):
    """(mode, parameters) of this path segment, or None."""
    mode = _BY_NAME.get(name)
    if mode is not None and mode.pattern is None:
        return mode, ()
    for pattern, mode in _PATTERNS:
        match = pattern.fullmatch(name)
        if match:
            return mode, tuple(int(number) for number in match.groups())
    for mode in modes_controlled.PREFIXES:
        if name.startswith(mode.name[: -len("NAME")]):
            return mode, ()
    return None


def as_json():
    """Rows for tests: `mode` is ready for use in a URL."""
    return [
        {"mode": mode.path, "pattern": mode.name, "does": mode.does, "verdict": mode.verdict}
        for mode in MODES
    ]


def as_text():
    """The table for people."""
    rows = [(mode.path, mode.verdict, mode.does) for mode in MODES]
    rows += [(mode.name, mode.verdict, mode.does) for mode in modes_controlled.PREFIXES]
    lines = [f"{len(MODES)} modes: GET /MODE/api/me/ is answered by ..."]
    lines += [f"  {name:34} {verdict:12} {does}" for name, verdict, does in rows]
    lines.append("TLS listeners (with --tls-dir; the client trusts ca.pem):")
    lines += [f"  {row.name:34} {row.verdict:12} {row.does}" for row in LISTENERS]
    lines.append(f"  {'https_silent':34} {'unavailable':12} accepts connections, sends no handshake")
    lines.append(f"  {'https_http2':34} {'valid':12} speaks only HTTP/2; POST /_http2 makes its connections fail")
    lines.append(f"  {'https_door':34} {'valid':12} as door with TLS; 127.0.0.3 with its port stays open")
    lines.append(f"  {'127.0.0.2':34} {'unavailable':12} with the port of https: never established")
    lines.append("Other listeners:")
    lines.append(f"  {'door':34} {'':12} as http; POST /_door?open=0 closes it: connections are refused")
    lines.append(f"  {'proxy_trap':34} {'':12} must receive nothing; GET /_trap shows what it received")
    lines.append(f"  {'tcp_full':34} {'unavailable':12} the connection is never established")
    return "\n".join(lines)
