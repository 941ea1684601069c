"""Shared by the audit tests of a real daemon: a load whose every answer can be matched with the
log, and readers of the log.

There are two kinds of queries. User queries each use a different token, so each answer has its
own record (level "verifications"). Flood queries use malformed tokens: their records are
aggregated, and the record counts must add up to their number.
"""

import json
import subprocess

from peer import Peer
from tokens import jwt, user_of


class Load:
    """One connection for users, one for a flood; both keep several queries open."""

    USERS = 8
    FLOOD = 32

    def __init__(self, daemon, name):
        self.name = name
        self.users, self.flood = Peer(daemon.socket), Peer(daemon.socket)
        self.number = 0
        self.waiting = {}  # request id: user
        self.answered_users = set()
        self.asked_flood = self.refused = 0

    def ask(self):
        while len(self.waiting) < self.USERS:
            self.number += 1
            token = jwt(sub=f"{self.name}-{self.number}")
            self.waiting[self.users.query(token)] = user_of(token)
        while self.asked_flood - self.refused < self.FLOOD:
            self.flood.query("no token")
            self.asked_flood += 1

    def take(self, answers):
        """Receives this many answers of each kind; False if the daemon is gone."""
        return all(self._take_user() and self._take_refusal() for _ in range(answers))

    def take_all(self):
        """Receives all outstanding answers of a running daemon."""
        return all(self._take_user() for _ in range(len(self.waiting))) and \
            all(self._take_refusal() for _ in range(self.asked_flood - self.refused))

    def rest(self):
        """Receives what a dead daemon sent before it ended."""
        for take in (self._take_user, self._take_refusal):
            while take():
                continue

    def _take_user(self):
        message = self.users.receive()
        if message is None:
            return False
        assert message[2]["verdict"] == 1, message
        self.answered_users.add(self.waiting.pop(message[1]))
        return True

    def _take_refusal(self):
        message = self.flood.receive()
        if message is None:
            return False
        assert message[2]["verdict"] == 2, message
        self.refused += 1
        return True

    def close(self):
        self.users.close()
        self.flood.close()


def claimsctl_audit(build, *words):
    return subprocess.run([str(build / "client" / "claimsctl" / "claimsctl"), "audit", *map(str, words)],
                          capture_output=True, text=True, timeout=120)


def records_in(build, directory):
    done = claimsctl_audit(build, "export", "--format", "jsonl", "--directory", directory)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def verified(build, directory):
    """The output of `claimsctl audit verify` for a log that must be intact."""
    done = claimsctl_audit(build, "verify", "--directory", directory, "--json")
    said = json.loads(done.stdout)
    assert done.returncode == 0 and said["whole"], done.stdout + done.stderr
    return said
