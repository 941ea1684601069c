"""Each final refusal has one record, with the fields of an audit and without secrets."""

import json
import logging

import pytest
from django.test import Client, RequestFactory
from rest_framework.response import Response
from rest_framework.views import APIView

from auth_integration.permissions import HasRole
from auth_integration.signals import auth_failure
from clinic import views

MIDDLEWARE = ["auth_integration.middleware.CacheUserClaimsMiddleware"]


@pytest.fixture
def records(caplog):
    """The recorded events: those of the signal, which the log lines repeat."""
    events = []

    def receive(event, **_):
        events.append(event)

    auth_failure.connect(receive)
    caplog.set_level(logging.INFO, "auth_integration.audit")
    yield events
    auth_failure.disconnect(receive)
    lines = [json.loads(record.getMessage()) for record in caplog.get_records("call")
             if record.name == "auth_integration.audit" and record.levelname == "WARNING"]
    assert lines == [{"event": "auth_failure", **event._asdict(), "required": list(event.required)} for event in events]


def bearer(token):
    return {"HTTP_AUTHORIZATION": f"Bearer {token}"}


def test_each_refusal_is_recorded_once_with_its_reason(api, records, middleware):
    client, token = Client(), api.issue("receptionist")
    for path in ("/tech/", "/plain/"):
        before = len(records)
        client.get(path)
        client.get(path, **bearer("unknown"))
        client.post(path, **{"HTTP_AUTHORIZATION": "Bearer a b"})
        client.get(path, **bearer(token))
        with api.outage("upstream_timeout"):
            client.get(path, **bearer(token))
        assert [(event.status, event.reason) for event in records[before:]] == [
            (401, "no_token"), (401, "rejected"), (401, "malformed"), (403, "denied"), (503, "upstream_timeout")]
        assert [event.method for event in records[before:]] == ["GET", "GET", "POST", "GET", "GET"]
        assert {event.client_address for event in records} == {"127.0.0.1"}
        assert [event.user_id for event in records[before:]] == ["", "", "", "user-1", ""]


def test_a_denied_request_with_a_known_token_is_recorded_like_any_other(knowing_api, records, middleware):
    client, token = Client(), knowing_api.issue("receptionist")
    for path in ("/tech/", "/plain/"):
        client.get(path, **bearer(token))
    assert [(event.status, event.reason, event.user_id) for event in records] == [(403, "denied", "user-1")] * 2
    assert knowing_api.queries == []


def test_a_successful_request_is_not_recorded(api, records, middleware):
    client, token = Client(), api.issue("rvt")
    for path in ("/tech/", "/plain/", "/open/", "/public/", "/me/"):
        assert client.get(path, **bearer(token)).status_code == 200
    assert Client().get("/public/", **bearer("unknown")).status_code == 200
    assert records == []


def test_a_record_names_the_route_and_the_roles_but_never_the_path(api, records, middleware):
    Client().get("/patients/jane-doe/", **bearer(api.issue("receptionist")))
    assert records[0].route == "patients/<str:patient>/"
    assert records[0].required == ('HasRole("rvt")',)
    assert "jane" not in str(records)


def test_a_record_holds_no_token_and_no_email(api, records, caplog, middleware):
    token = api.issue("receptionist", email="secret@example.com")
    Client().get("/tech/", **bearer(token))
    Client().get("/tech/", **bearer("s3cret-token"))
    assert len(records) == 2
    for text in (str(records), caplog.text):
        assert not any(secret in text for secret in (token, "s3cret-token", "secret@", "receptionist"))


def test_only_the_final_status_counts(api, records, middleware):
    """One permission denied, the other one granted: served, so no refusal."""
    class View(APIView):
        permission_classes = [HasRole("doctor") | HasRole("rvt")]

        def get(self, request):
            return Response()

    request = RequestFactory().get("/", **bearer(api.issue("rvt")))
    assert View.as_view()(request).status_code == 200
    assert records == []


def test_the_status_of_the_exception_handler_counts(api, records):
    class View(views.TechView):
        def get_exception_handler(self):
            return lambda problem, context: Response(status=404)

    assert View.as_view()(RequestFactory().get("/", **bearer("unknown"))).status_code == 404
    assert records == []


def test_with_the_middleware_its_final_status_counts(api, records, use):
    use(MIDDLEWARE=[*MIDDLEWARE, "clinic.views.hide_what_is_denied"])
    token = api.issue("receptionist")
    assert Client().get("/tech/", **bearer(token)).status_code == Client().get("/plain/", **bearer(token)).status_code == 404
    assert records == []


def test_a_403_of_the_view_itself_is_recorded(api, records):
    class View(views.OpenView):
        def get(self, request):
            return Response(status=403)

    View.as_view()(RequestFactory().get("/", **bearer(api.issue("rvt"))))
    assert [(event.status, event.reason, event.user_id) for event in records] == [(403, "denied", "user-1")]


def test_a_503_of_the_application_is_not_recorded(api, records, middleware):
    class View(views.OpenView):
        def get(self, request):
            return Response(status=503)

    assert View.as_view()(RequestFactory().get("/", **bearer(api.issue("rvt")))).status_code == 503
    assert records == []


def test_line_ends_in_a_request_do_not_split_the_log_line(api, records, caplog):
    Client().generic("G\u2028ET", "/tech/", REMOTE_ADDR="1.2.3.4\nforged line")
    lines = [record.getMessage() for record in caplog.records if record.name == "auth_integration.audit"]
    assert len(lines) == 1 and lines[0].isascii() and "\n" not in lines[0]


def test_a_receiver_that_raises_does_not_stop_the_response(api, records):
    def broken(**_):
        raise RuntimeError("broken")

    auth_failure.connect(broken)
    try:
        assert Client().get("/tech/").status_code == 401
    finally:
        auth_failure.disconnect(broken)
    assert len(records) == 1
