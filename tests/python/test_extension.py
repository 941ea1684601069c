"""The extension over the real library and the real daemon."""

import asyncio
import ctypes
import gc
import json
import os
import platform
import struct
import subprocess
import sys
import threading
import time
import weakref

import pytest

from auth_integration import _claimsd
from auth_integration.claims import claims_from_daemon
from tokens import jwt, user_of


NO_BUDGETS = {"misses_per_uid": 0, "misses_per_client": 0}  # all of them come from one address here


class Made:
    """The result of the factory, of which a test can hold a weak reference."""

    def __init__(self, *parts):
        self.parts = parts


@pytest.fixture
def handle(claimsd, faults):
    daemon = claimsd(faults.url("echo"), limits=NO_BUDGETS, cache={"lease": "60s", "max_ttl": "300s"})  # a lease longer than any test
    opened = _claimsd.Handle(Made, socket=str(daemon.socket))
    yield opened
    opened.close()


def meta(token, **more):
    return {"HTTP_AUTHORIZATION": f"Bearer {token}", "REQUEST_METHOD": "GET", "REMOTE_ADDR": "192.0.2.1", **more}


def test_a_valid_token_is_what_the_factory_made(handle):
    document, user, email, roles, truncated = handle.identify(meta("token"), "worklist/").parts
    assert truncated is False
    assert user == user_of("token")
    assert json.loads(document)["id"] == user
    assert json.loads(document)["email"] == email
    assert isinstance(roles, tuple) and all(isinstance(role, str) for role in roles)


def test_256_roles_and_60_kib_of_claims_for_a_token_of_16_kib_are_whole(claimsd, faults):
    roles = [f"CN=group-{number},OU=Groups,DC=example,DC=com" for number in range(256)]
    document = {"id": "user-1", "email": "one@example.com", "role": roles, "note": "n" * 45_000}
    mode = faults.script("giant-for-python", {"body": document})
    opened = _claimsd.Handle(Made, socket=str(claimsd(faults.url(mode)).socket))
    token = "t" * 16 * 1024
    try:
        for made in (opened.identify(meta(token), None), opened.query(token)[0]):
            text, user, _, found, truncated = made.parts
            assert (user, found, truncated) == ("user-1", tuple(roles), False)
            assert json.loads(text) == document
    finally:
        opened.close()
    assert faults.count(mode) == 1


def test_truncated_claims_say_so(claimsd, faults):
    mode = faults.script("cut-for-python", {"body": {"id": "user-1", "role": ["rvt"], "note": "n" * 5000}})
    opened = _claimsd.Handle(Made, socket=str(claimsd({"url": faults.url(mode), "max_claims_bytes": "4KiB"}).socket))
    try:
        text, user, _, roles, truncated = opened.query("token")[0].parts
    finally:
        opened.close()
    assert (user, roles, truncated) == ("user-1", ("rvt",), True)
    assert "note" not in json.loads(text)


def test_the_same_claims_are_parsed_once(handle):
    first = handle.identify(meta("token"), None)
    assert handle.identify(meta("token"), None) is first
    assert handle.identify_token("token", None, None) is first
    assert handle.query("token")[0] is first
    assert handle.identify(meta("another"), None) is not first


def test_ten_thousand_users_are_never_taken_for_each_other(handle):
    """Twice as many as the table of parsed claims can hold."""
    tokens = [f"token-{number}" for number in range(5000)]
    for _ in range(2):
        for token in tokens:
            assert handle.identify(meta(token), None).parts[1] == user_of(token)


def test_users_with_truncated_claims_are_distinguished(claimsd, faults):
    """Their JSON is {}: cached objects are distinguished by id, email and roles as well."""
    roles = ",".join(f'"{number:02d}' + '\\"' * 126 + '"' for number in range(64))
    steps = [{"body": f'{{"id":"user-{number}","role":[{roles}]}}'} for number in range(3)]
    handle = _claimsd.Handle(Made, socket=str(claimsd({"url": faults.url(faults.script("large", *steps)), "max_claims_bytes": "4KiB"}).socket))
    found = [handle.identify(meta(f"token-{number}"), None).parts for number in range(3)]
    assert [(json, user, len(listed), truncated) for json, user, _, listed, truncated in found] == [("{}", f"user-{number}", 64, True) for number in range(3)]
    claims = claims_from_daemon(*found[1])
    assert claims["id"] == "user-1" and claims["role"] == claims.roles == found[1][3]


def known_request(handle):
    """A request with a token that this process knows. (A short token is never published.)"""
    assert handle.statistics()
    request = meta(jwt(sub="known", jti="9f0d2f0a5a4b4f6c8a1e"))
    while handle.known(request) is None:
        handle.identify(request, None)
    return request


