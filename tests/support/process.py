"""What every test server does around its serving: end with its parent, say where it listens.

Standard library only; needs Linux (pidfd_open).
"""

import os
import select
import signal
import threading


def die_with_parent():
    """Sends this process SIGTERM as soon as the process that started it is gone.

    A pidfd instead of PR_SET_PDEATHSIG, which fires when the *thread* that forked us ends and so
    kills servers that a test started from a helper thread. In a shell, start the server with
    `serve.py &`, not `(serve.py &)`: there the parent is the subshell, and it is gone at once.
    """
    parent = os.pidfd_open(os.getppid())

    def watch():
        select.select([parent], [], [])
        # To the main thread by name: another one would leave it asleep in its select().
        signal.pthread_kill(threading.main_thread().ident, signal.SIGTERM)

    threading.Thread(target=watch, daemon=True, name="parent-watch").start()


def write_atomically(path, text):
    """Writes `text` to `path` so that a reader sees all of it or no file at all."""
    scratch = f"{path}.{os.getpid()}.tmp"
    with open(scratch, "w", encoding="ascii") as out:
        out.write(text)
    os.replace(scratch, path)


def announce(text, port_file=None, ready_fd=None):
    """Says "ready" with `text` (a port, or JSON of several) wherever the caller asked for it."""
    if port_file:
        write_atomically(port_file, text + "\n")
    if ready_fd is not None:
        os.write(ready_fd, (text + "\n").encode("ascii"))
        os.close(ready_fd)
