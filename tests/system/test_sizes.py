"""Sizes beyond one path use the next slower one, and limits are reported properly."""

import json
import pathlib
import subprocess

import pytest

from peer import until
from tokens import user_of

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Prints: source, truncated, number and bytes of roles, the last role, and the size and the bytes of the claims.
C_PROGRAM = """
#include <claimsd.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv) {
  char token[32770];
  claimsd_options options = CLAIMSD_OPTIONS_INIT;
  claimsd_query_request query = CLAIMSD_QUERY_REQUEST_INIT;
  claimsd_answer_view view = CLAIMSD_ANSWER_VIEW_INIT;
  claimsd_handle *handle;
  claimsd_answer *answer;
  int round;
  options.socket_path = argv[argc - 1];
  if (fgets(token, sizeof token, stdin) == NULL) return 2;
  if (claimsd_open(&options, &handle, NULL) != CLAIMSD_OK) return 2;
  query.token = token;
  query.token_size = strcspn(token, "\\n");
  for (round = 0; round < 2; ++round) {
    const char *last;
    if (claimsd_query(handle, &query, &answer) != CLAIMSD_VALID) return 1;
    if (claimsd_read_answer(answer, &view) != CLAIMSD_OK) return 2;
    for (last = view.roles + view.roles_size - 1; last > view.roles && last[-1] != 0;) --last;
    printf("%s %u %u %zu %s %zu\\n", claimsd_source_text(view.source), view.truncated, view.role_count, view.roles_size,
           last, view.json_size);
    fwrite(view.json, 1, view.json_size, stdout);
    putchar('\\n');
    claimsd_answer_free(answer);
  }
  claimsd_close(handle);
  return 0;
}
"""

TRIMMED = 1
WITHOUT_SPACE = 2  # the document, but for its white space, with which it was too large
NAMED = {"id": "user-123", "email": "tess@example.com", "role": ["rvt", "admin"]}


@pytest.fixture
def query(build):
    """query(daemon, token, option…): what `claimsctl query` prints."""
    def run(daemon, token, *options):
        command = [str(build / "client" / "claimsctl" / "claimsctl"), "--socket", str(daemon.socket), "query", *options]
        return subprocess.run(command, input=token, capture_output=True, text=True, timeout=30).stdout

    return run


def padded(size):
    """Claims whose JSON without white space has exactly this size."""
    empty = len(json.dumps({**NAMED, "note": ""}, separators=(",", ":")))
    return json.dumps({**NAMED, "note": "n" * (size - empty)})


@pytest.mark.parametrize("size", [16 * 1024, 16 * 1024 - 1])
def test_a_token_of_16_kib_is_accepted(claimsd, peer, faults, size):
    token = "t" * size
    assert peer(claimsd(faults.url("echo"))).ask(token).id == user_of(token)


@pytest.mark.parametrize("size", [16 * 1024 + 1, 60 * 1024])
def test_a_token_over_16_kib_is_unavailable_as_too_long(claimsd, peer, worker, faults, size):
    daemon = claimsd(faults.url("echo"))
    for asker in (peer(daemon), worker(daemon, "ask")):
        answer = asker.ask("t" * size)
        assert (answer.verdict, answer.reason) == ("unavailable", "too_long")
    assert faults.count("echo") == 0


def test_a_token_of_32_kib_is_accepted_if_configured(claimsd, peer, worker, faults):
    daemon = claimsd({"url": faults.url("echo"), "max_token_bytes": "32KiB"})
    token = "t" * 32 * 1024
    assert worker(daemon, "ask").ask(token).id == peer(daemon).ask(token).id == user_of(token)
    assert peer(daemon).ask(token + "t").reason == "too_long"


def test_a_token_larger_than_a_frame_is_too_long_and_never_sent(claimsd, worker, faults):
    asker = worker(claimsd(faults.url("echo")), "ask")
    assert asker.ask("t" * 100_000).reason == "too_long"
    assert asker.ask("good-token").verdict == "valid"


def test_claims_of_64_kib_are_kept_whole(claimsd, peer, worker, faults):
    mode = faults.script("large", {"body": padded(64 * 1024)})
    daemon = claimsd(faults.url(mode))
    for source in ("upstream", "cache"):
        answer = peer(daemon).ask("token")
        assert (answer.source, answer.flags, len(answer.raw)) == (source, WITHOUT_SPACE, 64 * 1024)
    assert len(worker(daemon, "ask").ask("token").json) == 64 * 1024
    assert faults.count(mode) == 1


def test_larger_claims_are_truncated_to_identity_and_roles_and_still_cached(claimsd, peer, worker, faults):
    mode = faults.script("larger", {"body": padded(17 * 1024)})
    daemon = claimsd({"url": faults.url(mode), "max_claims_bytes": "16KiB"})
    for source in ("upstream", "cache"):
        answer = peer(daemon).ask("token")
        assert (answer.verdict, answer.source, answer.flags) == ("valid", source, TRIMMED)
        assert (answer.id, answer.email, answer.roles) == ("user-123", "tess@example.com", ("rvt", "admin"))
        assert json.loads(answer.raw) == NAMED
    assert json.loads(worker(daemon, "ask").ask("token").json) == NAMED
    assert faults.count(mode) == 1