def test_a_known_token_is_found_without_a_query(handle):
    request = known_request(handle)
    asked = handle.statistics()["socket_queries"]
    assert handle.known(request) is handle.identify(request, "x/")
    spaced = request["HTTP_AUTHORIZATION"].replace("Bearer ", "  bearer  ") + "\t"
    assert handle.known({"HTTP_AUTHORIZATION": spaced}) is handle.known(request)
    assert handle.known(meta(jwt(sub="another", jti="0b1c2d3e4f5061728394"))) is None
    assert handle.statistics()["socket_queries"] == asked


@pytest.mark.parametrize("header", [
    "", "Basic abc", "Bearer", "Bearer ", "Bearer a b", "Bearer {}, {}", "Bearer {} x", "Bearer {}\0", "Bearer{}", "Bearer\t{}", "Token {}",
    "Bearer " + "x" * 9000, b"Bearer abc", None, "Bearer \ud800"])
def test_another_header_is_not_known(handle, header):
    token = known_request(handle)["HTTP_AUTHORIZATION"][len("Bearer "):]
    assert handle.known({"HTTP_AUTHORIZATION": header.replace("{}", token) if isinstance(header, str) else header}) is None
    assert handle.known({}) is None


def test_the_claims_of_many_users_are_parsed_once_each(claimsd, faults):
    made = []
    handle = _claimsd.Handle(lambda *parts: made.append(parts) or Made(*parts), socket=str(claimsd(faults.url("echo"), limits=NO_BUDGETS).socket))
    for _ in range(3):
        for number in range(300):
            handle.identify(meta(f"token-{number}"), None)
    assert 300 <= len(made) <= 320  # where more than four of them share a set, those are parsed again


@pytest.mark.parametrize("header", [None, "Basic abc"])
def test_without_a_bearer_header_identify_returns_none(handle, header):
    assert handle.identify({} if header is None else {"HTTP_AUTHORIZATION": header}, None) is None


@pytest.mark.parametrize("header,reason", [("Bearer", "malformed"), ("Bearer a b", "malformed"), ("Bearer " + "x" * 33000, "too_long"),
                                           (b"Bearer abc", "malformed"), (None, "malformed"), ("Bearer \ud800", "malformed")])
def test_a_broken_header_is_refused_without_a_call(header, reason):
    nowhere = _claimsd.Handle(Made, socket="/nonexistent/claims.sock")
    assert nowhere.identify({"HTTP_AUTHORIZATION": header}, None) == reason


@pytest.mark.parametrize("mode,verdict,reason", [("401", "invalid", "rejected"), ("500", "unavailable", "upstream_status")])
def test_an_answer_that_is_not_valid_has_a_reason(claimsd, faults, mode, verdict, reason):
    handle = _claimsd.Handle(Made, socket=str(claimsd(faults.url(mode)).socket))
    answer = handle.identify(meta("token"), None)
    assert type(answer) is _claimsd.Answer
    assert (answer.verdict, answer.reason) == (verdict, reason)
    assert handle.query("token")[0] is None


def test_no_daemon_is_unavailable(tmp_path):
    answer = _claimsd.Handle(Made, socket=str(tmp_path / "missing.sock")).identify(meta("token"), None)
    assert (answer.verdict, answer.reason) == ("unavailable", "no_daemon")


def test_the_wrong_auth_api_is_unavailable(claimsd, faults):
    daemon = claimsd(faults.url("echo"))
    handle = _claimsd.Handle(Made, socket=str(daemon.socket), upstream="https://elsewhere.example.com")
    assert handle.identify(meta("token"), None).reason == "wrong_upstream"


def test_an_error_of_the_factory_is_the_callers(claimsd, faults):
    def broken(*_):
        raise KeyError("broken")

    handle = _claimsd.Handle(broken, socket=str(claimsd(faults.url("echo")).socket))
    for _ in range(3):
        with pytest.raises(KeyError):
            handle.identify(meta("token"), None)


@pytest.mark.parametrize("hints", [
    {"REMOTE_ADDR": None, "HTTP_TRACEPARENT": 7}, {"REMOTE_ADDR": "\ud800"}, {"REMOTE_ADDR": "a\0b", "HTTP_TRACEPARENT": "x" * 5000},
    {"REQUEST_METHOD": "M" * 5000}, {"REQUEST_METHOD": None}])
@pytest.mark.parametrize("route", [None, "", "r" * 5000, "\xe9" * 300, "\ud800", 5])
def test_hints_decide_nothing(handle, hints, route):
    assert handle.identify(meta("token", **hints), route).parts[1] == user_of("token")


