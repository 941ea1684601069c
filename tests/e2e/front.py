"""nginx as the only entry to the site: front-end files under a strict policy, `/auth/` to the Auth
API, `/api/` to Lumen, `/notices/` to a backend that leaves tokens to nginx and claimsd, by the files of
client/examples/nginx.

With a single origin no CORS rules are needed. Only those endpoints of the Auth API that a browser
needs are reachable.
"""

import os
import pathlib
import pwd
import shutil
import socket
import string

from proxies import Nginx
from running import Running

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
  upstream notices { server unix:$notices_socket max_fails=0; }
  include claimsd.conf;
  proxy_connect_timeout 2s;
  proxy_read_timeout 15s;
  $headers

  server {
    listen 127.0.0.1:$port;
    root $files;
    include snippets/claimsd-server.conf;

    location = /auth/token/ { $no_store $plain_proxy proxy_pass http://auth_api/api/token/; }
    location = /auth/token/refresh/ { $no_store $plain_proxy proxy_pass http://auth_api/api/token/refresh/; }
    location = /auth/logout/ { $no_store $plain_proxy proxy_pass http://auth_api/api/logout/; }
    location /api/ { $no_store $plain_proxy proxy_pass http://lumen; }
    location = /notices/ { $no_store auth_request /_claimsd/authenticated; proxy_pass http://notices; }
    location = /notices/add/ { $no_store auth_request /_claimsd/clinicians; proxy_pass http://notices; }
    location /assets/ { try_files $$uri =404; $immutable }
    location / { try_files $$uri /index.html; $no_store }
  }
}
""")


# What a backend gets that is not behind auth_request: nothing of the client's in the names of an identity.
PLAIN_PROXY = "include snippets/claimsd-headers.conf; proxy_set_header X-Real-IP $remote_addr;"


def _headers(**more):
    """An add_header in a location replaces all outer ones, so each location repeats them."""
    headers = {**HEADERS, **{name.replace("_", "-"): value for name, value in more.items()}}
    return " ".join(f'add_header {name} "{value}" always;' for name, value in headers.items())


class Front(Running):
    """Serves at `url` while it exists. The port is bound here and passed down, so it cannot be
    taken in between."""

    def __init__(self, root, files, sockets, port=0):
        """`sockets`: the Unix sockets auth, lumen, notices and claimsd (its HTTP socket)."""
        self.root = pathlib.Path(root)
        self.root.mkdir(mode=0o755)
        Nginx(self.root, sockets["claimsd"], application=None).write_examples()
        with socket.create_server(("127.0.0.1", port)) as listener:
            self.port = listener.getsockname()[1]
            self.url = f"http://127.0.0.1:{self.port}"
            configuration = self.root / "nginx.conf"
            configuration.write_text(CONFIGURATION.substitute(
                user=f"user {pwd.getpwuid(0).pw_name} root;" if os.geteuid() == 0 else "", root=self.root, files=files, port=self.port,
                auth_socket=sockets["auth"], lumen_socket=sockets["lumen"], notices_socket=sockets["notices"], plain_proxy=PLAIN_PROXY, headers=_headers(),
                no_store=_headers(Cache_Control="no-store"), immutable=_headers(Cache_Control="public, max-age=31536000, immutable")))
            nginx = shutil.which("nginx", path=f"/usr/sbin:{os.environ.get('PATH', '')}")
            if nginx is None:
                raise RuntimeError("there is no nginx: install nginx-light")
            self.run([nginx, "-c", str(configuration), "-p", str(self.root), "-e", "stderr", "-g", "daemon off;"],
                     env={**os.environ, "NGINX": f"{listener.fileno()};"}, pass_fds=[listener.fileno()])
