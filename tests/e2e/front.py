"""nginx as the only entry to the site: front-end files under a strict policy, `/auth/` to the Auth
API, `/api/` to Lumen.

With a single origin no CORS rules are needed. Only those endpoints of the Auth API that a browser
needs are reachable.
"""

import os
import pathlib
import pwd
import shutil
import socket
import string
import subprocess

PATIENCE = 30
# Only the site's own files and answers; no inline script, no framing, no form submission, no HTML
# made from strings.
CONTENT_SECURITY_POLICY = "; ".join([
    "default-src 'none'", "script-src 'self'", "style-src 'self'", "font-src 'self'", "img-src 'self'", "connect-src 'self'",
    "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'", "trusted-types 'none'"])
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

CONFIGURATION = string.Template("""
$user
worker_processes 1;
pid $root/nginx.pid;
error_log stderr warn;
events { worker_connections 512; }
http {
  access_log off;
  server_tokens off;
  client_max_body_size 64k;
  client_body_temp_path $root/body;
  proxy_temp_path $root/proxy;
  fastcgi_temp_path $root/fastcgi;
  uwsgi_temp_path $root/uwsgi;
  scgi_temp_path $root/scgi;
  types {
    text/html html;
    text/css css;
    text/javascript js;
    font/woff2 woff2;
    image/svg+xml svg;
  }
  upstream auth_api { server unix:$auth_socket; }
  upstream lumen { server unix:$lumen_socket max_fails=0; }
  proxy_connect_timeout 2s;
  proxy_read_timeout 15s;
  proxy_set_header Host $$http_host;
  proxy_set_header X-Real-IP $$remote_addr;
  $headers

  server {
    listen 127.0.0.1:$port;
    root $files;

    location = /auth/token/ { $no_store proxy_pass http://auth_api/api/token/; }
    location = /auth/token/refresh/ { $no_store proxy_pass http://auth_api/api/token/refresh/; }
    location = /auth/logout/ { $no_store proxy_pass http://auth_api/api/logout/; }
    location /api/ { $no_store proxy_pass http://lumen; }
    location /assets/ { try_files $$uri =404; $immutable }
    location / { try_files $$uri /index.html; $no_store }
  }
}
""")


def _headers(**more):
    """An add_header in a location replaces all outer ones, so each location repeats them."""
    headers = {**HEADERS, **{name.replace("_", "-"): value for name, value in more.items()}}
    return " ".join(f'add_header {name} "{value}" always;' for name, value in headers.items())


class Front:
    """Serves at `url` while it exists. The port is bound here and passed down, so it cannot be
    taken in between."""

    def __init__(self, root, files, auth_socket, lumen_socket, port=0):
        self._root = pathlib.Path(root)
        self._root.mkdir(mode=0o755)
        with socket.create_server(("127.0.0.1", port)) as listener:
            self.port = listener.getsockname()[1]
            self.url = f"http://127.0.0.1:{self.port}"
            configuration = self._root / "nginx.conf"
            configuration.write_text(CONFIGURATION.substitute(
                user=f"user {pwd.getpwuid(0).pw_name} root;" if os.geteuid() == 0 else "", root=self._root, files=files, port=self.port,
                auth_socket=auth_socket, lumen_socket=lumen_socket, headers=_headers(),
                no_store=_headers(Cache_Control="no-store"), immutable=_headers(Cache_Control="public, max-age=31536000, immutable")))
            nginx = shutil.which("nginx", path=f"/usr/sbin:{os.environ.get('PATH', '')}")
            if nginx is None:
                raise RuntimeError("there is no nginx: install nginx-light")
            with open(self._root / "log", "wb") as log:
                self._process = subprocess.Popen(
                    ["setpriv", "--pdeathsig", "TERM", nginx, "-c", str(configuration), "-p", str(self._root), "-e", "stderr", "-g", "daemon off;"],
                    env={**os.environ, "NGINX": f"{listener.fileno()};"}, pass_fds=[listener.fileno()],
                    stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def log(self):
        return (self._root / "log").read_text()

    def stop(self):
        if self._process.poll() is None:
            self._process.terminate()
        self._process.wait(PATIENCE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
