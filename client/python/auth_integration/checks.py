"""System checks: what would refuse everybody, let tokens be read, or serve one user's page to another."""

import os
import socket
import stat
from typing import Any, List

from django.conf import settings as django_settings
from django.core import checks

from auth_integration.conf import Settings, extension_is_built

AUTHENTICATOR = "auth_integration.authentication.AuthAPITokenAuthentication"
MIDDLEWARE = "auth_integration.middleware.CacheUserClaimsMiddleware"
UPDATE_CACHE = "django.middleware.cache.UpdateCacheMiddleware"
CSRF = "django.middleware.csrf.CsrfViewMiddleware"


def _warn(number: int, text: str, hint: str) -> checks.Warning:
    return checks.Warning(text, hint=hint, id=f"auth_integration.W{number:03}")


def _fail(number: int, text: str, hint: str) -> checks.Error:
    return checks.Error(text, hint=hint, id=f"auth_integration.E{number:03}")


def check_settings(settings: Settings) -> List[Any]:
    found: List[Any] = [_fail(1, problem, "See the table of options in the package's README.") for problem in settings.problems]
    if settings.is_plain_http:
        found.append(_warn(1, "AUTH_API_URL is plain http: every token crosses the network in the clear",
                           "Use https, or an Auth API on this host's loopback."))
    if settings.transport == "daemon" and not extension_is_built():
        found.append(_fail(2, 'the transport is "daemon", but the extension auth_integration._claimsd is not built',
                           'Install a C++ compiler, python3-dev and libssl-dev and install the package again, or set TRANSPORT to "direct".'))
    return found


def check_authenticator_order(classes: Any) -> List[Any]:
    names = [name if isinstance(name, str) else f"{name.__module__}.{name.__name__}" for name in classes]
    ours = [at for at, name in enumerate(names) if name.startswith("auth_integration.authentication.")]
    if not ours:
        return [_warn(2, f"{AUTHENTICATOR} is not among DEFAULT_AUTHENTICATION_CLASSES",
                      "Put it there, first, or into authentication_classes of the views that need it.")]
    if ours[0] > 0:
        return [_warn(3, f"{names[0]} comes before {names[ours[0]]} in DEFAULT_AUTHENTICATION_CLASSES",
                      "REST framework asks the first class for WWW-Authenticate: with another one there, refused tokens may be answered 403 instead of 401.")]
    return []


def check_socket(path: str) -> List[Any]:
    try:
        mode = os.stat(path).st_mode
    except PermissionError:
        return [_warn(5, f"claimsd's socket {path} may not be reached by this user", "Add it to the group claimsd-clients.")]
    except OSError:
        return [_warn(4, f"there is no claimsd socket at {path}",
                      'Start the service (systemctl start claimsd), set SOCKET, or set TRANSPORT to "direct" on a machine without claimsd.')]
    if not stat.S_ISSOCK(mode):
        return [_warn(4, f"{path} is no socket", "Set SOCKET to the socket that claimsd listens on.")]
    if not os.access(path, os.R_OK | os.W_OK):
        return [_warn(5, f"claimsd's socket {path} may not be used by this user", "Add it to the group claimsd-clients.")]
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1)
        try:
            probe.connect(path)
        except OSError as error:
            return [_warn(4, f"nobody listens on claimsd's socket {path}: {error.strerror or error}", "Start the service: systemctl start claimsd.")]
    return []


def check_middleware(names: Any, settings: Settings) -> List[Any]:
    names = list(names)
    found: List[Any] = []
    if MIDDLEWARE in names and UPDATE_CACHE in names and names.index(MIDDLEWARE) < names.index(UPDATE_CACHE):
        found.append(_fail(3, "CacheUserClaimsMiddleware comes before UpdateCacheMiddleware: the cache does not see that responses vary by "
                              "Authorization and would serve one user's page to another",
                           "Put UpdateCacheMiddleware first."))
    if settings.cookie is not None and CSRF not in names:
        found.append(_warn(6, "tokens are taken from a cookie, but CsrfViewMiddleware is not in MIDDLEWARE",
                           "Plain Django views that neither role_required nor token_required guards are open to forged requests: put it there."))
    return found


def check_all(**_: Any) -> List[Any]:
    settings = Settings()
    found = check_settings(settings)
    rest = getattr(django_settings, "REST_FRAMEWORK", {})
    found += check_authenticator_order(rest.get("DEFAULT_AUTHENTICATION_CLASSES", ()))
    found += check_middleware(django_settings.MIDDLEWARE, settings)
    if settings.transport == "daemon" and extension_is_built():
        from auth_integration import _claimsd

        found += check_socket(settings.socket or _claimsd.DEFAULT_SOCKET)
    return found


def register() -> None:
    checks.register(check_all, "auth_integration")
