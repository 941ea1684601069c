"""What is loaded into other people's processes: small, without a C++ run time, nothing at load time, no name but the ABI's."""

import os
import re

import built

# By the Itanium C++ ABI: names in std:: (St, and its abbreviations), tables and guards of them; operators new and delete; the run time's own.
OF_LIBSTDCXX = re.compile(r"_Z(T[A-Z]|G[RV])?(N[rVKRO]*)?S[tabsiod]|_Z(nw|na|dl|da)|__cxa_")


def dynamic(tag):
    lines = built.run("readelf", "-dW", built.library()).splitlines()
    return [re.search(r"\[(.*)\]", line).group(1) for line in lines if f"({tag})" in line]


def own_symbols(path):
    """Names of what `path` defines or wants, as the linker knows them."""
    names = []
    for line in built.run("nm", path).splitlines():
        match = re.match(r"^[0-9a-f ]{16} \w (.*)$", line)
        if match:
            names.append(match.group(1))
    return names


def test_soname():
    assert dynamic("SONAME") == ["libclaimsd.so.1"]


def test_needs_nothing_but_libc_and_libcrypto():
    needed = {name.split(".so")[0] for name in dynamic("NEEDED")}
    assert needed <= {"libc", "libcrypto", "ld-linux-x86-64", "ld-linux-aarch64"}


def test_no_symbol_of_libstdcxx():
    assert "std::" not in built.run("nm", "-C", built.library())
    assert "std::" not in built.run("nm", "-DC", built.library())


def test_names_of_libstdcxx_are_told_from_functions_that_return_what_is_its():
    for name in ("_ZNSt6vectorIiSaIiEE9push_backEOi", "_ZNKSs4sizeEv", "_ZSt4endl", "_ZTISt9exception", "_ZTVSt9exception", "_Znwm", "_ZdlPv", "__cxa_throw"):
        assert OF_LIBSTDCXX.match(name)
    assert not OF_LIBSTDCXX.match("_ZN7claimsd5proto6Reader5sizedItEESt17basic_string_viewIcSt11char_traitsIcEEm")


def test_no_part_of_libstdcxx_in_the_objects_either():
    """Our own functions may take a string_view; nothing of std:: itself may be instantiated or wanted."""
    assert built.objects()
    for path in built.objects():
        for name in own_symbols(path):
            assert not OF_LIBSTDCXX.match(name), (path, name)
            assert "personality" not in name, (path, name)


def test_nothing_runs_at_load_time():
    for path in built.objects():
        sections = built.run("readelf", "-SW", path)
        for section in (".init_array", ".fini_array", ".ctors", ".dtors", ".preinit_array"):
            assert section not in sections, (path, section)
        assert not [name for name in own_symbols(path) if "_GLOBAL__sub_I" in name or name.startswith("_ZGV")]
    # The compiler's own start file brings one entry (frame_dummy), which does nothing.
    for line in built.run("readelf", "-SW", built.library()).splitlines():
        match = re.search(r"\.(init|fini)_array\s+\w+\s+\w+\s+\w+\s+(\w+)", line)
        if match:
            assert int(match.group(2), 16) <= 8, line


def test_exports_exactly_what_the_header_declares():
    lines = built.run("nm", "-D", "--defined-only", built.library()).splitlines()
    symbols = {line.split()[-1] for line in lines if line.split()[1] != "A"}
    assert symbols == {name + "@@CLAIMSD_1" for name in built.declared_functions()}


def test_is_small(tmp_path):
    stripped = os.path.join(tmp_path, "stripped.so")
    built.run("strip", "-o", stripped, built.library())
    assert os.path.getsize(stripped) < 100 * 1024


def test_is_hardened():
    flags = built.run("readelf", "-dW", built.library())
    assert "BIND_NOW" in flags
    segments = built.run("readelf", "-lW", built.library())
    assert "GNU_RELRO" in segments
    assert not re.search(r"GNU_STACK.*RWE", segments)


def test_writes_no_global_state():
    """No .data and no .bss of our own: what is not in a handle is constant. (__dso_handle and the start file's flag are not ours.)"""
    for path in built.objects():
        for line in built.run("readelf", "-SW", path).splitlines():
            match = re.search(r"\] (\.(?:data|bss|tdata|tbss)(?:\.[\w.]*)?)\s+\w+\s+\w+\s+\w+\s+(\w+)", line)
            if match and ".rel.ro" not in match.group(1):
                assert int(match.group(2), 16) == 0, (path, line)


def test_can_be_loaded_and_unloaded():
    """dlclose() removes the library: no handler and no thread is left."""
    program = """
import ctypes, _ctypes, sys
library = ctypes.CDLL(sys.argv[1])
handle, problem = ctypes.c_void_p(), ctypes.c_char_p()
assert library.claimsd_open(None, ctypes.byref(handle), ctypes.byref(problem)) == 8
library.claimsd_close(handle)
_ctypes.dlclose(library._handle)
assert "libclaimsd" not in open("/proc/self/maps").read()
"""
    built.run("/usr/bin/python3", "-c", program, built.library())
