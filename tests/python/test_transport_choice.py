"""TRANSPORT = "auto": direct only if the host has no file of claimsd, and never silently."""

import logging
import sys

import pytest
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured

from auth_integration import checks, runtime, transport_choice
from auth_integration.conf import Settings
from auth_integration.testing import real_auth_api
from auth_integration.transport_choice import choose

URL = "http://127.0.0.1:1"


@pytest.fixture
def host(monkeypatch, tmp_path):
    """host(socket=True, configuration=False): which files of claimsd this host has."""
    def make(socket=False, configuration=False):
        for name, there, variable in (("claims.sock", socket, "DEFAULT_SOCKET"), ("claimsd", configuration, "CONFIGURATION")):
            path = tmp_path / name
            path.mkdir() if there else None
            monkeypatch.setattr(transport_choice, variable, str(path))

    return make


@pytest.fixture
def without_extension(monkeypatch):
    monkeypatch.setitem(sys.modules, "auth_integration._claimsd", None)


@pytest.mark.parametrize("socket,configuration,expected", [
    (False, False, "direct"), (True, False, "daemon"), (False, True, "daemon"), (True, True, "daemon")])
def test_auto_is_direct_only_without_socket_and_configuration(host, socket, configuration, expected):
    host(socket, configuration)
    choice = choose("auto", None)
    assert choice.transport == expected and not choice.explicit and choice.reason


def test_a_configured_socket_means_the_daemon_even_if_it_is_missing(host, tmp_path):
    host()
    assert choose("auto", str(tmp_path / "missing")).transport == "daemon"


def test_a_path_without_permission_counts_as_present(monkeypatch):
    def refuse(_):
        raise PermissionError

    monkeypatch.setattr(transport_choice.os, "stat", refuse)
    assert choose("auto", None).transport == "daemon"


@pytest.mark.parametrize("wanted", ["daemon", "direct"])
def test_an_explicit_transport_is_taken(host, wanted):
    host(True, True)
    assert choose(wanted, None)[::2] == (wanted, True)


def test_going_direct_is_logged_once_with_the_reason(host, use, caplog):
    host()
    use(AUTH_API_URL=URL, TRANSPORT="auto")
    caplog.set_level(logging.INFO)
    for _ in range(3):
        assert type(runtime.current().transport).__name__ == "DirectTransport"
    said = [record for record in caplog.records if "directly" in record.getMessage()]
    assert len(said) == 1 and said[0].levelno == logging.INFO and "there is neither" in said[0].getMessage()


def test_an_explicit_choice_is_not_logged(host, use, caplog):
    use(AUTH_API_URL=URL, TRANSPORT="direct")
    caplog.set_level(logging.INFO)
    runtime.current()
    assert "directly" not in caplog.text


def test_a_host_with_claimsd_and_no_socket_is_an_outage(host, use):
    host(configuration=True)
    use(AUTH_API_URL=URL, TRANSPORT="auto")
    transport = runtime.current().transport
    assert type(transport).__name__ == "DaemonTransport"
    assert transport.identify_token("token", None, None).verdict == "unavailable"


@pytest.mark.parametrize("socket,configuration", [(True, False), (False, True)])
def test_claimsd_without_the_extension_is_a_startup_error(host, use, without_extension, monkeypatch, socket, configuration):
    host(socket, configuration)
    use(AUTH_API_URL=URL, TRANSPORT="auto")
    with pytest.raises(ImproperlyConfigured, match="extension auth_integration._claimsd is not built"):
        runtime.current()
    for program, starts in ((["gunicorn"], False), (["manage.py", "runserver"], False), (["manage.py", "check"], True)):
        monkeypatch.setattr(sys, "argv", program)
        if starts:
            apps.get_app_config("auth_integration").ready()
        else:
            with pytest.raises(ImproperlyConfigured, match="because|exists"):
                apps.get_app_config("auth_integration").ready()
    assert "auth_integration.E002" in [problem.id for problem in checks.check_all()]


def test_check_deploy_asks_for_an_explicit_choice(host, use):
    host()
    use(AUTH_API_URL=URL, TRANSPORT="auto")
    assert [problem.id for problem in checks.check_deployment()] == ["auth_integration.W008"]
    assert '"direct" here' in checks.check_deployment()[0].msg
    for explicit in ("daemon", "direct"):
        use(AUTH_API_URL=URL, TRANSPORT=explicit)
        assert checks.check_deployment() == []


def test_without_the_application_the_checks_are_logged_at_first_use(use, caplog):
    use(AUTH_API_URL="http://auth.example.com", TRANSPORT="direct", INSTALLED_APPS=["rest_framework"])
    with real_auth_api():
        runtime.current()
        runtime.current()
    assert [record.getMessage().split()[0] for record in caplog.records if "W001" in record.getMessage()] == ["auth_integration.W001"]


def test_an_unknown_transport_is_a_problem(use):
    use(TRANSPORT="carrier pigeon")
    assert any('must be "auto", "daemon" or "direct"' in problem for problem in Settings().problems)
