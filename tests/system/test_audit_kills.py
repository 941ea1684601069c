"""A daemon killed at any moment under load: every answer that it sent is in the log, and the log is
intact.

CLAIMSD_AUDIT_DAEMON_KILLS sets the number of kills. tests/audit/audit_log_crash_test.cc kills only the log,
more often in the same time.
"""

import os
import random

from audit_traffic import Load, records_in, verified

KILLS = int(os.environ.get("CLAIMSD_AUDIT_DAEMON_KILLS", "30"))
LOOKS = 6  # at the log, between kills


def test_every_answer_sent_is_in_the_log_even_if_the_daemon_is_killed(claimsd, build, faults):
    daemon = claimsd(faults.url("echo"), start=False, limits={"misses_per_uid": 0}, log={"level": "error"},
                     audit={"level": "verifications", "segment_bytes": "1MiB"})
    directory = daemon.root / "audit"
    dice = random.Random(7)
    answered, refused, asked = set(), 0, 0

    def look():
        records = records_in(build, directory)
        assert answered <= {record.get("user") for record in records if record["event"] == "verified"}
        counted = sum(record["count"] for record in records if record["event"] == "rejected_locally")
        assert refused <= counted <= asked
        said = verified(build, directory)
        assert said["events"] == sum(record["count"] for record in records)
        assert said["last"] == len(records)
        return counted

    for kill in range(KILLS):
        daemon.start()
        load = Load(daemon, f"life-{kill}")
        for _ in range(dice.randrange(1, 30)):
            load.ask()
            assert load.take(dice.randrange(1, 8)), daemon.log()
        load.ask()
        daemon.kill()
        load.rest()
        load.close()
        answered |= load.answered_users
        refused += load.refused
        asked += load.asked_flood
        if kill % max(1, KILLS // LOOKS) == 0:
            look()
    assert len(answered) > 10 * KILLS and refused > 10 * KILLS
    counted = look()
    # After a clean stop the records match the sent answers exactly.
    daemon.start()
    load = Load(daemon, "last")
    for _ in range(50):
        load.ask()
        assert load.take(8)
    assert load.take_all()
    daemon.stop()
    answered |= load.answered_users
    refused, asked = counted + load.refused, counted + load.asked_flood
    assert look() == counted + load.refused
    load.close()
