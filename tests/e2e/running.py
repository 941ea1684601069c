"""A server of the site, as a process with a log file."""

import subprocess

PATIENCE = 30  # seconds


class Running:
    """A context manager that stops the process. A subclass sets `root` and starts it in its constructor."""

    _process = None

    def run(self, command, **options):
        """The process ends with this one, however this one ends."""
        with open(self.root / "log", "wb") as log:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", *command], **{"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log, **options})

    def log(self):
        return (self.root / "log").read_text()

    def stop(self):
        if self._process.poll() is None:
            self._process.terminate()
        self._process.wait(PATIENCE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
