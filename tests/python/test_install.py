"""Packages of every kind, built offline from Debian's packages, with and without the extension."""

import os
import re
import subprocess
import tarfile
import tempfile
import zipfile

import pytest

from install_for_tests import copy_sources, with_ccache
from typed_site import ERRONEOUS_LINES, SITE, SITE_WITH_ERRORS

PYTHON = "/usr/bin/python3"


@pytest.fixture
def package(tmp_path):
    copy_sources(tmp_path / "repository")
    return tmp_path / "repository" / "client" / "python"


def run(*command, **options):
    environment = with_ccache({**os.environ, **options.pop("env", {})}, tempfile.gettempdir())
    environment.pop("PYTHONPATH", None)
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_a_wheel_is_built_from_the_source_distribution_alone(package, tmp_path):
    run(PYTHON, "-m", "build", "--no-isolation", "--outdir", str(tmp_path / "dist"), str(package), env={"AUTH_INTEGRATION_EXTENSION": "required"})
    sdist, wheel = sorted((tmp_path / "dist").iterdir(), key=lambda path: path.suffix)
    names = tarfile.open(sdist).getnames()
    assert any(name.endswith("native/client/src/handle.cc") for name in names) and not any("build/" in name for name in names)
    assert "-cp310-abi3-linux_" in wheel.name  # and pure ones: see below
    names = zipfile.ZipFile(wheel).namelist()
    assert {"auth_integration/_claimsd.abi3.so", "auth_integration/_claimsd.pyi", "auth_integration/py.typed",
            "auth_integration/management/commands/auth_status.py"} <= set(names)
    assert not any(name.endswith((".cc", ".h")) for name in names)


@pytest.mark.parametrize("environment", [{"AUTH_INTEGRATION_EXTENSION": "no"}, {"CC": "/bin/false"}], ids=["unwanted", "no compiler"])
def test_a_wheel_without_the_extension_is_tagged_as_pure_python(package, tmp_path, environment):
    run(PYTHON, "-m", "pip", "wheel", "--no-build-isolation", "--no-index", "--no-deps", "--no-cache-dir", "--wheel-dir", str(tmp_path / "dist"), str(package),
        env=environment)
    wheel, = (tmp_path / "dist").iterdir()
    assert wheel.name.endswith("-py3-none-any.whl")
    archive = zipfile.ZipFile(wheel)
    assert not [name for name in archive.namelist() if name.endswith(".so") or name.startswith("auth_integration-") and ".data/" in name]
    assert "Root-Is-Purelib: true" in archive.read(next(name for name in archive.namelist() if name.endswith("/WHEEL"))).decode()


@pytest.mark.parametrize("environment", [{"AUTH_INTEGRATION_EXTENSION": "no"}, {"CC": "/bin/false"}], ids=["unwanted", "no compiler"])
def test_the_package_installs_without_the_extension(package, tmp_path, environment):
    run(PYTHON, "-m", "pip", "install", "--no-build-isolation", "--no-index", "--no-deps", "--no-cache-dir", "--root-user-action=ignore",
        "--target", str(tmp_path / "site"), str(package), env=environment)
    assert not list((tmp_path / "site").rglob("*.so"))
    script = "from auth_integration.conf import extension_is_built; print(extension_is_built())"
    assert run(PYTHON, "-W", "ignore", "-c", script, env={"DJANGO_SETTINGS_MODULE": ""}, cwd=tmp_path / "site").strip() == "False"


def test_mypy_accepts_the_package(package):
    assert "Success" in run(PYTHON, "-m", "mypy", "--no-incremental", "--config-file", "pyproject.toml", "auth_integration", cwd=package)


@pytest.fixture(scope="module")
def errors(tmp_path_factory):
    """The errors that one run of a user's mypy finds, by py.typed and the stub: file -> {line}."""
    root = tmp_path_factory.mktemp("types")
    copy_sources(root / "repository")
    (root / "right.py").write_text(SITE)
    (root / "wrong.py").write_text(SITE_WITH_ERRORS)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    output = subprocess.run([PYTHON, "-m", "mypy", "--no-incremental", "--strict", "--ignore-missing-imports", "--follow-imports=silent", "right.py", "wrong.py"],
                            capture_output=True, text=True, timeout=300, cwd=root, check=False,
                            env={**environment, "MYPYPATH": str(root / "repository" / "client" / "python")}).stdout
    assert "checked 2 source files" in output, output
    found = {"right.py": set(), "wrong.py": set()}
    for file, line in re.findall(r"^([^:\n]+):(\d+): error:", output, re.MULTILINE):
        found[file].add(int(line))
    return found


def test_mypy_knows_the_types_that_a_site_uses(errors):
    assert errors["right.py"] == set()


def test_mypy_keeps_the_type_of_a_permission_through_the_operators(errors):
    assert errors["wrong.py"] == ERRONEOUS_LINES
