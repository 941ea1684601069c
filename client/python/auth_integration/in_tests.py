"""Whether this process runs tests, which must not ask a real Auth API. Imports nothing of Django: the pytest plugin is loaded before it is set up."""

import sys

pytest_is_running = False  # set by the plugin
allowed = 0  # entered testing.real_auth_api() blocks


def is_active() -> bool:
    if allowed:
        return False
    # What setup_test_environment() leaves behind, in Django's own test runner and in pytest-django.
    state = getattr(sys.modules.get("django.test.utils"), "_TestState", None)
    return pytest_is_running or hasattr(state, "saved_data")
