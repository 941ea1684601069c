"""What pyright knows of the package: the types that a site uses, and those of permissions behind the operators. mypy: test_install.py."""

import json
import os
import pathlib
import shutil
import subprocess

import pytest

from typed_site import ERRONEOUS_LINES, SITE, SITE_WITH_ERRORS

HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(os.environ.get("CLAIMSD_BUILD_DIR", "build/dev")).resolve()
INSTALL = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"]


@pytest.fixture(scope="module")
def pyright():
    """The installed package; installed again only if the lock file has changed."""
    target = BUILD / "pyright"
    lock = (HERE / "package-lock.json").read_text()
    installed = target / "installed"
    if not installed.exists() or installed.read_text() != lock:
        target.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, target / name)
        subprocess.run(INSTALL, cwd=target, check=True, timeout=300)
        installed.write_text(lock)
    return target / "node_modules" / "pyright" / "index.js"


@pytest.fixture(scope="module")
def errors(pyright, tmp_path_factory):
    """The errors that one run finds: file -> {(line, rule)}."""
    project = tmp_path_factory.mktemp("types")
    (project / "right.py").write_text(SITE)
    (project / "wrong.py").write_text(SITE_WITH_ERRORS)
    (project / "pyrightconfig.json").write_text(json.dumps({
        "include": ["*.py"], "extraPaths": [str(BUILD / "python")], "typeCheckingMode": "strict", "reportMissingTypeStubs": False,
        "reportMissingModuleSource": False}))
    done = subprocess.run(["node", str(pyright), "--outputjson", "--project", str(project), "--pythonpath", "/usr/bin/python3"], capture_output=True, text=True,
                          check=False, timeout=300)
    report = json.loads(done.stdout)
    assert report["summary"]["filesAnalyzed"] == 2, done.stdout
    found = {"right.py": set(), "wrong.py": set()}
    for problem in report["generalDiagnostics"]:
        found[pathlib.Path(problem["file"]).name].add((problem["range"]["start"]["line"] + 1, problem["rule"]))
    return found


def test_pyright_knows_the_types_that_a_site_uses(errors):
    assert errors["right.py"] == set()


def test_pyright_keeps_the_type_of_a_permission_through_the_operators(errors):
    assert {line for line, _ in errors["wrong.py"]} == ERRONEOUS_LINES, errors
    assert {rule for _, rule in errors["wrong.py"]} == {"reportAssignmentType", "reportArgumentType"}
