"""Generated requests through each real proxy: the identity that the application receives is what claimsd decided for the token in that same request, or nothing.

CLAIMSD_PROXY_REQUESTS: connections for each proxy, with 1 to 4 requests each. CLAIMSD_PROXY_SEED: another corpus.
"""

import os
import queue
import socket
import threading

import pytest

from http_client import RawClient
from proxies import PROXIES
from proxy_corpus import Corpus
from recording_app import RecordingApp, plain

CONNECTIONS = int(os.environ.get("CLAIMSD_PROXY_REQUESTS", "600"))
SEED = int(os.environ.get("CLAIMSD_PROXY_SEED", "1"))
CLIENTS = 16
QUIET = 0.5  # seconds without a byte after which a proxy waits for the rest of a request that does not come
NAMES = ("x_claims_id", "x_claims_email", "x_claims_roles", "x_claims_truncated")


def identity_of(path, token):
    """What claimsd decides: {name: value}; None for a token that it rejects."""
    with socket.socket(socket.AF_UNIX) as connected:
        connected.settimeout(30)
        connected.connect(str(path))
        response = RawClient(connected).ask("/v1/auth/authenticated", token)
    if response.status != 200:
        return None
    return {plain(name): value for name, value in response.headers if plain(name) in NAMES}


def fault(received, known):
    """What is wrong with a request that reached the application; "" if nothing."""
    if received.malformed:
        return f"malformed: {received.malformed}"
    identity = {}
    for name, value in received.identity().items():
        if value != "":
            identity.setdefault(plain(name), []).append(value)
    path = received.path()
    if path.startswith("/public/"):
        return "an identity on a path without a gate" if identity else ""
    schemes = [value.partition(" ") for value in received.values("Authorization")]
    tokens = [token.strip() for scheme, _, token in schemes if scheme.lower() == "bearer"]
    decided = known.get(tokens[0]) if len(schemes) == len(tokens) == 1 else None
    if decided is None:
        return "no valid token"
    if identity and identity != {name: [value] for name, value in decided.items() if value != ""}:
        return "another identity"
    if path.startswith("/records/") and "doctor" not in decided["x_claims_roles"].split(","):
        return "past the gate"
    return ""


def exchange(proxy, data):
    """Sends the bytes of one connection and reads until the proxy closes it, or has nothing more to say."""
    with proxy.connect() as client:
        client.settimeout(QUIET)
        try:
            client.sendall(data)
            while client.recv(65536):
                pass
        except OSError:
            pass


def send_all(proxy, corpus, count):
    cases = queue.Queue(maxsize=256)

    def work():
        while (data := cases.get()) is not None:
            exchange(proxy, data)

    workers = [threading.Thread(target=work) for _ in range(CLIENTS)]
    for worker in workers:
        worker.start()
    for _ in range(count):
        cases.put(corpus.next())
    for _ in workers:
        cases.put(None)
    for worker in workers:
        worker.join()


@pytest.mark.parametrize("name", sorted(PROXIES))
def test_no_generated_request_spoofs_an_identity(claimsd, scratch, auth_api, name):
    daemon = claimsd(auth_api.url, start=False, **{"http.gate.doctors": {"roles": ["doctor"]}}, log={"level": "warning"})
    path = daemon.serve_http().start().http_socket
    application = RecordingApp()
    proxy = PROXIES[name](scratch(), path, application.port).start()
    reached, faults, done, known = 0, [], 0, {}
    try:
        while done < CONNECTIONS:
            part = min(2000, CONNECTIONS - done)
            tokens = [auth_api.login("dana"), auth_api.login("tess"), "wrong", "user-301"]  # they live for minutes
            decided = {token: identity_of(path, token) for token in tokens}
            assert [value is None for value in decided.values()] == [False, False, True, True]
            known.update(decided)  # of earlier parts as well: a request without its end may arrive late
            send_all(proxy, Corpus(f"{SEED} {done}", tokens), part)
            done += part
            for received in application.take():
                reached += 1
                if found := fault(received, known):
                    faults.append((found, received))
    finally:
        proxy.stop()
        application.close()
    print(f"{name}: {done} connections, {reached} requests reached the application, {len(faults)} faults")
    assert faults == [], "\n".join(f"{found}: {received}"[:1500] for found, received in faults[:10])
    assert reached > done / 20  # the corpus is not all refused