def test_wrong_arguments_are_type_errors(handle):
    for call in (lambda: handle.identify("x", None), lambda: handle.identify({}), lambda: handle.known("x"), lambda: handle.identify_token(b"x", None, None),
                 lambda: _claimsd.Handle(), lambda: _claimsd.Stream(), lambda: handle.query(5)):
        with pytest.raises(TypeError):
            call()


@pytest.mark.parametrize("options,problem", [
    ({"socket": "/" + "x" * 200}, "socket_path: 1 to 107 bytes"), ({"client_name": "n" * 65}, "client_name: at most 64 bytes"),
    ({"upstream": "https://" + "u" * 1100}, "upstream_url: at most 1,024 bytes"), ({"max_connections": 5000}, "max_connections: at most 1,024")])
def test_a_wrong_option_is_named(options, problem):
    with pytest.raises(ValueError, match=problem):
        _claimsd.Handle(Made, **options)


def test_a_closed_handle_raises_a_clear_error(handle):
    handle.close()
    handle.close()
    for call in (lambda: handle.identify(meta("token"), None), lambda: handle.known(meta("token")), handle.ping, handle.stream, handle.statistics):
        with pytest.raises(ValueError, match="closed"):
            call()


def test_close_does_not_wait_for_threads_that_ask(claimsd, faults):
    daemon = claimsd(faults.url("gate"))
    handle = _claimsd.Handle(Made, socket=str(daemon.socket))
    found = []
    threads = [threading.Thread(target=lambda: found.append(handle.identify(meta("token"), None))) for _ in range(4)]
    for thread in threads:
        thread.start()
    faults.wait("gate", count=1)  # the GIL is free while they wait: we got here
    handle.close()
    assert not found
    faults.open("gate")
    for thread in threads:
        thread.join()
    assert all(isinstance(made, Made) for made in found) or all(isinstance(answer, (Made, ValueError)) for answer in found)


