"""System checks for mistakes that refuse every request, expose tokens, or serve one user's page to another."""

import os
import socket
import stat
from typing import Any, List

from django.conf import settings as django_settings
from django.core import checks

from auth_integration.conf import MISSING_EXTENSION, Settings, extension_is_built
from auth_integration.transport_choice import DEFAULT_SOCKET

AUTHENTICATOR = "auth_integration.authentication.AuthAPITokenAuthentication"
MIDDLEWARE = "auth_integration.middleware.CacheUserClaimsMiddleware"
UPDATE_CACHE = "django.middleware.cache.UpdateCacheMiddleware"
AUTHENTICATION = "django.contrib.auth.middleware.AuthenticationMiddleware"
CSRF = "django.middleware.csrf.CsrfViewMiddleware"


def _warn(number: int, text: str, hint: str) -> checks.Warning:
    return checks.Warning(text, hint=hint, id=f"auth_integration.W{number:03}")


def _fail(number: int, text: str, hint: str) -> checks.Error:
    return checks.Error(text, hint=hint, id=f"auth_integration.E{number:03}")


def check_settings(settings: Settings) -> List[Any]:
    found: List[Any] = [_fail(1, problem, "The package's README has a table of options.") for problem in settings.problems]
    if settings.is_plain_http:
        found.append(_warn(1, "AUTH_API_URL is plain http: every token crosses the network unencrypted",
                           "Use https, or an Auth API on this host's loopback."))
    if settings.lacks_extension:
        found.append(_fail(2, MISSING_EXTENSION.format(settings.choice.reason), 'See "Install" in the package\'s README.'))
    if settings.transport == "direct":
        found += check_direct(settings)
    return found


def check_direct(settings: Settings) -> List[Any]:
    found: List[Any] = []
    if settings.cache is not None and settings.cache not in django_settings.CACHES:
        found.append(_fail(4, f"AUTH_INTEGRATION['CACHE'] names {settings.cache!r}, which is not in CACHES",
                           f"Add it to CACHES, or name one of: {', '.join(sorted(django_settings.CACHES))}."))
    if settings.ca_file is not None and not os.access(settings.ca_file, os.R_OK):
        found.append(_fail(5, f"AUTH_INTEGRATION['CA_FILE'] names {settings.ca_file}, which this user cannot read",
                           "Correct the path, or make the file readable."))
    return found


def check_authenticator_order(classes: Any) -> List[Any]:
    names = [name if isinstance(name, str) else f"{name.__module__}.{name.__name__}" for name in classes]
    ours = [at for at, name in enumerate(names) if name.startswith("auth_integration.authentication.")]
    if not ours:
        return [_warn(2, f"{AUTHENTICATOR} is not among DEFAULT_AUTHENTICATION_CLASSES",
                      "Put it there, first, or in authentication_classes of the views that need it.")]
    if ours[0] > 0:
        return [_warn(3, f"{names[0]} comes before {names[ours[0]]} in DEFAULT_AUTHENTICATION_CLASSES",
                      "REST framework takes WWW-Authenticate from the first class: with another one, rejected tokens may be answered 403 instead of 401.")]
    return []


def check_socket(path: str) -> List[Any]:
    try:
        mode = os.stat(path).st_mode
    except PermissionError:
        return [_warn(5, f"this user cannot reach claimsd's socket {path}", "Add the user to the group claimsd-clients.")]
    except OSError:
        return [_warn(4, f"there is no claimsd socket at {path}",
                      'Start the service (systemctl start claimsd), set SOCKET, or set TRANSPORT to "direct" on a machine without claimsd.')]
    if not stat.S_ISSOCK(mode):
        return [_warn(4, f"{path} is not a socket", "Set SOCKET to the socket that claimsd listens on.")]
    if not os.access(path, os.R_OK | os.W_OK):
        return [_warn(5, f"this user cannot use claimsd's socket {path}", "Add the user to the group claimsd-clients.")]
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1)
        try:
            probe.connect(path)
        except OSError as error:
            return [_warn(4, f"no process listens on claimsd's socket {path}: {error.strerror or error}", "Start the service: systemctl start claimsd.")]
    return []


def check_middleware(names: Any, settings: Settings) -> List[Any]:
    names = list(names)
    found: List[Any] = []
    if MIDDLEWARE in names and UPDATE_CACHE in names and names.index(MIDDLEWARE) < names.index(UPDATE_CACHE):
        found.append(_fail(3, "CacheUserClaimsMiddleware comes before UpdateCacheMiddleware: the cache does not see that responses vary by "
                              "Authorization and would serve one user's page to another",
                           "Put UpdateCacheMiddleware first."))
    if MIDDLEWARE in names and AUTHENTICATION in names and names.index(MIDDLEWARE) < names.index(AUTHENTICATION):
        found.append(_warn(7, "CacheUserClaimsMiddleware comes before AuthenticationMiddleware, which overwrites request.user",
                           "Put AuthenticationMiddleware first."))
    if settings.cookie is not None and CSRF not in names:
        found.append(_warn(6, "tokens are taken from a cookie, but CsrfViewMiddleware is not in MIDDLEWARE",
                           "Add it: plain Django views without role_required or token_required are open to forged requests."))
    return found


def check_client_address(settings: Settings) -> List[Any]:
    """Behind a proxy REMOTE_ADDR is the proxy's."""
    signs = [name for name in ("SECURE_PROXY_SSL_HEADER", "USE_X_FORWARDED_HOST", "USE_X_FORWARDED_PORT") if getattr(django_settings, name, None)]
    if settings.client_address_meta != "REMOTE_ADDR" or not signs:
        return []
    return [_warn(9, f"{signs[0]} says that requests come through a proxy, but CLIENT_ADDRESS_META is REMOTE_ADDR, the address of the proxy: the audit "
                     "log names it for all users, and all users share one limit per client (limits.misses_per_client), or have none if it runs on this host",
                  "Have the proxy overwrite a header with the client's address (nginx: proxy_set_header X-Real-IP $remote_addr;) and set "
                  'AUTH_INTEGRATION["CLIENT_ADDRESS_META"] to "HTTP_X_REAL_IP".')]


def check_all(upstream: str = "") -> List[Any]:
    settings = Settings(upstream)
    found = check_settings(settings)
    rest = getattr(django_settings, "REST_FRAMEWORK", {})
    found += check_authenticator_order(rest.get("DEFAULT_AUTHENTICATION_CLASSES", ()))
    found += check_middleware(django_settings.MIDDLEWARE, settings)
    if settings.transport == "daemon":
        found += check_client_address(settings)
    if settings.transport == "daemon" and extension_is_built():
        found += check_socket(settings.socket or DEFAULT_SOCKET)
    return found


def check_upstreams() -> List[Any]:
    upstreams = Settings().upstreams
    return [problem for name in upstreams if isinstance(name, str) for problem in check_settings(Settings(name))]


def check_deployment() -> List[Any]:
    """The checks of `check --deploy`."""
    choice = Settings().choice
    if choice.explicit:
        return []
    return [_warn(8, f'TRANSPORT is "auto", which means "{choice.transport}" here, because {choice.reason}',
                  'Set AUTH_INTEGRATION["TRANSPORT"] to "daemon" or "direct", so that another host cannot change it.')]


def register() -> None:
    checks.register(lambda **_: check_all() + check_upstreams(), "auth_integration")
    checks.register(lambda **_: check_deployment(), "auth_integration", deploy=True)
