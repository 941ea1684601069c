"""What the library adds to a worker: bounded private memory, no thread, one map.

Not for instrumented builds, which need extra memory.
"""

import pytest

from spinners import Spinners
from tokens import jwt

MIB = 1 << 20
LOOKUPS = 100_000


@pytest.fixture
def spinner(build):
    """Makes a spinner of one process."""
    made = []

    def make(daemon, tokens):
        made.append(Spinners(build, daemon.root, daemon.socket, 1, lambda _: tokens))
        return made[-1]

    yield make
    for one in made:
        one.close()


def private_bytes(process):
    """Private memory of the process, clean and dirty: smaps_rollup of proc(5)."""
    with open(f"/proc/{process.pid}/smaps_rollup", encoding="ascii") as file:
        sizes = dict(line.split(":", 1) for line in file if ":" in line and line.endswith("kB\n"))
    return sum(int(sizes[name].split()[0]) * 1024 for name in ("Private_Clean", "Private_Dirty"))


def threads(process):
    with open(f"/proc/{process.pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("Threads:"))


def test_a_client_that_has_seen_many_users_stays_small_and_has_no_thread(claimsd, spinner, faults):
    daemon = claimsd(faults.url("echo"), cache={"lease": "60s"})
    one = spinner(daemon, [jwt(sub=f"user-{number}") for number in range(4000)])
    (process,) = one.processes
    before = private_bytes(process)
    one.start()
    one.until_each(lambda row: row.lookups > LOOKUPS and row.local > 1000 and row.shared > 1000, "enough lookups")
    added = private_bytes(process) - before
    print(f"private memory: {before / 1024:.0f} KiB before, and {added / 1024:.0f} KiB of the client after "
          f"{one.sum('lookups')} lookups")
    assert 64 * 1024 < added <= 2 * MIB  # the local table alone is more than the lower bound
    assert threads(process) == 1
    assert one.maps() == [1]
    one.stop()
    assert one.sum("wrong") == 0


def test_the_local_table_is_excluded_from_core_dumps_and_wiped_on_fork(claimsd, spinner, faults):
    daemon = claimsd(faults.url("echo"))
    one = spinner(daemon, [jwt(sub="user-1")]).start()
    one.until_each(lambda row: row.local > 1000, "it has a table in use")
    flags = []
    with open(f"/proc/{one.processes[0].pid}/smaps", encoding="ascii") as file:
        flags = [set(line.split()[1:]) for line in file if line.startswith("VmFlags:")]
    assert any({"dd", "wf"} <= these for these in flags)  # MADV_DONTDUMP, MADV_WIPEONFORK
    one.stop()
