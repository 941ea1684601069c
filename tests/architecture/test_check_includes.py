"""The project follows the include rules, and each kind of violation, planted in a tree, is found."""

import pathlib
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE))

import check_includes  # noqa: E402
import include_rules  # noqa: E402

GOOD_TREE = {
    "proto/limits.h": "#include <cstdint>\n",
    "proto/seal.cc": "#include <openssl/evp.h>\n",
    "client/include/claimsd.h": "#include <stdint.h>\n",
    "client/src/pool.cc": '#include <claimsd.h>\n#include <unistd.h>\n\n#include "proto/limits.h"\n',
    "client/claimsctl/command_line.cc": "#include <CLI/CLI.hpp>\n",
    "client/claimsctl/main.cc": '#include <curl/curl.h>\n#include "client/include/claimsd.h"\n',
    "daemon/base/clock.cc": "#include <time.h>\nvoid f() { clock_gettime(CLOCK_BOOTTIME, &at); }\n",
    "daemon/base/clock.h": "#include <chrono>\n",
    "daemon/log/log.h": "#include <string_view>\n",
    "daemon/crypto/hmac.cc": '#include <openssl/evp.h>\n#include "daemon/base/clock.h"\n',
    "daemon/claims/service.h": '#include <vector>\n\n#include "daemon/base/clock.h"\n#include "proto/limits.h"\n',
    "daemon/claims/parse/claims_parser.cc": "#include <simdjson.h>\n",
    "daemon/config/toml_reader.cc": "#include <toml++/toml.h>\n",
    "daemon/config/read_file.cc": "#include <fcntl.h>\n",
    "daemon/loop/loop.h": "#include <uv.h>\n",
    "daemon/store/lmdb.h": "#include <lmdb.h>\n",
    "daemon/store/claims_cache.h": '#include "daemon/store/lmdb.h"\n',
    "daemon/upstream/fetch.cc": '#include <curl/curl.h>\n\n#include "daemon/loop/loop.h"\n',
    "daemon/audit/writer.cc": '#include "daemon/store/lmdb.h"\n',
    "daemon/server/router.cc": '#include "daemon/claims/service.h"\n',
    "daemon/version.h.in": "#define VERSION @PROJECT_VERSION@\n",
    "daemon/main.cc": '#include "daemon/server/router.cc"\n#include "daemon/version.h"\n',
    "tests/support/fake.h": "#include <uv.h>\n",
}

