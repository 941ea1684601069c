"""Shared by the tests of auth_integration: the installed package, the clinic (a Django site), and the daemon and Auth API of tests/system.

CLAIMSD_BUILD_DIR names the build; the package is in its folder python/ (install_for_tests.py puts it there).
"""

import importlib.util
import os
import pathlib
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
TESTS = HERE.parent
BUILD = pathlib.Path(os.environ.get("CLAIMSD_BUILD_DIR", TESTS.parent / "build" / "dev")).resolve()
sys.path[1:1] = [str(BUILD / "python"), str(HERE), str(TESTS / "system"), str(TESTS / "support"), str(TESTS / "authapi")]
os.environ["DJANGO_SETTINGS_MODULE"] = "clinic.settings"
os.environ["CLINIC_PATH"] = f"{BUILD / 'python'}:{HERE}"  # the PYTHONPATH of processes that tests start


def _system_fixtures():
    spec = importlib.util.spec_from_file_location("system_fixtures", TESTS / "system" / "conftest.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_shared = _system_fixtures()
build, scratch, claimsd = _shared.build, _shared.scratch, _shared.claimsd
auth_api, fault_server, faults = _shared.auth_api, _shared.fault_server, _shared.faults


def pytest_configure():
    import django
    import hypothesis
    from hypothesis.configuration import set_hypothesis_home_dir

    from auth_integration import in_tests

    in_tests.pytest_is_running = True  # the plugin sets it only if the package is on the path before pytest starts
    set_hypothesis_home_dir(BUILD / "hypothesis")  # not in the tree
    hypothesis.settings.register_profile("tests", database=None)  # a slow disk would dominate
    hypothesis.settings.load_profile("tests")
    django.setup()


@pytest.fixture
def api():
    """A fake Auth API (auth_integration.testing)."""
    from auth_integration.testing import FakeAuthApi

    with FakeAuthApi() as fake:
        yield fake


@pytest.fixture
def knowing_api():
    """Like `api`, but this process knows each issued token, like a worker of claimsd after the first lookup."""
    from auth_integration.testing import FakeAuthApi
    from auth_integration.transports.base import bearer_of, identity_of

    class KnowingApi(FakeAuthApi):
        def known(self, meta):
            claims = self._users.get(bearer_of(meta))
            return None if claims is None else identity_of(claims)

    with KnowingApi() as fake:
        yield fake


@pytest.fixture(params=[False, True], ids=["alone", "with middleware"])
def middleware(request, use):
    """Runs a test without and with the middleware."""
    if request.param:
        use(MIDDLEWARE=["auth_integration.middleware.CacheUserClaimsMiddleware"])
    return request.param


@pytest.fixture
def use():
    """use(AUTH_API_URL=..., TRANSPORT=...): settings for one test. Other names than Django's settings go into AUTH_INTEGRATION."""
    from django.test import override_settings

    made = []

    def change(**changes):
        own = {"AUTH_API_URL", "SECURE_PROXY_SSL_HEADER", "USE_X_FORWARDED_HOST", "MIDDLEWARE", "REST_FRAMEWORK", "CACHES", "INSTALLED_APPS", "AUTH_INTEGRATION", "DEBUG", "ADMINS", "LOCALE_PATHS", "LANGUAGE_CODE", "USE_I18N"}
        settings = {name: value for name, value in changes.items() if name in own}
        options = {name: value for name, value in changes.items() if name not in own}
        if options:
            settings["AUTH_INTEGRATION"] = options
        override = override_settings(**settings)
        override.enable()
        made.append(override)

    yield change
    for override in reversed(made):
        override.disable()
