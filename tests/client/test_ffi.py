"""A Rust program calls the C ABI through its own declarations. The daemon is a script in plain Python."""

import os
import pathlib
import socket
import sys
import threading

import pytest

import built

sys.path.insert(0, os.path.join(built.SOURCE, "tests", "support"))
import wire  # noqa: E402

FFI = pathlib.Path(__file__).resolve().parent / "ffi"


def frames(connection):
    """Decoded frames until the client closes the connection."""
    received = b""
    while chunk := connection.recv(65536):
        received += chunk
        while len(received) >= wire.HEADER.size:
            size = wire.HEADER.size + wire.HEADER.unpack_from(received)[0]
            if len(received) < size:
                break
            yield wire.decode(received[:size])
            received = received[size:]


def serve(connection):
    with connection:
        for name, request_id, fields in frames(connection):
            if name == "Hello":
                connection.sendall(wire.encode("Welcome", request_id, {"version": wire.VERSION}))
            elif fields["token"] != b"silence":
                claims = wire.encode_claims(fields["token"], b"", [b"rvt", b"doctor"], b'{"more":true}')
                connection.sendall(wire.encode("Answer", request_id, {"verdict": 1, "source": 3, "claims": claims}))


@pytest.fixture(name="daemon")
def fake_daemon(tmp_path):
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(16)

        def accept():
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield path
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def test_a_rust_program_uses_the_library(daemon, tmp_path):
    libraries = os.path.dirname(built.library())
    program = tmp_path / "query"
    built.run("/usr/bin/rustc", "--edition", "2021", "-D", "warnings", "-C", f"link-arg=-Wl,-rpath,{libraries}", "-L", libraries, "-o", str(program), str(FFI / "query.rs"))
    assert built.run(str(program), str(daemon), timeout=120) == "all right\n"
