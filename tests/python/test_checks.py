"""System checks and `manage.py auth_status`: each mistake is found, and correct settings raise nothing."""

import io
import json
import socket

import pytest
from django.core.management import CommandError, call_command

from auth_integration import checks, conf
from auth_integration.checks import AUTHENTICATION, AUTHENTICATOR, CSRF, MIDDLEWARE, UPDATE_CACHE


@pytest.fixture
def sound(use, claimsd, faults):
    """Correct settings, except for the changes of the test."""
    daemon = claimsd(faults.url("401"))

    def change(**changes):
        use(**{"SOCKET": str(daemon.socket), **changes, **({} if "AUTH_API_URL" in changes else {"AUTH_API_URL": faults.url("401")})})

    change()
    change.daemon = daemon
    return change


def found():
    return [problem.id.split(".")[1] for problem in checks.check_all()]


def test_a_correct_site_has_no_problems(sound):
    assert found() == []


def test_each_mistake_is_found(sound, use, tmp_path):
    for changes, expected in [
            ({"AUTH_API_URL": None}, "E001"), ({"TIMOUT": 5}, "E001"), ({"AUTH_API_URL": "http://auth.example.com"}, "W001"),
            ({"REST_FRAMEWORK": {}}, "W002"),
            ({"REST_FRAMEWORK": {"DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication", AUTHENTICATOR]}}, "W003"),
            ({"SOCKET": str(tmp_path / "missing")}, "W004"), ({"SOCKET": str(tmp_path)}, "W004"), ({"MIDDLEWARE": [MIDDLEWARE, UPDATE_CACHE]}, "E003"),
            ({"COOKIE": "access"}, "W006"), ({"SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https")}, "W009"),
            ({"USE_X_FORWARDED_HOST": True}, "W009"), ({"MIDDLEWARE": [MIDDLEWARE, AUTHENTICATION]}, "W007"), ({"ME_PATH": "api/me/"}, "E001"),
            ({"ROLE_CLAIMS": [{"at": "x", "form": "csv"}]}, "E001"), ({"TRANSPORT": "direct", "CACHE": "missing"}, "E004"),
            ({"TRANSPORT": "direct", "CA_FILE": str(tmp_path / "missing.pem")}, "E005")]:
        sound(**changes)
        assert expected in found(), changes
        sound(REST_FRAMEWORK={"DEFAULT_AUTHENTICATION_CLASSES": [AUTHENTICATOR]}, MIDDLEWARE=[], SECURE_PROXY_SSL_HEADER=None, USE_X_FORWARDED_HOST=False)
        assert found() == []


def test_an_old_option_names_the_new_one(sound):
    sound(ROLE_CLAIM="roles")
    assert [problem.msg for problem in checks.check_all()] == ["AUTH_INTEGRATION has no option 'ROLE_CLAIM': it is now 'ROLE_CLAIMS'"]


def test_correct_settings_raise_no_problem(sound):
    for changes in ({"MIDDLEWARE": [UPDATE_CACHE, MIDDLEWARE]}, {"COOKIE": "access", "MIDDLEWARE": [CSRF]},
                    {"AUTH_API_URL": "http://127.0.0.1:8000"}, {"AUTH_API_URL": "http://[::1]"}, {"AUTH_API_URL": "http://localhost"},
                    {"USE_X_FORWARDED_HOST": True, "CLIENT_ADDRESS_META": "HTTP_X_REAL_IP"}):
        sound(**changes)
        assert found() == [], changes


def test_a_socket_without_a_listener_is_found(sound, tmp_path):
    path = str(tmp_path / "left behind")
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(path)
    sound(SOCKET=path)
    assert found() == ["W004"]


def test_a_socket_without_permission_is_found(sound, monkeypatch):
    monkeypatch.setattr(checks.os, "access", lambda *_: False)
    assert found() == ["W005"]


def test_the_daemon_without_the_extension_is_found(sound, monkeypatch):
    sound(TRANSPORT="daemon")
    monkeypatch.setattr(checks, "extension_is_built", lambda: False)
    monkeypatch.setattr(conf, "extension_is_built", lambda: False)
    assert found() == ["E002"]


def test_django_runs_them(sound):
    call_command("check", "--tag", "auth_integration", "--fail-level", "WARNING", stdout=io.StringIO(), stderr=io.StringIO())


def status(*arguments):
    out = io.StringIO()
    try:
        call_command("auth_status", *arguments, stdout=out)
        return True, out.getvalue()
    except CommandError:
        return False, out.getvalue()


@pytest.mark.parametrize("transport", ["daemon", "direct"])
def test_auth_status_reports_an_answer(sound, transport):
    sound(TRANSPORT=transport)
    fine, text = status()
    assert fine and transport in text
    assert ("claimsd answered on" if transport == "daemon" else "rejected a made-up token") in text


def test_auth_status_fails_without_an_answer(sound, faults, use):
    sound.daemon.stop()
    assert status()[0] is False and "no claimsd listens" in status()[1]
    for mode, said in [("500", "neither 200 nor a rejection"), ("ok", "confirmed a made-up token")]:
        use(AUTH_API_URL=faults.url(mode), TRANSPORT="direct")
        fine, text = status()
        assert not fine and said in text
    use(AUTH_API_URL=None)
    assert status()[0] is False


def test_auth_status_can_print_json(sound):
    said = json.loads(status("--json")[1])
    assert said["answers"] is True and said["transport"] == "daemon" and said["checks"] == []
    assert said["because"] == "SOCKET is set"


@pytest.mark.parametrize("body,shown", [
    ('{"pk":7}', 'member "id" is missing'), ('{"id":7,"email":"a@example.com","role":["x","y"]}', "the id is of type int, an email address, roles: 2")])
def test_auth_status_shows_what_a_token_is_mapped_to_without_its_values(sound, faults, tmp_path, body, shown):
    (tmp_path / "token").write_text("secret-token\n")
    mode = faults.script("status", {"status": 401}, {"body": body})
    sound(TRANSPORT="direct", AUTH_API_URL=faults.url(mode))
    works, text = status("--token-file", str(tmp_path / "token"))
    assert shown in text and "a@example.com" not in text and "secret" not in text
    assert works == ("pk" not in body)