# (file, line planted in it, expected problem)
BREACHES = [
    # Values that g++ would not destroy.
    ("daemon/base/bad.cc", "  Made made(std::move(first), TRY(second()));", "TRY beside other parts"),
    ("daemon/base/bad.cc", "  made.push_back({ first, TRY(second()) });", "TRY beside other parts"),
    ("daemon/base/bad.cc", "    , .second = TRY(second())", "TRY beside other parts"),
    # Includes between layers.
    ("proto/bad.h", '#include "daemon/base/clock.h"', "proto may not include daemon/base"),
    ("proto/bad.h", '#include "client/include/claimsd.h"', "proto may not include client"),
    ("client/src/bad.cc", '#include "daemon/base/clock.h"', "client may not include daemon/base"),
    ("client/claimsctl/bad.cc", '#include "daemon/store/claims_cache.h"', "only daemon/store/file_rules.h"),
    ("client/claimsctl/doctor/check_bad.cc", "#include <unistd.h>", "may not include"),
    ("daemon/base/bad.h", '#include "daemon/claims/service.h"', "daemon/base may not include daemon/claims"),
    ("daemon/crypto/bad.h", '#include "daemon/store/lmdb.h"', "daemon/crypto may not include daemon/store"),
    ("daemon/config/bad.h", '#include "daemon/claims/service.h"', "daemon/config may not include"),
    ("daemon/config/bad.h", '#include "proto/limits.h"', "daemon/config may not include proto"),
    ("daemon/claims/bad.h", '#include "daemon/config/read_file.cc"', "daemon/claims may not include"),
    ("daemon/claims/bad.h", '#include "daemon/loop/loop.h"', "daemon/claims may not include daemon/loop"),
    ("daemon/claims/bad.h", '#include "daemon/store/lmdb.h"', "daemon/claims may not include daemon/store"),
    ("daemon/claims/bad.h", '#include "daemon/claims/service.h"', "daemon/claims may not include daemon/claims/service"),
    ("daemon/claims/parse/bad.h", '#include "daemon/claims/service.h"', "daemon/claims/parse may not include"),
    ("daemon/claims/upstream/bad.h", '#include "daemon/claims/service.h"', "daemon/claims/upstream may not include"),
    ("daemon/host/bad.h", '#include "daemon/claims/service.h"', "daemon/host may not include"),
    ("daemon/base/bad.h", '#include "daemon/log/log.h"', "daemon/base may not include daemon/log"),
    ("daemon/log/bad.h", '#include "daemon/loop/loop.h"', "daemon/log may not include daemon/loop"),
    ("daemon/loop/bad.h", '#include "daemon/claims/service.h"', "daemon/loop may not include"),
    ("daemon/store/bad.h", '#include "daemon/upstream/fetch.cc"', "daemon/store may not include"),
    ("daemon/upstream/bad.h", '#include "daemon/store/lmdb.h"', "daemon/upstream may not include"),
    ("daemon/server/bad.h", '#include "daemon/store/lmdb.h"', "daemon/server may not include"),
    ("daemon/server/bad.h", '#include "daemon/upstream/fetch.cc"', "daemon/server may not include"),
    ("daemon/admin/bad.h", '#include "daemon/main.cc"', "daemon/admin may not include daemon "),
    ("daemon/audit/bad.h", '#include "daemon/store/claims_cache.h"', "only daemon/store/check_in_child.h, daemon/store/lmdb.h"),
    ("daemon/base/bad.h", '#include "tests/support/fake.h"', "belongs to no layer"),
    # Libraries restricted to one layer.
    ("daemon/server/bad.cc", "#include <uv.h>", "may not include uv"),
    ("daemon/upstream/bad.cc", "#include <uv.h>", "may not include uv"),
    ("daemon/server/bad.cc", "#include <curl/curl.h>", "may not include curl"),
    ("daemon/admin/bad.cc", "#include <curl/curl.h>", "may not include curl"),
    ("daemon/store/bad.cc", "#include <lmdb.h>", "may not include lmdb"),
    ("daemon/audit/bad.cc", "#include <lmdb.h>", "may not include lmdb"),
    ("daemon/claims/bad.cc", "#include <simdjson.h>", "may not include simdjson"),
    ("daemon/upstream/bad.cc", "#include <simdjson.h>", "may not include simdjson"),
    ("daemon/crypto/bad.cc", "#include <unistd.h>", "may not include"),
    ("daemon/server/bad.cc", "#include <openssl/evp.h>", "may not include openssl"),
    ("proto/bad.cc", "#include <openssl/evp.h>", "may not include openssl"),
    ("daemon/config/bad.cc", "#include <toml++/toml.h>", "may not include toml++"),
    ("daemon/base/bad.cc", "#include <spdlog/spdlog.h>", "may not include spdlog"),
    ("daemon/log/bad.cc", "#include <spdlog/spdlog.h>", "may not include spdlog"),
    ("daemon/server/bad.cc", "#include <microhttpd.h>", "may not include microhttpd"),
    ("daemon/admin/bad.cc", "#include <CLI/CLI.hpp>", "may not include CLI11"),
    ("client/src/bad.cc", "#include <fmt/format.h>", "may not include fmt"),
    ("client/src/bad.cc", "#include <thread>", "may not include threads"),
    ("client/src/bad.cc", "#include <tl/expected.hpp>", "may not include expected"),
    ("daemon/base/bad.cc", "#include <boost/asio.hpp>", "in no row of the include rules"),
    # Policy makes no system call, has no threads and no I/O, and reads no clock.
    ("daemon/claims/bad.cc", "#include <unistd.h>", "may not include system"),
    ("daemon/claims/bad.cc", "#include <sys/socket.h>", "may not include system"),
    ("daemon/claims/bad.cc", "#include <time.h>", "may not include system"),
    ("daemon/claims/bad.cc", "#include <mutex>", "may not include threads"),
    ("daemon/claims/bad.cc", "#include <random>", "may not include io"),
    ("daemon/config/bad.cc", "#include <fcntl.h>", "may not include system"),
    ("daemon/config/bad.cc", "#include <fstream>", "may not include io"),
    ("daemon/server/bad.cc", "#include <sys/socket.h>", "may not include system"),
    ("proto/bad.cc", "#include <sys/mman.h>", "may not include system"),
    ("daemon/claims/bad.cc", "auto t = std::chrono::steady_clock::now();", "reads a clock"),
    ("daemon/server/bad.cc", "clock_gettime(CLOCK_MONOTONIC, &t);", "reads a clock"),
    ("daemon/store/bad.cc", "auto t = time(nullptr);", "reads a clock"),
    # Names that nothing uses.
    ("daemon/claims/bad.cc", "using proto::Reason;\nint reason();", "Reason is not used"),
    ("daemon/claims/bad.cc", "namespace chrono = std::chrono;", "chrono is not used"),
    # Unusual spellings.
    ("daemon/claims/bad.cc", "#  include  <uv.h>", "may not include uv"),
    ("daemon/claims/bad.cc", "  #include<uv.h>", "may not include uv"),
    ("daemon/claims/bad.cc", '#include "../loop/loop.h"', "write the path from the root"),
    ("daemon/claims/bad.cc", '#include "service.h"', "write the path from the root"),
    ("daemon/claims/bad.cc", "#include HEADER", "a plain name in quotes or angle brackets"),
    ("daemon/claims/bad.cc", "#include <claimsd.h>", "daemon/claims may not include client"),
]


