"""The schema extension, the tools for applications' tests, imports, and the README's tables."""

import ast
import importlib
import json
import os
import pathlib
import platform
import re
import subprocess
import sys

import django
import pytest
import rest_framework
from rest_framework.test import APIClient

from auth_integration.testing import ClaimsTestCase

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "machine"))

import suites  # noqa: E402


def run(script, **environment):
    """A script in a process of its own, with the package and the clinic on its path."""
    done = subprocess.run([sys.executable, "-B", "-W", "ignore", "-c", script], capture_output=True, text=True, cwd=HERE, timeout=120,
                          env={**os.environ, "PYTHONPATH": os.environ["CLINIC_PATH"], **environment})
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_schema_names_the_bearer_scheme():
    schema = json.loads(run("""
import json
from django.conf import settings
settings.configure(SECRET_KEY="x", ROOT_URLCONF="clinic.urls", AUTH_API_URL="https://auth.example.com", USE_TZ=True,
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "rest_framework", "drf_spectacular", "auth_integration"],
    REST_FRAMEWORK={"DEFAULT_AUTHENTICATION_CLASSES": ["auth_integration.authentication.AuthAPITokenAuthentication"],
                    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema"})
import django; django.setup()
from drf_spectacular.generators import SchemaGenerator
print(json.dumps(SchemaGenerator().get_schema(request=None, public=True)))
""", DJANGO_SETTINGS_MODULE=""))
    assert schema["components"]["securitySchemes"]["AuthAPIToken"]["scheme"] == "bearer"
    assert {"AuthAPIToken": []} in schema["paths"]["/tech/"]["get"]["security"]


@pytest.mark.parametrize("apps", [
    ["rest_framework"], ["rest_framework", "auth_integration"],
    ["django.contrib.contenttypes", "django.contrib.auth", "rest_framework"],
    ["django.contrib.contenttypes", "django.contrib.auth", "rest_framework", "auth_integration"]])
def test_every_combination_of_installed_applications_works(apps):
    assert run(f"""
from django.conf import settings
settings.configure(SECRET_KEY="x", ROOT_URLCONF="clinic.urls", AUTH_API_URL="https://auth.example.com", INSTALLED_APPS={apps!r}, USE_TZ=True,
    REST_FRAMEWORK={{"DEFAULT_AUTHENTICATION_CLASSES": ["auth_integration.authentication.AuthAPITokenAuthentication"]}})
import django; django.setup()
from auth_integration.testing import FakeAuthApi
from rest_framework.test import APIClient
with FakeAuthApi() as api:
    client = api.client("rvt")
    print([client.get(path).status_code for path in ("/tech/", "/admin-or-doctor/", "/public/", "/plain/")],
          [APIClient().get(path).status_code for path in ("/tech/", "/not-tech/", "/open/", "/plain/")])
""", DJANGO_SETTINGS_MODULE="") == "[200, 403, 200, 200] [401, 401, 200, 401]\n"


def test_without_extension_and_daemon_the_direct_transport_serves(tmp_path):
    assert run("""
import sys
sys.modules["auth_integration._claimsd"] = None
import django; django.setup()
from auth_integration import runtime
print(type(runtime.current().transport).__name__)
""") == "DirectTransport\n"


def test_importing_the_package_starts_nothing():
    assert run("""
import os, threading
import django; django.setup()
import clinic.views, clinic.urls, auth_integration.middleware
from auth_integration import runtime
print(runtime._current, threading.active_count(), sorted(os.readlink(f"/proc/self/fd/{fd}")[:6] for fd in os.listdir("/proc/self/fd")
      if os.path.exists(f"/proc/self/fd/{fd}") and "socket" in os.readlink(f"/proc/self/fd/{fd}")))
""") == "None 1 []\n"


def test_claims_can_be_overridden_inside_a_block(api):
    client = api.client(role="receptionist", clinic="North")
    assert client.get("/tech/").status_code == 403
    with api.override_claims(client.token, role=["rvt"], clinic=None):
        assert client.get("/tech/").json()["claims"] == {"id": "user-1", "email": "user-1@example.com", "role": ["rvt"]}
    assert client.get("/tech/").status_code == 403
    api.revoke(client.token)
    assert client.get("/tech/").status_code == 401
    assert api.queries[0].route == "tech/"


