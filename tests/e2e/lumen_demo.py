#!/usr/bin/python3
"""./dev demo --lumen: runs the whole flow for use in a browser.

Prints the address and the users, accepts commands, and leaves nothing behind. Ends on Ctrl-C or
SIGTERM. Without a terminal it accepts no commands and waits.
"""

import argparse
import pathlib
import signal
import sys

from lumen_stack import ORDERS, SERVERS, LumenStack

sys.path.insert(1, str(pathlib.Path(__file__).resolve().parents[1] / "authapi"))

from accounts.seed import PEOPLE, password_of  # noqa: E402

SEES = {
    "rvt": "examinations of their clinic; writes findings",
    "doctor": "studies to read, the overview; signs reports",
    "admin": "everything of both clinics, and the overview",
    "receptionist": "appointments, and nothing clinical",
}
HELP = """Commands, to try while a page is open:
  outage          stop the Auth API: a banner appears, all users stay signed in
  recover         start the Auth API again
  revoke NAME     claimsctl revoke --user: the session of that user ends within seconds, in Lumen and in the notices
  refusals        show the audit records of rejected requests
Ctrl-C stops all processes."""


def announce(stack):
    print(f"Lumen runs at  {stack.url}\n")
    print(f"  {'user name':12}{'password':24}{'role':14}{'clinic':8}sees")
    for _, username, _, role, clinic in PEOPLE:
        print(f"  {username:12}{password_of(username):24}{role:14}{clinic:8}{SEES[role]}")
    print(f"\nA page that another role may not see: {stack.url}/overview as tess\n\n{HELP}", flush=True)


def obey(stack, line):
    """Executes one command; returns the text to print."""
    name, *words = line.split() or [""]
    if name == "":
        return ""
    if name not in ORDERS:
        return HELP
    try:
        said = getattr(stack, name)(*words)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        return f"{name}: {error}"
    if isinstance(said, dict):
        return "\n".join(text.rstrip() for text in said.values())
    if isinstance(said, list):
        return "\n".join("  ".join(f"{key}={value}" for key, value in one.items() if value) for one in said) or "no records yet"
    return said or "done"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", required=True, type=pathlib.Path, help="the build directory")
    parser.add_argument("--front-end", required=True, type=pathlib.Path, help="the built front end")
    parser.add_argument("--server", choices=SERVERS, default="gunicorn", help="the server that runs Lumen")
    parser.add_argument("--port", type=int, default=0, help="the port; 0 (the default): any free one")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        with LumenStack(arguments.build, arguments.front_end, arguments.server, port=arguments.port) as stack:
            announce(stack)
            for line in sys.stdin:
                print(obey(stack, line), flush=True)
            signal.pause()
    except KeyboardInterrupt:
        print("\nAll processes are stopped.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
