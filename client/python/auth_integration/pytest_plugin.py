"""pytest's fixtures: `fake_auth_api` (a testing.FakeAuthApi) and `client_as` (`client_as("rvt")` is a client whose user has that role).

Loaded in every run of pytest where the package is installed, so nothing of Django is imported before a test asks for it.
"""

from typing import Any, Callable, Iterator

import pytest


@pytest.fixture
def fake_auth_api() -> Iterator[Any]:
    from auth_integration.testing import FakeAuthApi

    with FakeAuthApi() as api:
        yield api


@pytest.fixture
def client_as(fake_auth_api: Any) -> Callable[..., Any]:
    client: Callable[..., Any] = fake_auth_api.client
    return client
