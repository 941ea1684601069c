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
CACHE = "/run/claimsd-cache"
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
    d.configure(upstream={"url": "https://auth.claimsd.invalid", "connect_timeout": None})
    d.ask(4)


def var_is_full(d):
    d.write_config(audit={"level": "every"})
    d.small_disk(STATE)
    d.fill(STATE)
    d.wait(lambda: d.record(500) and d.finds("audit_disk_full"), "the daemon notices the full disk")


def run_is_full(d):
    d.small_disk(CACHE)
    d.fill(CACHE)
    d.wait(lambda: d.ask(10) and d.finds("cache_disk_full"), "the daemon notices the full disk")


def revoke_on_a_full_disk(d):
    d.small_disk(STATE)
    d.fill(STATE)
    assert d.machine.run("claimsctl", "revoke", "--user", "mallory", check=False).returncode == 75


def no_ballast(d):
    d.machine.run("rm", "-f", f"{STATE}/ballast", f"{CACHE}/ballast")


def key_is_missing(d):
    d.machine.run("claimsctl", "revoke", "--user", "mallory")  # without a revocation the daemon makes a new key
    d.machine.run("mv", f"{STATE}/revocations/key", "/root/revocations-key")
    d.fail_to_start()


def key_is_restored(d):
    d.machine.run("mv", "/root/revocations-key", f"{STATE}/revocations/key")


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
        d.wait(lambda: d.finds("socket_lost"), "the daemon notices it")
    return inject


def all_restarted(d):
    d.machine.run("sh", "-c", d.suggested("systemctl stop"))
    assert d.ask(1) == ["ok"]


def too_many_connections(d):
    d.configure(daemon={"max_connections_per_uid": 4})
    d.hold_connections(8)
    d.wait(lambda: d.finds("connections_of_uid_full"), "the daemon rejects a connection")


def fill_the_audit_log(d):
    d.configure(audit={"level": "every", "max_bytes": "4MiB", "segment_bytes": "1MiB"})
    d.wait(lambda: d.record(2000) and d.finds("audit_nearly_full"), "the audit log is nearly full", 120)


def process_hangs(d):
    """The watchdog would end it within 10 s."""
    d.drop_in("[Service]\nWatchdogSec=0\n")
    d.machine.run("systemctl", "restart", "claimsd")
    d.machine.run("systemctl", "kill", "--kill-whom=main", "--signal=STOP", "claimsd")


def process_is_restarted(d):
    d.machine.run("sh", "-c", d.suggested("systemctl restart"))


def crashes_at_each_start(d):
    d.drop_in("[Service]\nSystemCallFilter=~epoll_create1\nSystemCallErrorNumber=\n")  # the kernel kills it
    d.machine.run("systemctl", "stop", "claimsd")
    d.fail_to_start()


def crashes_no_more(d):
    d.no_drop_in()


def no_url(d):
    d.write_config(upstream={"url": None})
    d.machine.run("systemctl", "restart", "claimsd")
    assert "not configured: set upstream.main.url" in d.machine.show("claimsd", "StatusText")
    assert d.machine.show("claimsd", "SubState") == "running"


def url_is_set(d):
    before = d.machine.show("claimsd", "MainPID")
    d.write_config()
    d.machine.run("sh", "-c", d.suggested("systemctl reload"))
    assert d.ask(1) == ["ok"] and d.machine.show("claimsd", "MainPID") == before


def old_state(d):
    d.machine.run("systemctl", "stop", "claimsd")
    d.machine.run("cp", "-a", f"{STATE}/revocations", "/root/old-revocations")
    d.machine.run("systemctl", "start", "claimsd")
    d.machine.run("claimsctl", "revoke", "--user", "mallory")
    d.machine.run("systemctl", "stop", "claimsd")
    d.machine.run("sh", "-ec", f"mv {STATE}/revocations /root/new-revocations; mv /root/old-revocations {STATE}/revocations")
    d.fail_to_start()


