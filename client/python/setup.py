"""Builds the extension module `_claimsd` from libclaimsd's sources and the glue in ext/.

Installing needs no libclaimsd on the machine, only a C++20 compiler and the headers of libcrypto and Python. Without them, or on a system other than
Linux, the package installs without the extension and can only query the Auth API directly. AUTH_INTEGRATION_LIBCLAIMSD=system links the installed
library instead (pkg-config claimsd). AUTH_INTEGRATION_EXTENSION=no leaves the extension out; =required fails if it cannot be built.
"""

import os
import pathlib
import shutil
import subprocess
import sys

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.command.sdist import sdist

try:
    from setuptools.command.bdist_wheel import bdist_wheel  # setuptools 70.1 and later
except ImportError:
    from wheel.bdist_wheel import bdist_wheel

HERE = pathlib.Path(__file__).resolve().parent
BUNDLED = HERE / "native"  # in an sdist: sources from elsewhere in the repository
LIBRARY_FOLDERS = ("client/include", "client/src", "proto")
WANTED = os.environ.get("AUTH_INTEGRATION_EXTENSION", "auto")
SYSTEM = os.environ.get("AUTH_INTEGRATION_LIBCLAIMSD") == "system"
VERSION = "0.2.0"

COMPILE = [
    "-std=c++20", "-O3", "-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics", "-fno-asynchronous-unwind-tables",
    "-ffunction-sections", "-fdata-sections", "-fvisibility=hidden", "-U_GLIBCXX_ASSERTIONS", "-Wno-missing-field-initializers",
    "-g0",
]
LINK = [f"-Wl,--version-script={HERE / 'ext' / 'exports.map'}", "-Wl,--as-needed", "-Wl,--gc-sections", "-Wl,-z,relro,-z,now"]


def native_root():
    """The directory with client/ and proto/: the repository, or the copy in an sdist; None if there is neither."""
    for root in (HERE.parent.parent, BUNDLED):
        if (root / "client" / "include" / "claimsd.h").is_file():
            return root
    return None


def library_sources(root):
    """The sources of libclaimsd: all of client/src and proto/."""
    return sorted([*root.glob("client/src/*.cc"), *root.glob("proto/*.cc")])


def uses_libcrypto(root):
    return any("openssl/" in source.read_text() for source in library_sources(root))


def pkg_config(*arguments):
    return subprocess.run(["pkg-config", *arguments, "claimsd"], check=True, capture_output=True, text=True).stdout.split()


class BuildExtension(build_ext):
    """Finds the library's sources. If the extension cannot be built, the installation continues without it."""

    def build_extension(self, extension):
        root = native_root()
        if root is None:
            raise RuntimeError("the sources of libclaimsd are neither beside this package nor in it")
        glue = HERE / "ext"
        extension.sources = [str(source) for source in sorted(glue.glob("*.cc"))]
        extension.include_dirs = [str(self._include_root(root))]
        if SYSTEM:
            extension.extra_compile_args += pkg_config("--cflags")
            extension.extra_link_args += pkg_config("--libs")
        else:
            extension.sources += [str(source) for source in library_sources(root)]
            if uses_libcrypto(root):
                extension.libraries.append("crypto")
        super().build_extension(extension)

    def _include_root(self, root):
        """A directory with client/ and proto/ under the names that the sources include."""
        if root != BUNDLED:
            return root
        staged = pathlib.Path(self.build_temp).resolve() / "root"
        shutil.rmtree(staged, ignore_errors=True)
        shutil.copytree(BUNDLED, staged)
        shutil.copytree(HERE / "ext", staged / "client" / "python" / "ext")
        return staged

    def get_source_files(self):
        return sorted(str(path.relative_to(HERE)) for path in (HERE / "ext").iterdir())


class Wheel(bdist_wheel):
    """A wheel without the extension is pure Python, and tagged so: a host with claimsd must not use it as a complete one."""

    def run(self):
        self.run_command("build_ext")
        build = self.get_finalized_command("build_ext")
        if not any(pathlib.Path(build.get_ext_fullpath(extension.name)).exists() for extension in build.extensions or ()):
            self.distribution.ext_modules = []
            self.root_is_pure, self.py_limited_api, self.plat_name_supplied = True, False, False
        super().run()


class SourceDistribution(sdist):
    """Includes libclaimsd's sources, so that a wheel can be built from the sdist alone."""

    def make_release_tree(self, base_dir, files):
        super().make_release_tree(base_dir, files)
        root = native_root()
        for folder in LIBRARY_FOLDERS if root else ():
            target = pathlib.Path(base_dir) / "native" / folder
            target.mkdir(parents=True, exist_ok=True)
            for source in sorted((root / folder).iterdir()):
                if source.suffix in (".cc", ".h", ".hpp"):
                    shutil.copy2(source, target)


def extensions():
    if WANTED == "no" or sys.platform != "linux":
        return []
    return [Extension(
        "auth_integration._claimsd", sources=["ext/module.cc"], language="c", py_limited_api=True, optional=WANTED != "required",
        define_macros=[("Py_LIMITED_API", "0x030A0000"), ("_GNU_SOURCE", None), ("CLAIMSD_VERSION_TEXT", f'"{VERSION}"')],
        extra_compile_args=list(COMPILE), extra_link_args=list(LINK))]


modules = extensions()
setup(
    version=VERSION,
    ext_modules=modules,
    cmdclass={"build_ext": BuildExtension, "bdist_wheel": Wheel, "sdist": SourceDistribution},
    options={"bdist_wheel": {"py_limited_api": "cp310"}} if modules else {},
)
