"""The manual pages have valid markup, are complete, and match the build. docs_tables_match_the_code
checks their tables."""

import os
import pathlib
import re
import subprocess

import pytest

from doc_tables import MANUAL, ROOT

BUILD = pathlib.Path(os.environ.get("CLAIMSD_BUILD_DIR", ROOT / "build" / "dev"))
NAMES = {re.sub(r"\.(\d)$", r"(\1)", pathlib.Path(page).name) for page in MANUAL}


def plain(page):
    """The text of a page without markup."""
    text = (ROOT / page).read_text()
    text = re.sub(r"\\f.", "", text).replace("\\-", "-").replace("\\&", "")
    return re.sub(r'^\.(?:[A-Z]{1,2}) ?(.*)$', r"\1", text, flags=re.MULTILINE)


@pytest.mark.parametrize("page", MANUAL)
def test_mandoc_finds_nothing(page):
    done = subprocess.run(["mandoc", "-Tlint", "-W", "warning", ROOT / page], capture_output=True, text=True)
    assert done.stdout + done.stderr == ""


@pytest.mark.parametrize("page", MANUAL)
def test_groff_warns_of_nothing(page):
    done = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", ROOT / page], capture_output=True, text=True,
                          env={**os.environ, "MANROFFSEQ": "", "LC_ALL": "C.UTF-8", "MANWIDTH": "80"})
    assert done.returncode == 0 and done.stderr == ""


@pytest.mark.parametrize("page", MANUAL)
def test_every_page_named_by_a_page_or_a_unit_exists(page):
    named = set(re.findall(r"\b((?:lib)?claims[\w.-]*) ?\((\d)\)", plain(page).replace('" ', " ")))
    assert named and {f"{name}({section})" for name, section in named if "_" not in name} <= NAMES
    for unit in (ROOT / "systemd").glob("claimsd*.s*"):
        assert set(re.findall(r"man:(\S+)", unit.read_text())) <= NAMES


def test_every_function_of_the_library_is_documented():
    exported = set(re.findall(r"^    (claimsd_\w+);", (ROOT / "client" / "src" / "exports.map").read_text(), re.MULTILINE))
    functions = plain("client/libclaimsd.3").split("FUNCTIONS\n")[1].split("TYPES\n")[0]
    assert exported <= set(re.findall(r"(claimsd_\w+)\(", functions))


def test_every_option_of_claimsd_is_documented_and_no_other():
    output = subprocess.run([BUILD / "daemon" / "claimsd", "--help"], capture_output=True, text=True, check=True).stdout
    page = plain("daemon/claimsd.8").split("OPTIONS\n")[1].split("SIGNALS\n")[0]
    assert set(re.findall(r"^\W*(?:-\w,)?(--[\w-]+)", output, re.MULTILINE)) == set(re.findall(r'^(?:-\w.*)?(--[\w-]+)', page, re.MULTILINE))


def test_the_pages_are_installed(tmp_path):
    subprocess.run(["cmake", "--install", BUILD, "--prefix", tmp_path], check=True, capture_output=True)
    for page in MANUAL:
        name = pathlib.Path(page).name
        assert (tmp_path / "share" / "man" / f"man{name[-1]}" / name).exists()
    assert ".so man3/libclaimsd.3" in (tmp_path / "share/man/man3/claimsd_query.3").read_text()
    for file in ("bash-completion/completions/claimsctl", "zsh/vendor-completions/_claimsctl", "fish/vendor_completions.d/claimsctl.fish"):
        assert (tmp_path / "share" / file).exists()