def test_many_threads_get_their_own_users(handle):
    wrong = []

    def ask(name):
        for number in range(300):
            token = f"{name}-{number % 50}"
            if handle.identify(meta(token), "x/").parts[1] != user_of(token):
                wrong.append(token)

    threads = [threading.Thread(target=ask, args=(f"thread-{number % 3}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_forked_child_uses_its_own_connection(handle):
    before = handle.identify(meta("token"), None)
    children = []
    for number in range(8):
        child = os.fork()
        if child == 0:
            try:
                right = all(handle.identify(meta(f"{number}-{n}"), None).parts[1] == user_of(f"{number}-{n}") for n in range(20))
                os._exit(0 if right and handle.identify(meta("token"), None).parts == before.parts else 1)
            finally:
                os._exit(2)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 8
    assert handle.identify(meta("token"), None) is before


def test_closing_the_handle_releases_its_objects(claimsd, faults):
    handle = _claimsd.Handle(Made, socket=str(claimsd(faults.url("echo")).socket))
    kept = weakref.ref(handle.identify(meta("token"), None))
    gc.collect()
    assert kept() is not None
    handle.close()
    assert kept() is None


def test_a_cycle_through_the_factory_is_collected(tmp_path):
    class Factory:
        def __call__(self, *_):
            return None

    factory = Factory()
    factory.handle = _claimsd.Handle(factory, socket=str(tmp_path / "s"))
    gone = weakref.ref(factory)
    del factory
    gc.collect()
    assert gone() is None


def test_lookups_do_not_leak(handle):
    request = known_request(handle)

    def blocks():
        for _ in range(500):
            handle.identify(meta("token"), "x/")
            handle.identify({"HTTP_AUTHORIZATION": "Bearer"}, None)
            handle.query("token")
            handle.known(request)
            handle.known({})
            handle.identify(meta("=" * 3), None)
        gc.collect()
        return sys.getallocatedblocks()

    blocks()
    before = blocks()
    assert blocks() - before < 50


# ---- streams ------------------------------------------------------------------------------------


def received(stream, count):
    import select

    found = {}
    while len(found) < count:
        assert select.select([stream], [], [], 30)[0]
        while True:
            one = stream.receive()
            if one is None:
                break
            found[one[0]] = one[1]
    return found


def test_a_stream_answers_by_tag(handle):
    stream = handle.stream()
    for tag in range(100):
        stream.send(tag, f"token-{tag}", meta("x"), "x/")
    assert stream.pending() == 100
    answers = received(stream, 100)
    assert {tag: made.parts[1] for tag, (made, _) in answers.items()} == {tag: user_of(f"token-{tag}") for tag in range(100)}
    assert {answer.verdict for _, answer in answers.values()} == {"valid"}
    assert stream.receive() is None and stream.pending() == 0


def test_a_stream_keeps_its_handle(handle):
    stream = handle.stream()
    handle.close()
    stream.send(1, "token")
    assert received(stream, 1)[1][0].parts[1] == user_of("token")
    stream.close()
    with pytest.raises(ValueError):
        stream.send(2, "token")


def test_a_stream_cancels_queries_by_tag(claimsd, faults):
    stream = _claimsd.Handle(Made, socket=str(claimsd(faults.url("gate")).socket)).stream()
    stream.send(1, "token")
    stream.send(2, "token")
    assert stream.cancel(1) and not stream.cancel(1) and not stream.cancel(3)
    identity, answer = received(stream, 1)[1]
    assert (identity, answer.verdict, answer.reason) == (None, "unavailable", "canceled")
    assert stream.pending() == 1
    faults.open("gate")
    assert isinstance(received(stream, 1)[2][0], Made)


def test_the_query_of_a_canceled_task_is_no_longer_open(claimsd, faults):
    from auth_integration.transports.event_loop import LoopStream

    handle = _claimsd.Handle(Made, socket=str(claimsd(faults.url("gate")).socket))

    async def cancel_a_task():
        stream = LoopStream(asyncio.get_running_loop(), handle)
        task = asyncio.ensure_future(stream.query("token", None, None, 30000, _claimsd.ANY_AGE))
        await asyncio.sleep(0)
        assert stream.tagged.stream.pending() == 1
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        stream.tagged.receive()
        assert stream.tagged.stream.pending() == 0
        stream.close()

    asyncio.run(cancel_a_task())
    faults.open("gate")


def test_a_stream_does_not_survive_fork(handle):
    stream = handle.stream()
    child = os.fork()
    if child == 0:
        try:
            stream.send(1, "token")
        except ValueError:
            stream.close()
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
    stream.send(1, "token")
    assert received(stream, 1)[1][0].parts[1] == user_of("token")


def allow_only_write_and_exit():
    """seccomp(2): any other system call of this process ends it. (Strict mode would also forbid the clock's instruction.)"""
    write, exit_group, allow, kill = 1, 231, 0x7FFF0000, 0x80000000
    rules = [(0x20, 0, 0, 0), (0x15, 2, 0, write), (0x15, 1, 0, exit_group), (0x06, 0, 0, kill), (0x06, 0, 0, allow)]
    program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *rule) for rule in rules))
    filter_ = struct.pack("HxxxxxxP", len(rules), ctypes.addressof(program))
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    assert prctl(38, 1, 0, 0, 0) == 0 and prctl(22, 2, ctypes.c_char_p(filter_), 0, 0) == 0, ctypes.get_errno()


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the system call numbers are those of x86-64")
def test_a_hit_makes_no_system_call(handle):
    """In a child that the kernel kills at its first system call; 10,000 hits take less than a lease."""
    request, (read_end, write_end) = known_request(handle), os.pipe()
    child = os.fork()
    if child == 0:
        try:
            gc.disable()
            for _ in range(2000):
                made = handle.identify(request, "x/")
            if handle.statistics()["local_hits"] > 1000:
                allow_only_write_and_exit()
                for _ in range(10000):
                    made = handle.identify(request, "x/")
                    if handle.known(request) is not made or handle.known(meta("x" * 100)) is not None:
                        os._exit(1)
                os.write(write_end, made.parts[1].encode())
        finally:
            os._exit(0)
    os.close(write_end)
    with os.fdopen(read_end) as said:
        assert said.read() == user_of(request["HTTP_AUTHORIZATION"][len("Bearer "):])
    os.waitpid(child, 0)


# ---- the binary ---------------------------------------------------------------------------------


def test_the_binary_uses_the_stable_abi_and_exports_only_its_init_function():
    path = _claimsd.__file__
    assert path.endswith(".abi3.so")
    names = subprocess.run(["nm", "-D", "--defined-only", path], capture_output=True, text=True, check=True).stdout.split()
    assert [name for name in names if name.startswith("PyInit") or "claimsd_" in name] == ["PyInit__claimsd"]
    needed = subprocess.run(["readelf", "-d", path], capture_output=True, text=True, check=True).stdout
    assert "libstdc++" not in needed and "libpython" not in needed


def test_the_gil_is_released_while_the_daemon_works(claimsd, faults):
    handle = _claimsd.Handle(Made, socket=str(claimsd(faults.url("gate")).socket), timeout_ms=30000)
    asked = threading.Thread(target=handle.identify, args=(meta("token"), None))
    asked.start()
    began = time.monotonic()
    faults.wait("gate", count=1)
    faults.open("gate")
    asked.join()
    assert time.monotonic() - began < 20
