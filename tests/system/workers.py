"""Runs worker.cc: real workers with the real library. Standard library only; also used by
demo.py."""

import os
import pathlib
import subprocess
from typing import NamedTuple

PATIENCE = 60


class Answer(NamedTuple):
    """A line of `claimsd_worker ask`."""

    verdict: str
    reason: str
    source: str
    age_ms: int
    ttl_ms: int
    retry_after_ms: int
    id: str
    email: str
    roles: tuple
    json: str


def parse_answer(line):
    verdict, reason, source, age, left, retry, user, email, roles, raw = line.rstrip("\n").split("\t")
    roles = tuple(role for role in roles.split(",") if role)
    return Answer(verdict, reason, source, int(age), int(left), int(retry), user, email, roles, raw)


class Worker:
    def __init__(self, build, socket, *mode, env=None, prefix=(), binary=None):
        binary = binary or pathlib.Path(build) / "tests" / "system" / "claimsd_worker"
        self.process = subprocess.Popen(
            [*prefix, str(binary), str(socket), *map(str, mode)], env={**os.environ, **(env or {})},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def ask(self, token, max_age_ms=None):
        """Sends one query to an `ask` worker."""
        self.say(token if max_age_ms is None else f"{token}\t{max_age_ms}")
        return self.read_answer()

    def read_answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the worker ended: {self.process.communicate()[1]}")
        return parse_answer(line)

    def ask_all(self, tokens):
        """Sends all tokens to an `ask` worker, which then ends; returns the answers in order."""
        out, complaints = self.process.communicate("".join(token + "\n" for token in tokens), PATIENCE)
        assert self.process.returncode == 0, complaints
        return [parse_answer(line) for line in out.splitlines()]

    def prepare(self, token):
        """Gives a `repeat` or `burst` worker its query; go() starts it."""
        self.say(token)

    def wait_ready(self):
        line = self.process.stdout.readline()
        assert line == "ready\n", line or self.process.communicate()[1]

    def go(self):
        self.say("go")

    def result(self):
        """Waits for it to end: (the first answer, {what: how often})."""
        out, complaints = self.process.communicate(timeout=PATIENCE)
        assert self.process.returncode == 0, complaints
        first, *lines = out.splitlines()
        pairs = (line.split("\t") for line in lines)
        return parse_answer(first), {what: int(times) for what, times in pairs}

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
