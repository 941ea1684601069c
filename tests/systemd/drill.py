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


def fill(directory):
    def inject(d):
        d.machine.run("sh", "-c", f"head -c 1G /dev/zero > {directory}/ballast", check=False)
        d.wait(d.stays_degraded, "the disk stays full", 60)
    return inject


def revoke_on_a_full_disk(d):
    d.machine.run("sh", "-c", f"head -c 1G /dev/zero > {STATE}/ballast", check=False)
    # The file of the revocations may have some free pages.
    d.wait(lambda: d.machine.run("claimsctl", "revoke", "--user", "mallory", check=False).returncode == 75, "a revocation is not durable")


def no_ballast(d):
    d.machine.run("rm", "-f", f"{STATE}/ballast", "/run/claimsd-cache/ballast")


def moved_away(path):
    def inject(d):
        d.machine.run("systemctl", "stop", "claimsd")
        d.machine.run("mv", path, "/root/moved")
        d.fail_to_start()
    return inject


def moved_back(path):
    def cure(d):
        d.machine.run("mv", "/root/moved", path)
        d.machine.run("sh", "-c", RESTART_ALL)
    return cure


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


def fill_the_audit_log(d):
    d.configure(audit={"max_bytes": "4MiB"})
    d.wait(lambda: d.post("/v1/log-level", '{"level":"info"}', 500) and d.findings(), "the audit log is nearly full", 60)


def stop_the_process(d):
    d.machine.run("systemctl", "kill", "--kill-whom=main", "--signal=STOP", "claimsd")


def continue_the_process(d):
    d.machine.run("systemctl", "kill", "--kill-whom=main", "--signal=CONT", "claimsd", check=False)


def crash_at_each_start(d):
    d.machine.write("run/systemd/system/claimsd.service.d/crash.conf", "[Service]\nSystemCallFilter=~epoll_create1\nSystemCallErrorNumber=\n")
    d.machine.run("systemctl", "daemon-reload")
    d.machine.run("systemctl", "stop", "claimsd")
    d.fail_to_start()
    d.wait(lambda: "crashed" in d.lines("status"), "it has crashed three times")


def crash_no_more(d):
    d.machine.path("run/systemd/system/claimsd.service.d/crash.conf").unlink()
    d.machine.run("systemctl", "daemon-reload")


def no_url(d):
    d.write_config(upstream={"url": None})
    d.fail_to_start()


def restore_old_revocations(d):
    copy = "/root/old-revocations"
    d.machine.run("systemctl", "stop", "claimsd")
    d.machine.run("cp", "-a", f"{STATE}/revocations", copy)
    d.machine.run("systemctl", "start", "claimsd")
    d.machine.run("claimsctl", "revoke", "--user", "mallory")
    d.machine.run("systemctl", "stop", "claimsd")
    d.machine.run("mv", f"{STATE}/revocations", "/root/new-revocations")
    d.machine.run("mv", copy, f"{STATE}/revocations")
    d.fail_to_start()


def restore_new_revocations(d):
    d.machine.run("rm", "-rf", f"{STATE}/revocations")
    d.machine.run("mv", "/root/new-revocations", f"{STATE}/revocations")


def unsynchronized_clock(d):
    d.pretend_unsynchronized()


FAULTS = [
    Fault("the Auth API is stopped", auth_api_stops, "status", r"requests to the Auth API \"main\" \(http://127\.0\.0\.1:\d+/echo\) failed.*connect",
          auth_api_works, "start it, then `claimsctl retry`", "ClaimsdAuthApiFailing"),
    Fault("the Auth API's certificate has expired", over_tls("https_expired"), "status", r"failed.*certificate.*expired",
          as_before, "have it renewed", "ClaimsdAuthApiFailing"),
    Fault("the Auth API's certificate has another name", over_tls("https_wrong_name"), "status", r"failed.*(does not match|mismatch|no alternative certificate)",
          as_before, "correct `upstream.NAME.url`, or the certificate", "ClaimsdAuthApiFailing"),
    Fault("DNS does not resolve the Auth API", no_dns, "status", r"failed.*(resolve host|DNS)",
          as_before, "correct `upstream.NAME.url`, or DNS", "ClaimsdAuthApiFailing"),
    Fault("/var is full", fill(STATE), "status", r"the disk of the audit log in /var/lib/claimsd/audit is full",
          no_ballast, "free space; recording resumes within seconds", "ClaimsdAuditNotWritable"),
    Fault("/run is full", fill("/run/claimsd-cache"), "status", r"the claims cache in /run/claimsd-cache could not be read or written",
          no_ballast, "free space; the cache recovers by itself", "ClaimsdCacheTrouble"),
    Fault("the key of the revocations is missing", moved_away(f"{STATE}/revocations/key"), "status", r"cannot start.*revocations",
          moved_back(f"{STATE}/revocations/key"), "restore it from the backup", "ClaimsdDown"),
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
    Fault("the clock is not synchronized", unsynchronized_clock, "doctor", r"clock +this host's clock is not synchronized",
          as_before, "`timedatectl set-ntp true`"),
    Fault("a user reaches the connection limit", too_many_connections, "status", r"uid 0 has daemon\.max_connections_per_uid = 4 connections",
          as_before, "`claimsctl top`; raise the option that status names", "ClaimsdConnectionLimit"),
    Fault("the audit log is near its size", fill_the_audit_log, "status", r"the audit log in /var/lib/claimsd/audit has \d+ % of audit\.max_bytes",
          as_before, "`claimsctl audit report`; raise `audit.max_bytes`", "ClaimsdAuditNearlyFull"),
    Fault("a revocation is not on disk", revoke_on_a_full_disk, "status", r"purges or revocations have been in effect.*not on disk",
          no_ballast, "free space; do not restart claimsd before it is written", "ClaimsdRevocationsNotDurable"),
    Fault("the process hangs", stop_the_process, "status", r"did not answer within 5 s",
          continue_the_process, "nothing: the watchdog restarts it within 10 s", "ClaimsdDown"),
    Fault("the daemon crashes at each start", crash_at_each_start, "status", r"the last \d+ starts crashed",
          crash_no_more, "`journalctl -u claimsd`; it is retried every 5 s", "ClaimsdDown"),
    Fault("no URL is configured", no_url, "status", r"upstream\.main.*url",
          as_before, "set `upstream.main.url`", "ClaimsdDown"),
    Fault("an old state was restored", restore_old_revocations, "status", r"cannot start.*revocations.*not the newest",
          restore_new_revocations, "restore the newest copy, or [accept the set](#start-with-older-revocations)", "ClaimsdDown"),
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
