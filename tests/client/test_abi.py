"""libclaimsd.so.1 stays what programs were linked with: abidiff against tests/client/abi/, the baseline of the last release.

What was added on purpose goes into the baseline by `CLAIMSD_ABI_WRITE=1`; what was removed or changed needs another SONAME.
"""

import os
import pathlib
import re
import subprocess

import pytest

import built

BASELINE = pathlib.Path(__file__).resolve().parent / "abi" / "libclaimsd.so.1.abi"
HEADERS = os.path.join(built.SOURCE, "client", "include")
INCOMPATIBLE = 8  # a bit of abidiff's exit code: abidiff(1)


def compare(library):
    """(exit code, report) of the baseline against that library."""
    done = subprocess.run(["abidiff", "--headers-dir2", HEADERS, "--drop-private-types", "--exported-interfaces-only", str(BASELINE), str(library)],
                          capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def linked_without(symbol, out):
    """The library's own objects, linked with one symbol less exported."""
    exports = pathlib.Path(built.SOURCE, "client", "src", "exports.map").read_text()
    script = out.with_suffix(".map")
    script.write_text(re.sub(rf"\b{symbol};" if symbol else r"(?!)", "", exports))
    built.run("cc", "-shared", "-o", str(out), "-Wl,-soname,libclaimsd.so.1", f"-Wl,--version-script={script}", "-Wl,--as-needed", "-Wl,--gc-sections",
              *built.objects(), "-lcrypto")
    return out


def test_nothing_is_removed_changed_or_added_unnoticed():
    if os.environ.get("CLAIMSD_ABI_WRITE"):
        built.run("abidw", "--headers-dir", HEADERS, "--drop-private-types", "--exported-interfaces-only", "--no-comp-dir-path", "--no-corpus-path",
                  "--no-show-locs", "--no-parameter-names", "--out-file", str(BASELINE), built.library())
    code, report = compare(built.library())
    assert code == 0, report


def test_the_types_of_the_interface_are_in_the_baseline():
    text = BASELINE.read_text()
    for name in ("claimsd_query_request", "claimsd_options", "claimsd_statistics"):
        assert re.search(rf"<class-decl name='{name}' size-in-bits='\d+'", text)


@pytest.mark.parametrize("symbol, incompatible", [(None, False), ("claimsd_ping", True), ("claimsd_stream_pending", True)])
def test_a_symbol_that_is_gone_is_noticed(tmp_path, symbol, incompatible):
    code, report = compare(linked_without(symbol, tmp_path / "libclaimsd.so"))
    assert bool(code & INCOMPATIBLE) == incompatible, report
    assert symbol is None or symbol in report
