"""The ABI of libclaimsd.so stays what programs were linked with, by abidiff(1).

From version 1.0 on, tests/client/abi/ holds the baseline of the last release; `CLAIMSD_ABI_WRITE=1` writes it. What was
added on purpose goes into the baseline; what was removed or changed needs another SONAME. Before 1.0 there is no
baseline, and the tests show that the tool notices a change.
"""

import os
import pathlib
import re
import subprocess

import pytest

import built

STORED = pathlib.Path(__file__).resolve().parent / "abi" / "libclaimsd.abi"
HEADERS = os.path.join(built.SOURCE, "client", "include")
OPTIONS = ("--drop-private-types", "--exported-interfaces-only")
INCOMPATIBLE = 8  # a bit of abidiff's exit code: abidiff(1)


def write_baseline(path):
    path.parent.mkdir(exist_ok=True)
    built.run("abidw", "--headers-dir", HEADERS, *OPTIONS, "--no-comp-dir-path", "--no-corpus-path", "--no-show-locs", "--no-parameter-names",
              "--out-file", str(path), built.library())


def compare(baseline, library):
    """(exit code, report) of the baseline against that library."""
    done = subprocess.run(["abidiff", "--headers-dir2", HEADERS, *OPTIONS, str(baseline), str(library)], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def linked_without(symbol, out):
    """The library's own objects, linked with one symbol less exported."""
    exports = pathlib.Path(built.SOURCE, "client", "src", "exports.map").read_text()
    script = out.with_suffix(".map")
    script.write_text(re.sub(rf"\b{symbol};" if symbol else r"(?!)", "", exports))
    soname = re.search(r"SONAME.*\[(.*)\]", built.run("readelf", "--dynamic", built.library()))[1]
    built.run("cc", "-shared", "-o", str(out), f"-Wl,-soname,{soname}", f"-Wl,--version-script={script}", "-Wl,--as-needed", "-Wl,--gc-sections",
              *built.objects(), "-lcrypto")
    return out


@pytest.fixture(scope="module")
def baseline(tmp_path_factory):
    path = tmp_path_factory.mktemp("abi") / "libclaimsd.abi"
    write_baseline(path)
    return path


def test_from_1_0_on_the_library_matches_the_stored_baseline():
    released = not re.search(r"^project\(claimsd VERSION 0\.", pathlib.Path(built.SOURCE, "CMakeLists.txt").read_text(), re.MULTILINE)
    if os.environ.get("CLAIMSD_ABI_WRITE"):
        write_baseline(STORED)
    assert STORED.exists() or not released, "version 1.0 needs a baseline: CLAIMSD_ABI_WRITE=1 ctest --test-dir build/dev -R client_abi"
    if STORED.exists():
        code, report = compare(STORED, built.library())
        assert code == 0, report


def test_the_types_of_the_interface_are_in_the_baseline(baseline):
    text = baseline.read_text()
    for name in ("claimsd_query_request", "claimsd_options", "claimsd_statistics"):
        assert re.search(rf"<class-decl name='{name}' [^>]*size-in-bits='\d+'", text)


@pytest.mark.parametrize("symbol, incompatible", [(None, False), ("claimsd_ping", True), ("claimsd_stream_pending", True)])
def test_a_symbol_that_is_gone_is_noticed(baseline, tmp_path, symbol, incompatible):
    code, report = compare(baseline, linked_without(symbol, tmp_path / "libclaimsd.so"))
    assert bool(code & INCOMPATIBLE) == incompatible, report
    assert symbol is None or symbol in report
