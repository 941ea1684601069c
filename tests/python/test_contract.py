"""Every snippet of contract.md, run as written: only `...`, host names and paths are filled in. The package's README lists them.

The Auth API, the daemon and the HTTP between them are real.
"""

import io
import json
import os
import pathlib
import shlex
import socket
import subprocess
import sys
import tempfile

import pytest

from install_for_tests import copy_sources, with_ccache
from servers import ask

HERE = pathlib.Path(__file__).resolve().parent
DOCUMENT = (HERE / "contract.md").read_text()
LINES = DOCUMENT.splitlines()


def snippet(first, last):
    """The lines of the document from one that is `first` to the next that is `last`."""
    begin = LINES.index(first)
    return "\n".join(LINES[begin:LINES.index(last, begin) + 1])


def filled(text, **placeholders):
    for placeholder, value in placeholders.items():
        assert placeholder in text
        text = text.replace(placeholder, value)
    return text


# ---- installation --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """This repository's sources as a git repository with a branch main."""
    root = tmp_path_factory.mktemp("git") / "auth_integration.git"
    copy_sources(root)
    for command in (["init", "-q", "-b", "main"], ["add", "-A"], ["-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-qm", "x"]):
        subprocess.run(["git", *command], cwd=root, check=True)
    return root


@pytest.fixture
def venv(tmp_path):
    """An environment with Debian's packages alone; pip as in the document, offline."""
    subprocess.run(["/usr/bin/python3", "-m", "venv", "--system-site-packages", tmp_path / "venv"], check=True)
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "DJANGO_SETTINGS_MODULE")}
    environment.update(PATH="/usr/bin:/bin", PIP_NO_INDEX="1", PIP_NO_BUILD_ISOLATION="0", PIP_QUIET="1",
                       PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_NO_CACHE_DIR="1", AUTH_INTEGRATION_EXTENSION="required")
    environment = with_ccache(environment, tempfile.gettempdir())
    environment["PATH"] = f"{tmp_path}/venv/bin:{environment['PATH']}"

    def run(command, **more):
        done = subprocess.run(command, env={**environment, **more}, capture_output=True, text=True, cwd=tmp_path, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


WHAT_IS_THERE = """
import auth_integration, auth_integration._claimsd, importlib.metadata as m
print(auth_integration.__file__, m.version("auth_integration"), [one.name for one in m.entry_points(group="pytest11")].count("auth_integration"))
"""


def test_option_1_install_via_git(venv, repository):
    command = filled(snippet("pip install git+https://github.com/YOUR_USERNAME/auth_integration.git@main",
                             "pip install git+https://github.com/YOUR_USERNAME/auth_integration.git@main"),
                     **{"https://github.com/YOUR_USERNAME/auth_integration.git": f"file://{repository}"})
    venv(shlex.split(command))
    path, version, plugins = venv(["python", "-c", WHAT_IS_THERE]).split()
    assert "/venv/lib/" in path and version == "0.2.0" and plugins == "1"


def test_option_2_install_locally(venv, repository):
    text = snippet("pip install -e /path/to/auth_integration", "pip install -e /path/to/auth_integration")
    folder = repository / "client" / "python"
    venv(shlex.split(filled(text, **{"/path/to/auth_integration": str(folder)})))
    assert venv(["python", "-c", WHAT_IS_THERE]).startswith(str(folder))


# ---- configuration -------------------------------------------------------------------------------


SETTINGS = snippet("# settings.py", "}")
INSTALLED = snippet("INSTALLED_APPS = [", "]")
VIEW = snippet("from rest_framework.views import APIView", "        return Response({\"message\": f\"Hello, {request.user_claims['email']}!\"})")


@pytest.fixture
def lumen(claimsd, auth_api, tmp_path):
    """Runs a script in a Django that is set up by the document's snippets; `request(token)` in it gives (status, body) of TechOnlyView."""
    daemon = claimsd(auth_api.url)

    def run(script, installed=True, transport="daemon"):
        settings = filled(SETTINGS, **{"https://auth.example.com": auth_api.url})
        apps = filled(INSTALLED, **{"...": "'rest_framework',"}) if installed else "INSTALLED_APPS = ['rest_framework']"
        (tmp_path / "settings.py").write_text(f"""
{settings}
{apps}
SECRET_KEY, ROOT_URLCONF, USE_TZ = "x", "urls", True
AUTH_INTEGRATION = {{"SOCKET": {str(daemon.socket)!r}, "TRANSPORT": {transport!r}}}
""")
        (tmp_path / "views.py").write_text(VIEW)
        (tmp_path / "urls.py").write_text("""
from django.urls import path
import views
urlpatterns = [path("api/hello/", views.TechOnlyView.as_view())]
""")
        (tmp_path / "script.py").write_text(f"""
import django; django.setup()
from rest_framework.test import APIClient
import views, rest_framework.settings
def request(token, **more):
    answer = APIClient().get("/api/hello/", **({{"HTTP_AUTHORIZATION": f"Bearer {{token}}"}} if token else {{}}))
    return answer.status_code, answer.json()
{script}
""")
        done = subprocess.run([sys.executable, "-B", "-W", "ignore", "script.py"], capture_output=True, text=True, cwd=tmp_path, timeout=120,
                              env={**os.environ, "PYTHONPATH": os.environ["CLINIC_PATH"], "DJANGO_SETTINGS_MODULE": "settings"})
        assert done.returncode == 0, done.stdout + done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    run.api = auth_api
    return run


@pytest.mark.parametrize("transport", ["daemon", "direct"])
@pytest.mark.parametrize("installed", [True, False], ids=["in INSTALLED_APPS", "not in it"])
def test_settings_and_view_work_as_written(lumen, installed, transport):
    tokens = {name: lumen.api.login(name) for name in ("tess", "dana")}
    said = lumen(f"""
import json
for token in ({tokens["tess"]!r}, {tokens["dana"]!r}, "made-up", None):
    print(json.dumps(request(token)))
""", installed, transport)
    assert said[0] == [200, {"message": "Hello, tess@example.com!"}]
    assert [status for status, _ in said] == [200, 403, 401, 401]


def test_user_claims_are_those_of_the_document(lumen):
    shown = json.loads(snippet("{", "}"))
    said = lumen(f"""
import json
from rest_framework.views import APIView
from rest_framework.response import Response
class Claims(APIView):
    def get(self, request):
        return Response(request.user_claims)
from django.test import RequestFactory
answer = Claims.as_view()(RequestFactory().get("/", HTTP_AUTHORIZATION="Bearer {lumen.api.login("tess")}"))
print(json.dumps(answer.data))
""")
    assert set(shown) == {"id", "email", "role"} and set(shown) <= set(said[0])
    assert said[0]["role"] == shown["role"] == "rvt"


def test_the_flow_of_the_model(lumen):
    """Steps 1 to 7: log in, send requests with the header; after logging out the Auth API says 401, and so does Lumen."""
    token = lumen.api.login("tess")
    before = lumen.api.me_requests()
    status, body = lumen(f"import json; print(json.dumps(request({token!r})))")[0]
    assert (status, body) == (200, {"message": "Hello, tess@example.com!"})
    assert lumen.api.me_requests() == before + 1
    lumen.api.logout(token)
    assert lumen(f"import json; print(json.dumps(request({token!r})))", transport="direct")[0][0] == 401


# ---- the Auth API's side -------------------------------------------------------------------------


def raw_request(port, text):
    with socket.create_connection(("127.0.0.1", port)) as connection:
        lines = text.splitlines()
        connection.sendall("\r\n".join([f"{lines[0]} HTTP/1.0", "Host: localhost", *lines[1:], "", ""]).encode())
        data = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = data.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.load(io.BytesIO(body))


def test_the_endpoint_answers_as_documented(auth_api):
    request = snippet("GET /api/me/", "Authorization: Bearer <token>")
    status, body = raw_request(auth_api.port, filled(request, **{"<token>": auth_api.login("ada")}))
    begin = LINES.index("Response if valid:") + 2
    shown = json.loads("\n".join(LINES[begin:LINES.index("}", begin) + 1]))
    assert status == 200 and set(shown) <= set(body) and body["role"] == shown["role"] == "admin"
    assert raw_request(auth_api.port, filled(request, **{"<token>": "made-up"}))[0] == 401
    assert ask(auth_api.port, "GET", "/api/me/")[0] == 401


def test_what_was_coming_soon_has_come():
    """The list at the end of the document, by the names in it."""
    from auth_integration import audit, middleware, permissions
    from auth_integration.transports import claims_cache

    begin = LINES.index("🧪 Coming Soon (Optional Features)")
    assert [line for line in LINES[begin + 1:] if line] == [
        "Caching of user claims (Redis or Django cache)", "CacheUserClaimsMiddleware",
        "Group-based permissions (HasAnyRole, IsAdminOrDoctor)", "Audit logging of auth failures"]
    assert claims_cache.ClaimsCache and middleware.CacheUserClaimsMiddleware and permissions.HasAnyRole and permissions.IsAdminOrDoctor
    assert audit.auth_failure


def test_the_readme_lists_every_snippet_with_its_test():
    readme = (HERE.parents[1] / "client" / "python" / "README.md").read_text()
    tests = [name for name in globals() if name.startswith("test_") and name != "test_the_readme_lists_every_snippet_with_its_test"]
    assert [name for name in tests if f"`{name}`" not in readme] == []