def test_256_roles_are_kept_and_257_make_the_body_invalid(claimsd, peer, faults):
    roles = [f"role-{number}".ljust(60, "x") for number in range(257)]
    mode = faults.script("roles", {"body": {**NAMED, "role": roles[:256]}}, {"body": {**NAMED, "role": roles}})
    daemon = claimsd(faults.url(mode))
    assert peer(daemon).ask("256").roles == tuple(roles[:256])
    answer = peer(daemon).ask("257")
    assert (answer.verdict, answer.reason) == ("unavailable", "upstream_body")
    assert "lists more than 256 roles" in daemon.log()


def test_a_large_token_with_many_roles_and_60_kib_of_claims_works_end_to_end(claimsd, peer, worker, query, faults):
    """Over the socket, from the daemon's cache, in C, and in claimsctl's JSON."""
    roles = [f"CN=group-{number},OU=Groups,DC=example,DC=com" for number in range(256)]
    named = {**NAMED, "role": roles}
    size = len(json.dumps(named)) + 20
    mode = faults.script("giant", {"body": {**named, "note": "n" * (60 * 1024 - size)}})
    daemon = claimsd({"url": faults.url(mode), "max_token_bytes": "16KiB"})
    token = "t" * 16 * 1024
    for source in ("upstream", "cache"):
        answer = peer(daemon).ask(token)
        assert (answer.verdict, answer.source, answer.flags, answer.roles) == ("valid", source, 0, tuple(roles))
        assert 59 * 1024 < len(answer.raw) <= 60 * 1024
    assert json.loads(worker(daemon, "ask").ask(token).json)["role"] == roles
    shown = json.loads(query(daemon, token, "--json"))
    assert (shown["roles"], shown["truncated"], len(shown["claims"]["note"])) == (roles, False, 60 * 1024 - size)
    assert faults.count(mode) == 1


def test_a_c_program_gets_256_roles_and_60_kib_of_claims_whole(build, scratch, claimsd, peer, faults):
    roles = [f"CN=group-{number},OU=Groups,DC=example,DC=com" for number in range(256)]
    document = {**NAMED, "role": roles, "note": "n" * 45_000}
    mode = faults.script("giant-for-c", {"body": document})
    daemon = claimsd(faults.url(mode))
    program, library = scratch() / "program", build / "client" / "src"
    compiled = subprocess.run(["gcc", "-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", "-xc", "-", "-o", str(program),
                               f"-I{ROOT / 'client' / 'include'}", f"-L{library}", "-lclaimsd", f"-Wl,-rpath,{library}"],
                              input=C_PROGRAM, capture_output=True, text=True)
    assert compiled.returncode == 0, compiled.stderr
    token = "t" * 16 * 1024
    done = subprocess.run([str(program), str(daemon.socket)], input=token + "\n", capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    first, first_json, second, second_json = done.stdout.splitlines()
    size = sum(len(role) + 1 for role in roles)
    whole = json.dumps(document, separators=(",", ":"))
    assert first == f"upstream 0 256 {size} {roles[-1]} {len(first_json)}"
    assert second == f"cache 0 256 {size} {roles[-1]} {len(second_json)}"
    assert json.loads(first_json) == json.loads(second_json) == document
    assert len(whole) <= len(first_json) <= 64 * 1024
    assert faults.count(mode) == 1


def test_a_token_of_16_kib_is_found_in_shared_memory_and_large_claims_over_the_socket(claimsd, worker, faults):
    large = faults.script("large-claims", {"body": padded(60 * 1024)})
    asker = worker(claimsd(faults.url("echo")), "ask")
    token = "t" * 16 * 1024
    until(lambda: asker.ask(token).source in ("shared", "local"), "the lease is published")
    socket_only = worker(claimsd(faults.url(large)), "ask")
    assert [socket_only.ask(token).source for _ in range(3)] == ["upstream", "cache", "cache"]


def test_truncated_claims_say_so_in_text_and_in_json(claimsd, query, faults):
    mode = faults.script("cut", {"body": padded(5 * 1024)})
    daemon = claimsd({"url": faults.url(mode), "max_claims_bytes": "4KiB"})
    shown = json.loads(query(daemon, "token", "--json"))
    assert shown["truncated"] is True and shown["claims"] == NAMED
    assert "truncated to id, email and roles: raise max_claims_bytes" in query(daemon, "token")


def test_more_users_than_cache_entries_are_still_answered(claimsd, peer, faults):
    daemon = claimsd(faults.url("echo"), cache={"max_entries": 100})
    tokens = [f"token-{number}" for number in range(300)]
    asker = peer(daemon)
    for _ in range(2):
        assert [answer.id for answer in asker.ask_all(tokens)] == [user_of(token) for token in tokens]
    status = daemon.status()
    assert status["cache"]["entries"] <= 100
    assert status["counters"]["evictions"] >= 200


def test_a_query_over_the_waiter_limit_names_the_limit(claimsd, peer, faults):
    daemon = claimsd(faults.url("gate"), limits={"max_waiters": 10})
    asker = peer(daemon)
    for number in range(11):
        asker.query(f"token-{number % 3}")
    assert asker.answer()[1].reason == "too_many_waiting"
    faults.open("gate")
    assert {asker.answer()[1].verdict for _ in range(10)} == {"valid"}


def test_requests_in_flight_never_exceed_the_limit(claimsd, peer, faults):
    daemon = claimsd(faults.url("delay-20"), limits={"max_in_flight": 4})
    assert {answer.verdict for answer in peer(daemon).ask_all([f"token-{number}" for number in range(40)])} == {"valid"}
    assert faults.seen("delay-20")["concurrent_max"] <= 4
