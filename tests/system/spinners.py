"""Runs spinner.cc: many workers that only look tokens up, counted in memory shared with the
test."""

import mmap
import os
import pathlib
import struct
import subprocess
import time
from typing import NamedTuple

from peer import until
from tokens import user_of

PATIENCE = 60
ROW_SIZE = 128  # as in spinner.cc
STOP, MOMENT = 0, 8


class Row(NamedTuple):
    """The counters of one process: Row of spinner.cc. Times are CLOCK_MONOTONIC in ns."""

    lookups: int
    local: int
    shared: int
    socket: int
    invalid: int
    unavailable: int
    wrong: int
    moment: int
    after: int
    valid_after: int
    slow_after: int
    longest_after: int
    first_socket_after: int
    last_valid: int
    last_map_hit: int

    @property
    def map_hits(self):
        return self.local + self.shared


class Spinners:
    """`count` processes on one daemon's socket; `tokens_of(number)` are the tokens of each."""

    def __init__(self, build, root, socket, count, tokens_of, env=None):
        self.file = pathlib.Path(root) / "spinners"
        self.file.write_bytes(bytes(ROW_SIZE * (count + 1)))
        with open(self.file, "r+b") as file:
            self.memory = mmap.mmap(file.fileno(), 0)
        program = str(pathlib.Path(build) / "tests" / "system" / "claimsd_spinner")
        self.processes = [
            subprocess.Popen(
                [program, str(socket), "spin", str(self.file), str(number + 1)], env={**os.environ, **(env or {})},
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            for number in range(count)]
        for number, process in enumerate(self.processes):
            tell_tokens(process, tokens_of(number))
        self._wait_said("loaded")

    def _wait_said(self, what):
        for process in self.processes:
            line = process.stdout.readline()
            assert line == what + "\n", line or process.communicate()[1]

    def _say_go(self):
        for process in self.processes:
            process.stdin.write("go\n")
            process.stdin.flush()

    def connect(self):
        self._say_go()
        self._wait_said("ready")
        return self

    def go(self):
        self._say_go()
        return self

    def start(self):
        return self.connect().go()

    def rows(self):
        return [Row(*struct.unpack_from(f"<{len(Row._fields)}Q", self.memory, ROW_SIZE * (number + 1)))
                for number in range(len(self.processes))]

    def sum(self, field):
        return sum(getattr(row, field) for row in self.rows())

    def last(self, field):
        return max(getattr(row, field) for row in self.rows())

    def set_moment(self, moment=None):
        """Sets the time from which `after` counts (default: now) and returns it. A row counts from
        it once its `moment` equals it."""
        moment = time.monotonic_ns() if moment is None else moment
        struct.pack_into("<Q", self.memory, MOMENT, moment)
        return moment

    def until_each(self, holds, what, patience=PATIENCE):
        """Waits until `holds` is true for each process' row. A process that ends is an error."""
        def all_hold():
            self.check_alive()
            return all(holds(row) for row in self.rows())

        until(all_hold, what, patience)

    def until_each_goes_on(self, field, count, patience=PATIENCE):
        """Waits until this field of each process has grown by `count`."""
        before = [getattr(row, field) for row in self.rows()]

        def went_on():
            self.check_alive()
            return all(getattr(row, field) >= was + count for row, was in zip(self.rows(), before))

        until(went_on, f"{count} more of {field} in each process, of {before}", patience)

    def check_alive(self):
        for process in self.processes:
            assert process.poll() is None, f"a worker exited with status {process.returncode}: {process.communicate()[1]}"

    def maps(self):
        """The number of lease maps in each process."""
        return [sum("claimsd" in line and "memfd:" in line for line in maps_of(process)) for process in self.processes]

    def stop(self):
        """Stops all of them cleanly."""
        struct.pack_into("<Q", self.memory, STOP, 1)
        for process in self.processes:
            complaints = process.communicate(timeout=PATIENCE)[1]
            assert process.returncode == 0, f"a worker exited with status {process.returncode}: {complaints}"

    def close(self):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.communicate()
        self.memory.close()


def tell_tokens(process, tokens):
    process.stdin.write("".join(f"{token}\t{user_of(token)}\n" for token in tokens) + "\n")
    process.stdin.flush()


def maps_of(process):
    return (pathlib.Path("/proc") / str(process.pid) / "maps").read_text().splitlines()


def run_timed(command, text):
    """Runs a command with `text` on its standard input: (exit code, CLOCK_MONOTONIC in ns right
    before the start and right after the end)."""
    descriptor = os.memfd_create("input")
    try:
        os.write(descriptor, text.encode())
        os.lseek(descriptor, 0, os.SEEK_SET)
        actions = [(os.POSIX_SPAWN_DUP2, descriptor, 0)]
        begin = time.monotonic_ns()
        process = os.posix_spawn(command[0], command, os.environ, file_actions=actions)
        _, status = os.waitpid(process, 0)
        return os.waitstatus_to_exitcode(status), begin, time.monotonic_ns()
    finally:
        os.close(descriptor)