def newest_state(d):
    d.machine.run("sh", "-ec", f"rm -rf {STATE}/revocations; mv /root/new-revocations {STATE}/revocations")


FAULTS = [
    Fault("the Auth API is stopped", auth_api_stops, "status", r"requests to the Auth API \"main\" \(http://127\.0\.0\.1:\d+/echo\) failed.*connect",
          auth_api_works, "start it, then `claimsctl retry`", "ClaimsdAuthApiFailing"),
    Fault("the Auth API's certificate has expired", over_tls("https_expired"), "status", r"failed.*certificate.*expired",
          as_before, "have it renewed", "ClaimsdAuthApiFailing"),
    Fault("the Auth API's certificate has another name", over_tls("https_wrong_name"), "status", r"failed.*(does not match|mismatch|no alternative certificate)",
          as_before, "correct `upstream.NAME.url`, or the certificate", "ClaimsdAuthApiFailing"),
    Fault("DNS does not resolve the Auth API", no_dns, "status", r"failed.*(resolve host|DNS)",
          as_before, "correct `upstream.NAME.url`, or DNS", "ClaimsdAuthApiFailing"),
    Fault("/var is full", var_is_full, "status", r"the disk of the audit log in /var/lib/claimsd/audit is full",
          no_ballast, "free space; recording resumes within seconds", "ClaimsdAuditNotWritable"),
    Fault("/run is full", run_is_full, "status", r"the file system of the claims cache in /run/claimsd-cache is full",
          no_ballast, "free space; the cache recovers by itself", "ClaimsdCacheTrouble"),
    Fault("the key of the revocations is missing", key_is_missing, "status", r"cannot start: .*the revocations in /var/lib/claimsd/revocations",
          key_is_restored, "restore `/var/lib/claimsd/revocations` from the backup; the daemon starts within 5 s", "ClaimsdDown"),
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
    Fault("the clock is not synchronized", lambda d: d.unsynchronize(), "doctor", r"warning +clock +this host's clock is not synchronized",
          lambda d: d.synchronize(), "`timedatectl set-ntp true`"),
    Fault("a user reaches the connection limit", too_many_connections, "status", r"uid 0 has daemon\.max_connections_per_uid = 4 connections",
          as_before, "`claimsctl top`; raise the option that status names", "ClaimsdConnectionLimit"),
    Fault("the audit log is near its size", fill_the_audit_log, "status", r"the audit log in /var/lib/claimsd/audit has \d+ % of audit\.max_bytes",
          as_before, "`claimsctl audit report` shows who fills it; raise `audit.max_bytes`", "ClaimsdAuditNearlyFull"),
    Fault("a revocation is not on disk", revoke_on_a_full_disk, "status", r"purges or revocations have been in effect.*not on disk",
          no_ballast, "free space; do not restart claimsd before it is written", "ClaimsdRevocationsNotDurable"),
    Fault("the process hangs", process_hangs, "status", r"did not answer within 5 s",
          process_is_restarted, "nothing: the watchdog restarts it within 10 s; or `systemctl restart claimsd`", "ClaimsdDown"),
    Fault("the daemon crashes at each start", crashes_at_each_start, "status", r"cannot start: the last \d+ starts crashed",
          crashes_no_more, "`journalctl -u claimsd` shows the signal; it is retried every 5 s", "ClaimsdDown"),
    Fault("no URL is configured", no_url, "status", r"not configured: set upstream\.main\.url in /etc/claimsd/claimsd\.toml",
          url_is_set, "set `upstream.main.url`, then `systemctl reload claimsd`", "ClaimsdDown"),
    Fault("an old state was restored", old_state, "status", r"cannot start: the revocations in .* are not the newest",
          newest_state, "restore the newest copy, or [accept the set](#start-with-older-revocations)", "ClaimsdDown"),
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
