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
    left_ms: int = 0
    retry_after_ms: int = 0


REASONS = {
    "ok": ("valid", "the Auth API confirmed the token"),
    "refused": ("invalid", _("the Auth API refused the token: log in again")),
    "malformed": ("invalid", _('not a bearer token (RFC 6750): send it as it was issued, without "Bearer "')),
    "too_long": ("invalid", _("longer than a token may be (8 KiB): send it as it was issued")),
    "expired": ("invalid", _("the token's own expiry has passed: refresh it or log in again")),
    "revoked": ("invalid", _("an operator revoked the token: log in again")),
    "deadline": ("unavailable", "no answer from the Auth API within the question's time-out: try again"),
    "upstream_timeout": ("unavailable", "the Auth API did not answer in time: see claimsctl status"),
    "upstream_connect": ("unavailable", "the Auth API cannot be reached: check its URL, DNS and network"),
    "upstream_tls": ("unavailable", "the Auth API's certificate or TLS was not accepted: check ca_file and its certificate"),
    "upstream_status": ("unavailable", "the Auth API answered with a status that is neither 200 nor a refusal: see its log"),
    "upstream_body": ("unavailable", "the Auth API's answer is not a valid claims document: see the daemon's log"),
    "upstream_too_large": ("unavailable", "the Auth API's answer is larger than 64 KiB: see its log"),
    "upstream_protocol": ("unavailable", "the Auth API broke off or does not speak HTTP: see its log"),
    "overloaded": ("unavailable", "too many questions are waiting for the Auth API: try again shortly"),
    "shutting_down": ("unavailable", "the daemon is stopping: try again shortly"),
    "backoff": ("unavailable", "the Auth API has been failing and is left alone for a moment: try again shortly"),
    "internal": ("unavailable", "the daemon could not work on it: see its log"),
    "over_budget": ("unavailable", "this peer asks for more unknown tokens than its budget: try again later"),
    "not_recorded": (
        "unavailable", "the audit log did not take the record that must come first: see claimsctl status"),
    "no_daemon": ("unavailable", "no claimsd listens on the socket: is the service started?"),
    "not_permitted": ("unavailable", "this user may not use the socket: add it to the group claimsd-clients or to allowed_uids"),
    "wrong_daemon": ("unavailable", "the socket belongs to a user that is not trusted: check socket_path and daemon_uid"),
    "wrong_upstream": ("unavailable", "the daemon does not know the Auth API that this client expects: compare the URLs"),
    "timeout": ("unavailable", "the daemon did not answer in time: see claimsctl status"),
    "disconnected": ("unavailable", "the daemon hung up twice: see its log"),
    "protocol": ("unavailable", "the daemon speaks another protocol version: upgrade the older side"),
    "no_resources": ("unavailable", "this process has no memory or descriptors left"),
    "no_reports": ("unavailable", "the daemon takes no reports: it is older than this library, or keeps no audit log"),
}

# Reasons that the direct transport has and proto/vocabulary.h may not have yet.
OWN_REASONS = {
    "claim_mismatch": ("invalid", _("the token is not valid for this service")),
    "roles_unknown": ("unavailable", "the Auth API left out the user's roles, because there are too many: reduce the user's groups or use application roles"),
}


def answer_of(reason: str, retry_after_ms: int = 0, source: str = "none") -> Answer:
    """The answer for a reason. A word that is not in the tables is unavailable."""
    verdict, text = REASONS.get(reason) or OWN_REASONS.get(reason) or REASONS["internal"]
    return Answer(verdict, reason, text, source, retry_after_ms=retry_after_ms)
