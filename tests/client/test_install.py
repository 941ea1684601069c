"""What is installed can be built against, by find_package(claimsd) and by pkg-config, and runs."""

import os
import shutil

import pytest

import built

CONSUMER = """
#include <claimsd.hpp>
#include <cstdio>

int main() {
  const claimsd::Client client({.socket_path = "/nonexistent/claims.sock", .timeout = std::chrono::milliseconds(50)});
  const auto answer = client.query("token", {.route = "GET /"});
  std::printf("%s %s\\n", claimsd_version(), claimsd_answer_reason(nullptr));
  return answer.unavailable() && answer.reason() == "no_daemon" ? 0 : 1;
}
"""

C_CONSUMER = """
#include <claimsd.h>
int main(void) { return claimsd_version()[0] == '\\0'; }
"""

CMAKE = """
cmake_minimum_required(VERSION 3.25)
project(consumer C CXX)
find_package(claimsd 0.1 REQUIRED)
add_executable(consumer consumer.cc)
target_compile_features(consumer PRIVATE cxx_std_20)
target_link_libraries(consumer PRIVATE claimsd::claimsd)
add_executable(c_consumer consumer.c)
target_link_libraries(c_consumer PRIVATE claimsd::claimsd)
"""


@pytest.fixture(name="prefix", scope="module")
def installed(tmp_path_factory):
    """The library alone: other parts of the project need not have been built."""
    prefix = tmp_path_factory.mktemp("prefix")
    for component in ("library", "development"):
        built.run("cmake", "--install", os.path.join(built.BUILD, "client", "src"),
                  "--prefix", str(prefix), "--component", component)
    return prefix


@pytest.fixture(name="sources")
def consumer_sources(tmp_path):
    (tmp_path / "consumer.cc").write_text(CONSUMER)
    (tmp_path / "consumer.c").write_text(C_CONSUMER)
    (tmp_path / "CMakeLists.txt").write_text(CMAKE)
    return tmp_path


def libraries(prefix):
    (found,) = prefix.glob("lib/**/libclaimsd.so.1")
    return found.parent


def test_find_package(prefix, sources):
    build = sources / "build"
    built.run("cmake", "-S", str(sources), "-B", str(build), f"-DCMAKE_PREFIX_PATH={prefix}")
    built.run("cmake", "--build", str(build))
    assert "no_resources" in built.run(str(build / "consumer"))
    built.run(str(build / "c_consumer"))


def test_pkg_config(prefix, sources):
    environment = {**os.environ, "PKG_CONFIG_PATH": str(libraries(prefix) / "pkgconfig")}
    flags = built.run("pkg-config", "--cflags", "--libs", "claimsd", env=environment).split()
    program = sources / "consumer"
    compiler = shutil.which("c++")
    built.run(compiler, "-std=c++20", str(sources / "consumer.cc"), "-o", str(program), *flags)
    found = {**os.environ, "LD_LIBRARY_PATH": str(libraries(prefix))}
    assert "no_resources" in built.run(str(program), env=found)


def test_headers_say_no_more_than_they_need(prefix):
    installed_headers = sorted(path.name for path in prefix.glob("include/*"))
    assert installed_headers == ["claimsd.h", "claimsd.hpp"]
