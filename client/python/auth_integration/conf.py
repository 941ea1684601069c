"""The settings: AUTH_API_URL, and the options of the dict AUTH_INTEGRATION. They are read at first use, and again after setting_changed."""

import difflib
import importlib
import ipaddress
import urllib.parse
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

from django.conf import settings as django_settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from auth_integration.mapping import ClaimsMapping
from auth_integration.transport_choice import Choice, choose


class Option(NamedTuple):
    default: Any
    kinds: Tuple[type, ...]
    help: str


_NONE: type = type(None)
OPTIONS: Dict[str, Option] = {
    "TRANSPORT": Option("auto", (str,), '"daemon" queries claimsd, "direct" queries the Auth API, "auto" chooses by the files of claimsd on the host'),
    "SOCKET": Option(None, (str, _NONE), "claimsd's socket; None: /run/claimsd/claims.sock"),
    "DAEMON_UID": Option(None, (int, _NONE), "the uid that claimsd must run as; None: root or the owner of the socket's directory"),
    "CLIENT_NAME": Option("auth_integration", (str,), "the name of this process in claimsd's log and status, at most 64 bytes"),
    "TIMEOUT": Option(5.0, (int, float), "seconds after which a lookup without an answer counts as unavailable"),
    "REPORT_WAIT": Option(False, (bool,), "daemon: send a 401, 403 or 503 only after its record is in the audit log"),
    "REPORT_TIMEOUT": Option(2.0, (int, float), "daemon: seconds after which a report without a receipt counts as lost, and REPORT_WAIT ends"),
    "MAX_CONNECTIONS": Option(16, (int,), "connections of this process to claimsd or to the Auth API; further threads wait"),
    "REALM": Option("api", (str,), "the realm of WWW-Authenticate"),
    "RETRY_AFTER": Option(1, (int,), "seconds in Retry-After if the outage comes without advice"),
    "USER_CLASS": Option("auth_integration.users.ClaimsUser", (str, type), "called with the claims; makes request.user"),
    "USER_RESOLVER": Option(None, (object,), "called with the claims instead; returns the user, or None to refuse (401)"),
    "COOKIE": Option(None, (str, _NONE), "take the token from this cookie if there is no Authorization header; CSRF is then enforced"),
    "CLIENT_ADDRESS_META": Option("REMOTE_ADDR", (str,), "the member of META with the client's address, for the audit record and the daemon's limits per client; behind a proxy a header that it overwrites, as 'HTTP_X_REAL_IP'"),
    "UPSTREAMS": Option({}, (dict,), "further Auth APIs by name: {\"partners\": {\"AUTH_API_URL\": \"https://…\", other options}}"),
    "ID_CLAIM": Option("id", (str,), "the member with the user's id"),
    "ME_PATH": Option("/api/me/", (str,), "direct: the path of the Auth API"),
    "CA_FILE": Option(None, (str, _NONE), "direct: a file of trusted certificate authorities; None: the system's"),
    "CACHE": Option("default", (str, _NONE), "direct: the alias in CACHES for claims; None: no cache"),
    "MAX_TTL": Option(60, (int, float), "direct: seconds for which an answer is cached, at most 300"),
    "NEGATIVE_TTL": Option(5, (int, float), "direct: seconds for which a rejection is cached"),
    "CLOCK_SKEW": Option(30, (int, float), "direct: seconds by which the Auth API's clock may differ"),
    "EMAIL_CLAIM": Option("email", (str,), "direct: the member with the email address"),
    "ROLE_CLAIMS": Option(["role"], (list, tuple), "direct: the members with roles, each a name, a JSON Pointer, or {\"at\": …, \"form\": \"list\", \"words\" or \"keys\"}"),
    "REQUIRE": Option({}, (dict,), "direct: members that must have these values, by name or JSON Pointer"),
    "REQUIRE_TOKEN": Option({}, (dict,), "direct: the same for the token itself, if it is a JWT: {\"/aud\": \"lumen\"}"),
}
RENAMED = {"ROLE_CLAIM": "ROLE_CLAIMS"}  # old name: new name
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
    """The settings, read once. Attributes are the options in lower case; `problems` lists the mistakes."""

    transport: str  # "daemon" or "direct"; `choice` has the reason
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
    upstreams: Dict[str, Dict[str, Any]]
    id_claim: str
    me_path: str
    ca_file: Optional[str]
    cache: Optional[str]
    max_ttl: float
    negative_ttl: float
    clock_skew: float
    email_claim: str
    role_claims: Sequence[Any]
    require: Dict[str, Any]
    require_token: Dict[str, Any]
    mapping: ClaimsMapping
    choice: Choice

    def __init__(self, upstream: str = "") -> None:
        self.upstream = upstream
        self.problems: List[str] = []
        given = self._options_of(upstream)
        for name in given:
            if name not in OPTIONS and name != "AUTH_API_URL":
                self.problems.append(f"AUTH_INTEGRATION has no option {name!r}{_suggestion(name)}")
        for name, option in OPTIONS.items():
            value = given.get(name, option.default)
            if not isinstance(value, option.kinds) or (isinstance(value, bool) and not {bool, object} & set(option.kinds)):
                wanted = " or ".join("None" if kind is _NONE else kind.__name__ for kind in option.kinds)
                self.problems.append(f"AUTH_INTEGRATION[{name!r}] must be {wanted}")
                value = option.default
            setattr(self, name.lower(), value)
        self._check_values()
        self._choose_transport(given.get("TRANSPORT", "auto"))
        self.api_url = self._read_url(given.get("AUTH_API_URL") if upstream else getattr(django_settings, "AUTH_API_URL", None))

    def _options_of(self, upstream: str) -> Dict[str, Any]:
        given = getattr(django_settings, "AUTH_INTEGRATION", {})
        if not isinstance(given, dict):
            self.problems.append("AUTH_INTEGRATION must be a dict")
            given = {}
        if not upstream:
            if "AUTH_API_URL" in given:
                self.problems.append("AUTH_API_URL is a setting of its own, outside AUTH_INTEGRATION")
            return given
        upstreams = given.get("UPSTREAMS")
        own = upstreams.get(upstream) if isinstance(upstreams, dict) else None
        if not isinstance(own, dict):
            self.problems.append(f"AUTH_INTEGRATION['UPSTREAMS'] has no Auth API {upstream!r}: add {{{upstream!r}: {{'AUTH_API_URL': 'https://…'}}}}")
            own = {}
        return {**given, **own}

    def _check_values(self) -> None:
        for name in ("TIMEOUT", "REPORT_TIMEOUT"):
            if not 0 < getattr(self, name.lower()) <= 600:
                self.problems.append(f'AUTH_INTEGRATION["{name}"] must be more than 0 and at most 600 seconds')
        if not 0 < self.max_ttl <= LONGEST_TTL:
            self.problems.append(f'AUTH_INTEGRATION["MAX_TTL"] must be more than 0 and at most {LONGEST_TTL} seconds')
        if not 1 <= self.max_connections <= 1024:
            self.problems.append('AUTH_INTEGRATION["MAX_CONNECTIONS"] must be 1 to 1,024')
        if any(character in self.realm for character in '"\\\r\n'):
            self.problems.append('AUTH_INTEGRATION["REALM"] must not contain quotes, backslashes or line ends')
        if not self.me_path.startswith("/"):
            self.problems.append('AUTH_INTEGRATION["ME_PATH"] must begin with "/", as "/api/me/"')
        for name in ("USER_CLASS", "USER_RESOLVER"):
            try:
                setattr(self, name.lower(), _import(getattr(self, name.lower()), name))
            except ImproperlyConfigured as error:
                self.problems.append(str(error))
        try:
            self.mapping = ClaimsMapping(self.id_claim, self.email_claim, self.role_claims, self.require, self.require_token)
        except ValueError as error:
            self.problems.append(f"AUTH_INTEGRATION[{error.args[0]!r}] {error.args[1]}")

    def _choose_transport(self, wanted: Any) -> None:
        if wanted not in ("auto", "daemon", "direct"):
            self.problems.append('AUTH_INTEGRATION["TRANSPORT"] must be "auto", "daemon" or "direct"')
            wanted = "auto"
        self.choice = choose(wanted, self.socket)
        self.transport = self.choice.transport

    def _read_url(self, url: Any) -> str:
        name = f"AUTH_INTEGRATION['UPSTREAMS'][{self.upstream!r}]['AUTH_API_URL']" if self.upstream else "AUTH_API_URL"
        if not url or not isinstance(url, str):
            self.problems.append(f'{name} is not set: set it to the URL of the Auth API, as "https://auth.example.com"')
            return ""
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            self.problems.append(f"{name} must be an http or https URL with a host")
        elif parts.username or parts.password or parts.query or parts.fragment:
            self.problems.append(f"{name} must not contain a user, a query or a fragment")
        return url.rstrip("/")

    @property
    def is_plain_http(self) -> bool:
        """Whether tokens cross a network unencrypted."""
        parts = urllib.parse.urlsplit(self.api_url)
        return parts.scheme == "http" and not is_loopback(parts.hostname)

    @property
    def lacks_extension(self) -> bool:
        return self.transport == "daemon" and not extension_is_built()

    def require_valid(self) -> None:
        problems = [*self.problems, *([MISSING_EXTENSION.format(self.choice.reason)] if self.lacks_extension else [])]
        if problems:
            raise ImproperlyConfigured("; ".join(problems))


MISSING_EXTENSION = (
    "the transport is claimsd ({}), but the extension auth_integration._claimsd is not built: install a C++ compiler, python3-dev and "
    'libssl-dev and install the package again, or set AUTH_INTEGRATION["TRANSPORT"] to "direct"')


def _suggestion(name: object) -> str:
    if name in RENAMED:
        return f": it is now {RENAMED[str(name)]!r}"
    close = difflib.get_close_matches(str(name).upper(), OPTIONS, 1)
    return f": did you mean {close[0]!r}?" if close else ""
