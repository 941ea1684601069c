"""`./dev --on SUITE COMMAND...`: runs a `./dev` command in a fresh minimal root of that Debian
release, which is discarded afterwards.

The checkout is copied in with its uncommitted changes. The minimal root, downloaded packages and
the compiler cache are kept between runs (with CLAIMSD_ON_COLD=1 only the root). The command runs in
separate namespaces over a copy-on-write layer and shares the host's network.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import suites

HERE = pathlib.Path(__file__).resolve().parent
CHECKOUT = HERE.parents[1]
INSIDE = "root/claimsd"
PASSED_ON = ("TERM", "CI", "NODE_EXTRA_CA_CERTS")


def checkout_files():
    """Relative paths of the files that git tracks or would add."""
    listed = subprocess.run(["git", "-C", str(CHECKOUT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"], capture_output=True, check=False)
    if listed.returncode != 0:
        return [path.relative_to(CHECKOUT) for path in CHECKOUT.rglob("*") if path.is_file() and path.relative_to(CHECKOUT).parts[0] not in ("build", ".git")]
    paths = [pathlib.Path(os.fsdecode(name)) for name in listed.stdout.split(b"\0") if name]
    return [path for path in paths if (CHECKOUT / path).is_file()]


def copy_checkout(target):
    for path in checkout_files():
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(CHECKOUT / path, target / path)


def environment():
    kept = {name: value for name, value in os.environ.items() if name in PASSED_ON or name.startswith("CLAIMSD_")}
    return [f"{name}={value}" for name, value in kept.items()] + ["HOME=/root", "LANG=C.UTF-8", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]


def main(suite, command):
    known = suites.SUPPORTED + suites.NEWER
    if suite not in known:
        return f"no such suite: {suite}; there are {', '.join(known)}"
    if why := suites.why_not():
        return f"--on {why}"
    print(f"a fresh {suite}: preparing its root", flush=True)
    lower = suites.make(suite)
    state = pathlib.Path(tempfile.mkdtemp(prefix=f"on-{suite}-", dir=suites.CACHE))
    try:
        for name in ("upper", "work", "root"):
            (state / name).mkdir()
        copy_checkout(state / "upper" / INSIDE)
        kept = suites.CACHE / f"{suite}-kept"
        for name in ("archives/partial", "ccache"):
            (kept / name).mkdir(parents=True, exist_ok=True)
        cold = "cold" if os.environ.get("CLAIMSD_ON_COLD") else "warm"
        return subprocess.run(["unshare", "--pid", "--fork", "--kill-child", "--mount", "--uts", "--ipc", "--cgroup", "sh", str(HERE / "enter.sh"), str(state),
                               str(lower), str(kept), cold, str(suites.CACHE), "env", "-i", *environment(), f"/{INSIDE}/dev", *command],
                              check=False).returncode
    finally:
        shutil.rmtree(state, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
