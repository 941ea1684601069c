"""Whether this process runs tests, which must not query a real Auth API. Does not import Django: the pytest plugin is loaded before Django is set up."""

import sys

pytest_is_running = False  # set by the plugin
allowed = 0  # entered testing.real_auth_api() blocks


def is_active() -> bool:
    if allowed:
        return False
    # setup_test_environment(), which Django's test runner and pytest-django call, sets this attribute.
    state = getattr(sys.modules.get("django.test.utils"), "_TestState", None)
    return pytest_is_running or hasattr(state, "saved_data")
