"""The fake Auth API for applications' tests: nesting, and lookups without one."""

import os
import subprocess
import sys

import pytest
from django.test import override_settings

from auth_integration import in_tests, runtime
from auth_integration.identify import identify
from auth_integration.testing import FakeAuthApi, real_auth_api


def test_the_inner_fake_counts_and_the_outer_one_returns():
    with FakeAuthApi() as outer:
        with FakeAuthApi() as inner:
            assert runtime.current().transport is inner
            with outer:  # entered again
                assert runtime.current().transport is outer
            assert runtime.current().transport is inner
        assert runtime.current().transport is outer
        with override_settings(AUTH_API_URL="https://other.example.com"):
            assert runtime.current().transport is outer
        assert identify(outer.issue("rvt")).roles == ("rvt",)


def test_an_exception_inside_restores_the_outer_fake():
    with FakeAuthApi() as outer:
        with pytest.raises(ZeroDivisionError):
            with FakeAuthApi():
                raise ZeroDivisionError
        assert runtime.current().transport is outer


def test_without_a_fake_a_test_that_would_ask_the_real_auth_api_fails_loudly(use):
    use(AUTH_API_URL="https://auth.example.com", TRANSPORT="direct")
    with pytest.raises(RuntimeError, match="would query the real Auth API at https://auth.example.com: enter auth_integration.testing.FakeAuthApi"):
        identify("token")
    use(AUTH_API_URL="http://127.0.0.1:1", TRANSPORT="direct")
    assert type(runtime.current().transport).__name__ == "DirectTransport"


def test_a_test_may_be_allowed_to_ask_it(use):
    use(AUTH_API_URL="https://auth.example.com", TRANSPORT="direct")
    with real_auth_api():
        assert type(runtime.current().transport).__name__ == "DirectTransport"
    assert in_tests.is_active()


def test_djangos_own_test_runner_is_recognized():
    script = """
import os, sys
import django; django.setup()
from auth_integration import in_tests
from django.test.utils import setup_test_environment, teardown_test_environment
assert not in_tests.is_active()
setup_test_environment()
assert in_tests.is_active()
teardown_test_environment()
assert not in_tests.is_active()
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", script], check=True, timeout=120, env={**os.environ, "PYTHONPATH": os.environ["CLINIC_PATH"]})


def test_a_fake_serves_every_auth_api(use):
    use(UPSTREAMS={"partners": {"AUTH_API_URL": "https://partners.example.com"}})
    with FakeAuthApi() as api:
        assert runtime.current("partners").transport is api and runtime.current().transport is api
