"""The settings: AUTH_API_URL, and the rows of OPTIONS in the dict AUTH_INTEGRATION. Read at first use, again after setting_changed."""

import difflib
import importlib
import ipaddress
import urllib.parse
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple

from django.conf import settings as django_settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string


class Option(NamedTuple):
    default: Any
    kinds: Tuple[type, ...]
    help: str


_NONE: type = type(None)
OPTIONS: Dict[str, Option] = {
    "TRANSPORT": Option(None, (str, _NONE), '"daemon" asks claimsd, "direct" the Auth API itself; None: "daemon" where the extension is built'),
    "SOCKET": Option(None, (str, _NONE), "claimsd's socket; None: /run/claimsd/claims.sock"),
    "DAEMON_UID": Option(None, (int, _NONE), "the uid that claimsd must run as; None: root or the owner of the socket's directory"),
    "CLIENT_NAME": Option("auth_integration", (str,), "what claimsd calls this process, at most 64 bytes"),
    "TIMEOUT": Option(5.0, (int, float), "seconds until a question without an answer counts as unavailable"),
    "REPORT_WAIT": Option(False, (bool,), "daemon: whether a refusal is answered only when its record is in the audit log; else its report is on its way"),
    "REPORT_TIMEOUT": Option(2.0, (int, float), "daemon: seconds until a report without a record counts as lost, and a refusal that waits is answered all the same"),
    "MAX_CONNECTIONS": Option(16, (int,), "connections of this process to claimsd, or to the Auth API; more threads wait"),
    "REALM": Option("api", (str,), "the realm of WWW-Authenticate"),
    "RETRY_AFTER": Option(1, (int,), "seconds, for Retry-After where an outage comes without advice"),
    "USER_CLASS": Option("auth_integration.users.ClaimsUser", (str, type), "called with the claims; makes request.user"),
    "USER_RESOLVER": Option(None, (object,), "called with the claims instead: returns the user, or None to refuse (401)"),
    "COOKIE": Option(None, (str, _NONE), "take the token from this cookie where there is no Authorization header; CSRF is then enforced"),
    "CLIENT_ADDRESS_META": Option("REMOTE_ADDR", (str,), "the member of META with the client's address, for the audit record"),
    "ME_PATH": Option("/api/me/", (str,), "direct: the path that is asked"),
    "CA_FILE": Option(None, (str, _NONE), "direct: the certificate authorities to trust; None: the system's"),
    "CACHE": Option("default", (str, _NONE), "direct: the alias in CACHES that keeps claims; None: none"),
    "MAX_TTL": Option(60, (int, float), "direct: seconds that an answer is believed, at most 300"),
    "NEGATIVE_TTL": Option(5, (int, float), "direct: seconds that a refusal is believed"),
    "CLOCK_SKEW": Option(30, (int, float), "direct: seconds by which the Auth API's clock may differ"),
    "ID_CLAIM": Option("id", (str,), "direct: the member that holds the user's id"),
    "EMAIL_CLAIM": Option("email", (str,), "direct: the member that holds the email address"),
    "ROLE_CLAIM": Option("role", (str,), "direct: the member that holds the role, or a list of roles"),
}
LONGEST_TTL = 300


def extension_is_built() -> bool:
    try:
        importlib.import_module("auth_integration._claimsd")
    except ImportError:
        return False
    return True


def _import(value: Any, option: str) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return import_string(value)
    except ImportError as error:
        raise ImproperlyConfigured(f"AUTH_INTEGRATION[{option!r}] names {value!r}, which cannot be imported: {error}") from error


def is_loopback(host: Optional[str]) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


class Settings:
    """One reading of the settings. Attributes are the options in lower case; `problems` says what is wrong with them."""

    transport: str
    socket: Optional[str]
    daemon_uid: Optional[int]
    client_name: str
    timeout: float
    report_wait: bool
    report_timeout: float
    max_connections: int
    realm: str
    retry_after: int
    user_class: Any
    user_resolver: Optional[Callable[..., Any]]
    cookie: Optional[str]
    client_address_meta: str
    me_path: str
    ca_file: Optional[str]
    cache: Optional[str]
    max_ttl: float
    negative_ttl: float
    clock_skew: float
    id_claim: str
    email_claim: str
    role_claim: str

    def __init__(self) -> None:
        self.problems: List[str] = []
        given = getattr(django_settings, "AUTH_INTEGRATION", {})
        if not isinstance(given, dict):
            self.problems.append("AUTH_INTEGRATION must be a dict")
            given = {}
        for name in given:
            if name not in OPTIONS:
                self.problems.append(f"AUTH_INTEGRATION has no option {name!r}{_meant(name)}")
        for name, option in OPTIONS.items():
            value = given.get(name, option.default)
            if not isinstance(value, option.kinds) or (isinstance(value, bool) and not {bool, object} & set(option.kinds)):
                wanted = " or ".join("None" if kind is _NONE else kind.__name__ for kind in option.kinds)
                self.problems.append(f"AUTH_INTEGRATION[{name!r}] must be {wanted}")
                value = option.default
            setattr(self, name.lower(), value)
        self._check_values(given)
        self.api_url = self._read_url()

    def _check_values(self, given: Dict[str, Any]) -> None:
        if self.transport is None:
            self.transport = "daemon" if extension_is_built() else "direct"
        elif self.transport not in ("daemon", "direct"):
            self.problems.append('AUTH_INTEGRATION["TRANSPORT"] must be "daemon" or "direct"')
        for name in ("TIMEOUT", "REPORT_TIMEOUT"):
            if not 0 < getattr(self, name.lower()) <= 600:
                self.problems.append(f'AUTH_INTEGRATION["{name}"] must be more than 0 and at most 600 seconds')
        if not 0 < self.max_ttl <= LONGEST_TTL:
            self.problems.append(f'AUTH_INTEGRATION["MAX_TTL"] must be more than 0 and at most {LONGEST_TTL} seconds')
        if not 1 <= self.max_connections <= 1024:
            self.problems.append('AUTH_INTEGRATION["MAX_CONNECTIONS"] must be 1 to 1,024')
        if any(character in self.realm for character in '"\\\r\n'):
            self.problems.append('AUTH_INTEGRATION["REALM"] must not hold quotes, backslashes or line ends')
        for name in ("USER_CLASS", "USER_RESOLVER"):
            try:
                setattr(self, name.lower(), _import(getattr(self, name.lower()), name))
            except ImproperlyConfigured as error:
                self.problems.append(str(error))

    def _read_url(self) -> str:
        url = getattr(django_settings, "AUTH_API_URL", None)
        if not url or not isinstance(url, str):
            self.problems.append('AUTH_API_URL is not set: set it to your Auth API, as "https://auth.example.com"')
            return ""
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            self.problems.append("AUTH_API_URL must be an http or https URL with a host")
        elif parts.username or parts.password or parts.query or parts.fragment:
            self.problems.append("AUTH_API_URL must not hold a user, a query or a fragment")
        return url.rstrip("/")

    @property
    def is_plain_http(self) -> bool:
        """A token would cross a network in the clear."""
        parts = urllib.parse.urlsplit(self.api_url)
        return parts.scheme == "http" and not is_loopback(parts.hostname)

    def require(self) -> None:
        if self.problems:
            raise ImproperlyConfigured("; ".join(self.problems))


def _meant(name: object) -> str:
    close = difflib.get_close_matches(str(name).upper(), OPTIONS, 1)
    return f": did you mean {close[0]!r}?" if close else ""