class InATestCase(ClaimsTestCase):
    def test_clients_have_roles(self):
        assert self.client_as("rvt").get("/tech/").status_code == 200
        assert self.client_as(["doctor"]).get("/tech/").status_code == 403
        assert APIClient().get("/tech/").status_code == 401


def test_pytest_finds_the_plugin(tmp_path):
    (tmp_path / "test_it.py").write_text("""
def test_roles(client_as, fake_auth_api):
    assert client_as("rvt").get("/tech/").status_code == 200
    with fake_auth_api.outage():
        assert client_as("rvt").get("/tech/").status_code == 503
""")
    (tmp_path / "conftest.py").write_text("import django\ndef pytest_configure():\n    django.setup()\n")
    done = subprocess.run([sys.executable, "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)], capture_output=True, text=True,
                          env={**os.environ, "PYTHONPATH": os.environ["CLINIC_PATH"]}, timeout=120)
    assert done.returncode == 0 and "1 passed" in done.stdout, done.stdout + done.stderr


PACKAGE = HERE.parents[1] / "client" / "python"
REMOVED = [
    "ugettext", "force_text", "smart_text", "urlquote", "is_ajax", "django.conf.urls", "providing_args", "default_app_config", "whitelist", "pytz",
    "is_dst", "USE_L10N", "USE_DEPRECATED_PYTZ", "timezone.utc", "datetime_safe", "baseconv", "make_random_password", "index_together",
    "DEFAULT_FILE_STORAGE", "STATICFILES_STORAGE", "length_is", "format_html", "MiddlewareMixin", "asyncio.iscoroutinefunction", "NullBooleanField"]


def test_nothing_that_later_djangos_removed_is_used():
    sources = "\n".join(path.read_text() for path in (PACKAGE / "auth_integration").rglob("*.py"))
    assert len(sources) > 50000
    assert [name for name in REMOVED if name in sources] == []


def test_the_readme_lists_every_option():
    from auth_integration.conf import OPTIONS

    readme = (PACKAGE / "README.md").read_text()
    rows = [f"| `{name}` | `{option.default!r}` | {option.help} |" for name, option in OPTIONS.items()]
    assert [row for row in rows if row not in readme] == []
    assert re.findall(r"^\| `([A-Z_]+)` \| `", readme, re.MULTILINE) == list(OPTIONS)


def tested_versions():
    """The README's table: suite -> (Python, Django, REST framework)."""
    table = (PACKAGE / "README.md").read_text().split("| Debian suite |")[1].split("\n\n")[0]
    rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in table.splitlines()[2:]]
    return {row[0].split()[0]: tuple(row[1:]) for row in rows}


def test_the_readme_lists_the_suites_that_dev_runs_this_on():
    assert list(tested_versions()) == [*suites.SUPPORTED, *suites.NEWER]


def test_the_readme_lists_the_versions_that_this_run_has():
    """`./dev --on SUITE python` compares each row."""
    versions = (platform.python_version(), django.__version__, rest_framework.VERSION)
    assert tested_versions()[suites.running()] == tuple(".".join(version.split(".")[:2]) for version in versions)


def test_the_readme_imports_only_what_exists():
    snippets = re.findall(r"^```python\n(.*?)^```$", (PACKAGE / "README.md").read_text(), re.DOTALL | re.MULTILINE)
    imports = [node for snippet in snippets for node in ast.walk(ast.parse(snippet)) if isinstance(node, ast.ImportFrom)]
    assert len(snippets) > 5 and len(imports) > 2
    assert [(node.module, alias.name) for node in imports for alias in node.names if not hasattr(importlib.import_module(node.module), alias.name)] == []


def test_no_module_imports_itself_through_others():
    """At the top of a module, where a cycle fails or works by chance. Imports inside functions are delayed on purpose."""
    root = PACKAGE / "auth_integration"
    names = {".".join(("auth_integration", *path.relative_to(root).with_suffix("").parts)): path for path in root.rglob("*.py")}
    imports = {}
    for name, path in names.items():
        imports[name] = set()
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("auth_integration"):
                imports[name] |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)} & set(names)

    def reached(name, seen):
        for other in imports[name] - seen:
            seen.add(other)
            reached(other, seen)
        return seen

    assert [name for name in names if name in reached(name, set())] == []
    assert imports["auth_integration.runtime"] >= {"auth_integration.transports.base"} and "auth_integration.runtime" in imports["auth_integration.audit"]
