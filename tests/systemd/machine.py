"""A machine with a real systemd, in its own namespaces over a disposable copy of a root directory.
Needs root."""

import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
LIFE = 900  # seconds; a machine that was not stopped ends then
PATIENCE = 60


def why_not():
    """Why this host cannot run such a machine; "" if it can."""
    if os.geteuid() != 0:
        return "needs root, to boot a systemd"
    missing = [tool for tool in ("unshare", "nsenter", "systemctl") if shutil.which(tool) is None]
    if missing:
        return f"needs {missing[0]}"
    probe = "mount --make-rprivate / && mount -t tmpfs tmpfs /mnt && mkdir /mnt/c && mount -t cgroup2 cgroup2 /mnt/c"
    tried = subprocess.run(["unshare", "--pid", "--fork", "--mount", "--cgroup", "sh", "-c", probe], capture_output=True, text=True)
    return f"needs namespaces and cgroup2: {tried.stderr.strip()}" if tried.returncode else ""


def children(pid):
    return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


class Machine:
    """Boots over `lower`; use as a context manager."""

    def __init__(self, lower):
        self.state = pathlib.Path(tempfile.mkdtemp(prefix="claimsd-machine-"))
        self.log = self.state.with_suffix(".log")
        with open(self.log, "wb") as log:
            self.launcher = subprocess.Popen(
                ["unshare", "--pid", "--fork", "--mount", "--uts", "--ipc", "--cgroup", "--kill-child", "sh", str(HERE / "machine.sh"),
                 str(self.state), str(lower)], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.pid = self._wait_for_systemd()
        self._wait_booted()

    def _wait_for_systemd(self):
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            assert self.launcher.poll() is None, self.log.read_text()
            for child in children(self.launcher.pid):
                if pathlib.Path(f"/proc/{child}/comm").read_text() == "systemd\n":
                    return child
            time.sleep(0.02)
        raise TimeoutError(self.log.read_text())

    def _wait_booted(self):
        deadline = time.monotonic() + PATIENCE
        state = ""
        while time.monotonic() < deadline:
            state = self.run("systemctl", "is-system-running", check=False).stdout.strip()
            if state in ("running", "degraded"):
                return
            time.sleep(0.1)
        raise TimeoutError(f"systemd is {state or 'not there'}: {self.log.read_text()}")

    def command(self, *command):
        """`command` as run by root in the machine."""
        return ["nsenter", "-t", str(self.pid), "-m", "-u", "-i", "-p", "-C", "-r", "-w", *map(str, command)]

    def run(self, *command, check=True, **options):
        done = subprocess.run(self.command(*command), capture_output=True, text=True, timeout=options.pop("timeout", PATIENCE), **options)
        assert not check or done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done

    def path(self, path):
        """A path in the machine, seen from the host. Symbolic links in it may lead astray."""
        return pathlib.Path(f"/proc/{self.pid}/root") / str(path).lstrip("/")

    def write(self, path, text, mode=0o644):
        target = self.path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        target.chmod(mode)

    def install_file(self, source, path):
        shutil.copy(source, self.path(path))
        self.path(path).chmod(0o755)

    def show(self, unit, prop):
        return self.run("systemctl", "show", "--value", f"--property={prop}", unit).stdout.strip()

    def journal(self, unit):
        return self.run("journalctl", "--no-pager", "-o", "cat", "-u", unit, check=False).stdout

    def stop(self):
        if self.launcher.poll() is None:
            self.launcher.send_signal(signal.SIGKILL)  # --kill-child: kills the machine as well
        self.launcher.wait(PATIENCE)
        shutil.rmtree(self.state, ignore_errors=True)
        self.log.unlink(missing_ok=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
