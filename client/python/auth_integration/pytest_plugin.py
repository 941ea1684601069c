"""pytest fixtures: `fake_auth_api` (a testing.FakeAuthApi) and `client_as` (`client_as("rvt")` is a client whose user has that role).

pytest loads this in every run on a host with the package, so it imports Django only when a test uses a fixture.
"""

from typing import Any, Callable, Iterator

import pytest

from auth_integration import in_tests


def pytest_configure() -> None:
    in_tests.pytest_is_running = True


@pytest.fixture
def fake_auth_api() -> Iterator[Any]:
    from auth_integration.testing import FakeAuthApi

    with FakeAuthApi() as api:
        yield api


@pytest.fixture
def client_as(fake_auth_api: Any) -> Callable[..., Any]:
    client: Callable[..., Any] = fake_auth_api.client
    return client