def plant(root, files):
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    return root


def test_the_project_follows_the_include_rules():
    assert list(check_includes.violations(HERE.parents[1])) == []


def test_a_tree_that_follows_the_rules_has_no_violation(tmp_path):
    assert list(check_includes.violations(plant(tmp_path, GOOD_TREE))) == []


@pytest.mark.parametrize("path, line, problem", BREACHES, ids=[f"{b[0]}: {b[1]}" for b in BREACHES])
def test_a_violation_is_reported_with_its_file_and_line(tmp_path, path, line, problem):
    plant(tmp_path, {**GOOD_TREE, path: f"// A comment.\n{line}\n"})
    found = list(check_includes.violations(tmp_path))
    assert len(found) == 1
    assert found[0].startswith(f"{path}:2: ")
    assert problem in found[0]


@pytest.mark.parametrize("path", ["daemon/base/long.cc", "tests/base/long_test.cc", "tests/x/long.py"])
def test_a_file_over_the_line_limit_is_reported(tmp_path, path):
    plant(tmp_path, {**GOOD_TREE, path: "\n" * include_rules.MAX_LINES})
    assert list(check_includes.violations(tmp_path)) == []
    plant(tmp_path, {path: "\n" * (include_rules.MAX_LINES + 1)})
    assert [f"{path}:501:" in v for v in check_includes.violations(tmp_path)] == [True]


def test_layers_have_no_include_cycle():
    """Following the rules from any layer never leads back to it."""
    reachable = {layer.folder: set() for layer in include_rules.LAYERS}
    for layer in include_rules.LAYERS:
        reachable[layer.folder] |= set(layer.layers)
    for _ in reachable:
        for folder, targets in reachable.items():
            targets |= {far for near in targets for far in reachable[near]}
    assert [folder for folder, targets in reachable.items() if folder in targets] == []


def test_the_command_fails_on_a_violation_and_on_an_empty_tree(tmp_path):
    command = ["/usr/bin/python3", "-B", str(HERE / "check_includes.py"), str(tmp_path)]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 1
    plant(tmp_path, GOOD_TREE)
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    plant(tmp_path, {"daemon/claims/bad.cc": "#include <uv.h>\n"})
    failed = subprocess.run(command, capture_output=True, check=False, text=True)
    assert failed.returncode == 1
    assert failed.stdout.startswith("daemon/claims/bad.cc:1: ")


def test_tests_mirror_the_tree():
    """Each unit test is named for a file, and lies where that does."""
    root = HERE.parents[1]
    strays = []
    for file in sorted((root / "tests").rglob("*_test.c*")):
        path = file.relative_to(root).as_posix()
        if path.split("/")[1] in include_rules.NOT_MIRRORED:
            continue
        here, sources = next(row for row in include_rules.MIRRORED if path.startswith(row[0] + "/"))
        rest = file.parent.relative_to(root / here)
        stems = {source.stem for folder in sources for source in (root / folder / rest).glob("*.*")}
        name = file.stem.removesuffix("_test")
        if not any(name == stem or name.startswith(stem + "_") for stem in stems):
            strays.append(path)
    assert strays == []
