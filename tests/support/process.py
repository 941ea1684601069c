"""Shared by all test servers: exit with the parent process, announce the port.

Standard library only; needs Linux (pidfd_open).
"""

import os
import select
import signal
import threading


def die_with_parent():
    """Sends this process SIGTERM as soon as the process that started it exits.

    Uses a pidfd, because PR_SET_PDEATHSIG fires when the forking *thread* ends and so kills servers
    that a test started from a worker thread. In a shell, start the server with `serve.py &`, not
    `(serve.py &)`: the parent would be the subshell, which exits at once.
    """
    parent = os.pidfd_open(os.getppid())

    def watch():
        select.select([parent], [], [])
        # Targets the main thread: a signal on another thread would leave it blocked in select().
        signal.pthread_kill(threading.main_thread().ident, signal.SIGTERM)

    threading.Thread(target=watch, daemon=True, name="parent-watch").start()


def write_atomically(path, text):
    """Writes `text` to `path` so that a reader sees the whole text or no file."""
    scratch = f"{path}.{os.getpid()}.tmp"
    with open(scratch, "w", encoding="ascii") as out:
        out.write(text)
    os.replace(scratch, path)


def announce(text, port_file=None, ready_fd=None):
    """Announces readiness with `text`: a port, or several as JSON."""
    if port_file:
        write_atomically(port_file, text + "\n")
    if ready_fd is not None:
        os.write(ready_fd, (text + "\n").encode("ascii"))
        os.close(ready_fd)
