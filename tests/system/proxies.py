"""Real proxies with the files of client/examples/, in front of a recording application.

Only addresses and paths of those files are replaced. Each proxy listens on a port that this process has bound, or on a Unix socket.
"""

import os
import pathlib
import shutil
import socket
import subprocess
import time

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "client" / "examples"
PATIENCE = 30
SBIN = f"/usr/sbin:{os.environ.get('PATH', '')}"


class Proxy:
    """`claimsd`: path of its HTTP socket; `application`: port. Listens at `address`, which socket.connect() takes."""

    name = ""

    def __init__(self, root, claimsd, application):
        self.root = pathlib.Path(root)
        self._replaced = {"/run/claimsd/http.sock": str(claimsd), "127.0.0.1:8000": f"127.0.0.1:{application}"}
        self.address = None
        self._process = None

    def example(self, name, **more):
        """The text of a file of this proxy's examples, with `more` replaced, which must be in it."""
        text = (EXAMPLES / self.name / name).read_text()
        assert all(old in text for old in more), more
        for old, new in {**self._replaced, **more}.items():
            text = text.replace(old, new)
        return text

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    def run(self, program, *arguments, listener=None, env=None):
        found = shutil.which(program, path=SBIN)
        if found is None:
            raise RuntimeError(f"there is no {program}: install it")
        with open(self.root / "log", "wb") as log:
            self._process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", found, *arguments], env={**os.environ, **(env or {})}, cwd=self.root,
                                             pass_fds=[listener.fileno()] if listener else [], stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def log(self):
        return (self.root / "log").read_text(errors="replace")

    def listen(self):
        listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.address = listener.getsockname()
        return listener

    def connect(self):
        """A connected client socket."""
        family = socket.AF_UNIX if isinstance(self.address, str) else socket.AF_INET
        end = time.monotonic() + PATIENCE
        while True:
            client = socket.socket(family, socket.SOCK_STREAM)
            client.settimeout(PATIENCE)
            try:
                client.connect(self.address)
                return client
            except (FileNotFoundError, ConnectionRefusedError):
                client.close()
                if time.monotonic() > end or self._process.poll() is not None:
                    raise RuntimeError(f"{self.name} does not listen:\n{self.log()}") from None
            time.sleep(0.02)

    def stop(self):
        if self._process and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()


class Nginx(Proxy):
    name = "nginx"
    MAIN = """
{user}
worker_processes 1;
pid {root}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_body_temp_path {root}/body;
  proxy_temp_path {root}/proxy;
  fastcgi_temp_path {root}/fastcgi;
  uwsgi_temp_path {root}/uwsgi;
  scgi_temp_path {root}/scgi;
  include claimsd.conf;
  include site.conf;
}}
"""

    def write_examples(self):
        """What is included in any site: claimsd.conf, and snippets/."""
        self.write("claimsd.conf", self.example("claimsd.conf"))
        for name in ("claimsd-server.conf", "claimsd-headers.conf"):
            self.write(f"snippets/{name}", self.example(name))

    def start(self):
        with self.listen() as listener:
            self.write_examples()
            self.write("site.conf", self.example("site.conf", **{"127.0.0.1:8080": f"127.0.0.1:{self.address[1]}"}))
            main = self.write("nginx.conf", self.MAIN.format(root=self.root, user="user root root;" if os.geteuid() == 0 else ""))
            self.run("nginx", "-c", str(main), "-p", str(self.root), "-e", "stderr", "-g", "daemon off;", listener=listener, env={"NGINX": f"{listener.fileno()};"})
        return self


class Caddy(Proxy):
    name = "caddy"
    GLOBAL = "{\n\tadmin off\n\tauto_https off\n}\n"

    def start(self):
        self.address = str(self.root / "p.sock")
        site = self.example("Caddyfile", **{":8080 {": f"http:// {{\n\tbind unix/{self.address}"})
        path = self.write("Caddyfile", self.GLOBAL + site)
        self.run("caddy", "run", "--config", str(path), "--adapter", "caddyfile", env={"HOME": str(self.root), "XDG_DATA_HOME": str(self.root), "XDG_CONFIG_HOME": str(self.root)})
        return self


class Haproxy(Proxy):
    name = "haproxy"

    def start(self):
        with self.listen() as listener:
            script = self.write("claimsd.lua", self.example("claimsd.lua"))
            path = self.write("haproxy.cfg", self.example("haproxy.cfg", **{"/etc/haproxy/claimsd.lua": str(script), "127.0.0.1:8080": f"fd@{listener.fileno()}"}))
            self.run("haproxy", "-db", "-f", str(path), listener=listener)
        return self


PROXIES = {proxy.name: proxy for proxy in (Nginx, Caddy, Haproxy)}
