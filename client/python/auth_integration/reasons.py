"""The reasons of an answer: word, verdict and sentence, the same for every transport.

REASONS are the rows of proto/vocabulary.h; a test compares them. The texts of rejections are shown to the client and can be translated; those of
outages are for the operator.
"""

from typing import NamedTuple

from django.utils.translation import gettext_noop as _

VALID = "valid"  # there are claims
INVALID = "invalid"  # 401: log in again
UNAVAILABLE = "unavailable"  # 503: no answer could be obtained


class Answer(NamedTuple):
    """The outcome of a lookup. The fields of `_claimsd.Answer`; it holds no claim and no token."""

    verdict: str
    reason: str
    text: str
    source: str = "none"
    age_ms: int = 0
    ttl_ms: int = 0
    retry_after_ms: int = 0


REASONS = {
    "ok": ("valid", "the Auth API confirmed the token"),
    "rejected": ("invalid", _("the Auth API rejected the token: log in again")),
    "malformed": ("invalid", _('not a bearer token (RFC 6750): send it exactly as issued, without "Bearer "')),
    "expired": ("invalid", _("the token has expired: refresh it or log in again")),
    "revoked": ("invalid", _("an operator revoked the token: log in again")),
    "claim_mismatch": ("invalid", _("the token is not valid for this service: its claims do not have the required values")),
    "deadline": ("unavailable", "the Auth API did not answer within the timeout of the query: try again"),
    "upstream_timeout": ("unavailable", "the request to the Auth API timed out: run claimsctl status"),
    "upstream_connect": ("unavailable", "cannot connect to the Auth API: check its URL, DNS and the network"),
    "upstream_tls": ("unavailable", "the TLS connection to the Auth API failed: check its certificate and ca_file"),
    "upstream_status": ("unavailable", "the Auth API answered with a status that is neither 200 nor a rejection: check its log"),
    "upstream_body": ("unavailable", "the answer of the Auth API is not a valid claims document: check the daemon's log"),
    "upstream_too_large": ("unavailable", "the answer of the Auth API is larger than 256 KiB: check the Auth API's log"),
    "upstream_protocol": ("unavailable", "the Auth API closed the connection early or does not speak HTTP: check its log"),
    "overloaded": ("unavailable", "too many requests are waiting for the Auth API (limits.max_pending): try again shortly"),
    "shutting_down": ("unavailable", "the daemon is stopping: try again shortly"),
    "backoff": ("unavailable", "the Auth API keeps failing and its circuit breaker is open: try again shortly"),
    "internal": ("unavailable", "internal error of the daemon: check its log"),
    "rate_limited": ("unavailable", "this uid exceeds limits.misses_per_uid, the rate limit for unknown tokens: try again later"),
    "not_recorded": (
        "unavailable", "the audit log did not accept the required record: run claimsctl status"),
    "roles_unknown": ("unavailable", "the Auth API left out the user's roles, because there are too many: reduce the user's groups or use application roles"),
    "too_long": ("unavailable", "the token is longer than the daemon accepts: raise max_token_bytes of the upstream"),
    "client_rate_limited": (
        "unavailable", "this client address exceeds limits.misses_per_client, the rate limit for unknown tokens: try again later"),
    "too_many_waiting": (
        "unavailable", "limits.max_waiters queries are waiting: try again shortly"),
    "too_many_waiting_of_uid": (
        "unavailable", "limits.max_waiters_per_uid queries of this uid are waiting: try again shortly"),
    "upstream_certificate": (
        "unavailable", "the Auth API requires a client certificate: set client_certificate and client_key"),
    "upstream_credentials": (
        "unavailable", "the Auth API rejects the daemon's own credentials: check client_id and client_secret_file"),
    "not_current": ("unavailable", "this host may lack revocations of its fleet: run claimsctl fleet"),
    "no_daemon": ("unavailable", "no claimsd listens on the socket: start it with systemctl start claimsd"),
    "not_permitted": ("unavailable", "this user may not use the socket: add it to group claimsd-clients or to daemon.allowed_uids"),
    "wrong_daemon": ("unavailable", "the socket belongs to an untrusted user: check socket_path and daemon_uid"),
    "wrong_upstream": ("unavailable", "the Auth API that this client expects is not an upstream of the daemon: compare the URLs"),
    "timeout": ("unavailable", "the daemon did not answer in time: run claimsctl status"),
    "disconnected": ("unavailable", "the daemon closed the connection twice: check its log"),
    "protocol": ("unavailable", "the daemon speaks another protocol version: upgrade the older side"),
    "no_resources": ("unavailable", "this process is out of memory or file descriptors: raise its limits"),
    "no_reports": ("unavailable", "the daemon does not accept reports: upgrade it, or set audit.enabled = true"),
    "unsafe_directory": (
        "unavailable", "users other than root and the daemon's can write to the socket's directory: give it to root, with mode 0755"),
    "too_many_connections": (
        "unavailable", "the daemon has daemon.max_connections connections: find the users with claimsctl top, or raise it"),
    "canceled": ("unavailable", "the caller canceled the query"),
    "too_many_connections_of_uid": (
        "unavailable", "this uid has daemon.max_connections_per_uid connections: use fewer, or raise it"),
    "connects_too_fast": (
        "unavailable", "this uid connects more often than daemon.connects_per_uid times a second: keep connections open, or raise it"),
    "not_configured": (
        "unavailable", "not configured: set upstream.main.url in /etc/claimsd/claimsd.toml, then: systemctl reload claimsd"),
}


def answer_of(reason: str, retry_after_ms: int = 0, source: str = "none") -> Answer:
    """The answer for a reason. A word that is not in the tables is unavailable."""
    verdict, text = REASONS.get(reason) or REASONS["internal"]
    return Answer(verdict, reason, text, source, retry_after_ms=retry_after_ms)
