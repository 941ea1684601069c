#!/usr/bin/python3
"""The fault drill: a table of faults of an installed claimsd. test_drill.py injects them one by one into
a machine with a real systemd. Each row says what an operator reads in the first five lines of
`claimsctl status` or `claimsctl doctor`, what cures the fault, and which alert fires.

`drill.py --write` puts the table into OPERATIONS.md, "Troubleshooting by symptom".
"""

import pathlib
import sys
from typing import Callable, NamedTuple

OPERATIONS = pathlib.Path(__file__).resolve().parents[2] / "daemon" / "OPERATIONS.md"
BEGIN, END = "<!-- drill -->\n", "<!-- end of drill -->\n"
CONFIG = "/etc/claimsd/claimsd.toml"
STATE = "/var/lib/claimsd"
UNITS = "claimsd.socket claimsd-admin.socket claimsd"
RESTART_ALL = f"systemctl stop {UNITS} && systemctl start {UNITS}"


class Fault(NamedTuple):
    """`inject(drill)` causes it. `tool`: the claimsctl command that names it; `says`: a pattern of its
    first five lines. `cure`: a command that the tool itself suggests, which the test runs as printed,
    or a function. `fix`: the cure for the document."""

    name: str
    inject: Callable
    tool: str
    says: str
    cure: object
    fix: str
    alert: str = ""


# ---- what the rows do; `d` is a Drill (test_drill.py) ---------------------------------------------


def auth_api_stops(d):
    d.valve.close()
    d.ask(4)


def auth_api_works(d):
    d.valve.open()
    d.machine.run("sh", "-c", d.suggested("claimsctl retry"))
    assert d.ask(1) == ["ok"]


def over_tls(port):
    def inject(d):
        d.machine.write("etc/claimsd/ca.pem", (d.faults.tls / "ca.pem").read_text())
        d.configure(upstream={"url": d.faults.url("echo", port), "ca_file": "/etc/claimsd/ca.pem"})
        d.ask(4)
    return inject


def no_dns(d):
    d.configure(upstream={"url": "https://auth.claimsd.invalid"})
    d.ask(4)


def no_ballast(d):
    d.machine.run("rm", "-f", f"{STATE}/ballast", "/run/claimsd-cache/ballast")


def wrong_owner(d):
    d.machine.run("chown", "root:root", CONFIG)
    d.fail_to_start()


def owner_corrected(d):
    d.machine.run("sh", "-c", d.suggested("chgrp "))
    d.machine.run("systemctl", "restart", "claimsd")


def bad_option(d):
    d.write_config(extra="[daemon.nonsense]\n")
    assert d.machine.run("systemctl", "reload", "claimsd", check=False).returncode != 0
    assert d.ask(1) == ["ok"], "a reload that must fail changes nothing"
    d.fail_to_start()


def taken_port(d):
    d.write_config(daemon={"metrics_listen": f"127.0.0.1:{d.taken_port}"})
    checked = d.machine.run("claimsctl", "check-config", check=False)
    assert checked.returncode == 78 and str(d.taken_port) in checked.stderr
    d.fail_to_start()


def as_before(d):
    d.configure()


def remove(*paths):
    def inject(d):
        d.machine.run("rm", "-r", *paths)
        d.wait(d.findings, "the daemon notices it")
    return inject


def all_restarted(d):
    d.machine.run("sh", "-c", d.suggested("systemctl stop"))
    assert d.ask(1) == ["ok"]


def too_many_connections(d):
    d.configure(daemon={"max_connections_per_uid": 4})
    d.hold_connections(8)
    d.wait(d.findings, "the daemon rejects a connection")


FAULTS = [
    Fault("the Auth API is stopped", auth_api_stops, "status", r"requests to the Auth API \"main\" \(http://127\.0\.0\.1:\d+/echo\) failed.*connect",
          auth_api_works, "start it, then `claimsctl retry`", "ClaimsdAuthApiFailing"),
    Fault("the Auth API's certificate has expired", over_tls("https_expired"), "status", r"failed.*certificate.*expired",
          as_before, "have it renewed", "ClaimsdAuthApiFailing"),
    Fault("the Auth API's certificate has another name", over_tls("https_wrong_name"), "status", r"failed.*(does not match|mismatch|no alternative certificate)",
          as_before, "correct `upstream.NAME.url`, or the certificate", "ClaimsdAuthApiFailing"),
    Fault("DNS does not resolve the Auth API", no_dns, "status", r"failed.*(resolve host|DNS)",
          as_before, "correct `upstream.NAME.url`, or DNS", "ClaimsdAuthApiFailing"),
    Fault("the configuration has a wrong owner", wrong_owner, "doctor", r"FAILED +configuration.*user claimsd cannot read /etc/claimsd/claimsd\.toml",
          owner_corrected, "`chgrp claimsd /etc/claimsd/claimsd.toml`, then `systemctl restart claimsd`", "ClaimsdDown"),
    Fault("a bad option", bad_option, "status", r"cannot start.*claimsd\.toml:\d+.*nonsense",
          as_before, "correct the line that it names; `claimsctl check-config` finds it before a restart", "ClaimsdDown"),
    Fault("the metrics port is taken", taken_port, "status", r"cannot start.*127\.0\.0\.1:\d+ for metrics",
          as_before, "free the port, or change `daemon.metrics_listen`; `claimsctl check-config` finds it before a restart", "ClaimsdDown"),
    Fault("the claims socket was removed", remove("/run/claimsd/claims.sock"), "status", r"/run/claimsd/claims\.sock no longer leads to this daemon",
          all_restarted, f"`{RESTART_ALL}`", "ClaimsdSocketLost"),
    Fault("/run/claimsd was removed", remove("/run/claimsd"), "status", r"/run/claimsd/claims\.sock no longer leads to this daemon",
          all_restarted, f"`{RESTART_ALL}`", "ClaimsdSocketLost"),
    Fault("a user reaches the connection limit", too_many_connections, "status", r"uid 0 has daemon\.max_connections_per_uid = 4 connections",
          as_before, "`claimsctl top`; raise the option that status names", "ClaimsdConnectionLimit"),
]


def table():
    lines = ["| fault | first lines of | alert | what to do |", "|---|---|---|---|"]
    for fault in FAULTS:
        lines.append(f"| {fault.name} | `claimsctl {fault.tool}` | {fault.alert and f'`{fault.alert}`'} | {fault.fix} |")
    return "\n".join(lines) + "\n"


def with_table(text):
    before, rest = text.split(BEGIN)
    return before + BEGIN + table() + END + rest.split(END, 1)[1]


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit(__doc__)
    OPERATIONS.write_text(with_table(OPERATIONS.read_text()))
