"""The backend notices/server.js under Node, on a Unix socket."""

import os
import pathlib
import shutil
import subprocess

from running import Running

SERVER = pathlib.Path(__file__).resolve().parent / "notices" / "server.js"


class NoticesServer(Running):
    """`writers`: the roles that may write, for the page. The gate in claimsd's configuration decides."""

    def __init__(self, root, writers):
        self.root = pathlib.Path(root)
        self.root.mkdir(mode=0o755)
        self.socket = self.root / "notices.sock"
        node = shutil.which("node")
        if node is None:
            raise RuntimeError("there is no node: install nodejs")
        self.run([node, SERVER, self.socket, ",".join(writers)], env=os.environ, cwd=self.root, stdout=subprocess.PIPE)
        if self._process.stdout.readline() != b"ready\n":
            self.stop()
            raise RuntimeError(f"notices/server.js does not start:\n{self.log()}")
