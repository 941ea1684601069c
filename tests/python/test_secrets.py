"""No token and no email address in exception pages, mails, logs, Sentry events and pickles. The canaries are searched for everywhere."""

import asyncio
import json
import logging
import pickle

import pytest
from django.core import mail
from django.core.cache.backends.base import BaseCache
from django.test import AsyncClient, Client, RequestFactory, override_settings
from django.urls import path
from django.utils.log import AdminEmailHandler

from auth_integration import runtime
from auth_integration.decorators import confirmed_within, role_required, token_required
from auth_integration.events import AuthFailure, Report
from auth_integration.exceptions import exception_of
from auth_integration.permissions import HasRole
from auth_integration.reasons import answer_of
from auth_integration.testing import FakeAuthApi
from auth_integration.transports.base import bearer_of
from clinic import views
from clinic.urls import urlpatterns as clinic_patterns

EMAIL = "canary-address@example.com"
TOKEN = "canary-token." + "c4n4ry" * 20 + ".signature"
LOCMEM = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
MIDDLEWARE = ["auth_integration.middleware.CacheUserClaimsMiddleware"]


class Broken(Exception):
    pass


class BrokenView(views.ClinicView):
    permission_classes = [HasRole("rvt")]

    def get(self, request):
        claims = request.user_claims
        raise Broken(len(claims))


@role_required("rvt")
def broken_plain(request):
    raise Broken


@role_required("rvt")
def broken_with_a_copy(request):
    header = request.META["HTTP_AUTHORIZATION"]  # a local variable with the token
    raise Broken(len(header))


@token_required
async def broken_async(request):
    raise Broken


@confirmed_within(0)
def broken_confirmed(request):
    raise Broken


def broken_unguarded(request):
    meta = request.META
    raise Broken(len(meta))


urlpatterns = [*clinic_patterns, path("broken/", BrokenView.as_view()), path("broken-plain/", broken_plain), path("broken-copy/", broken_with_a_copy), path("broken-async/", broken_async),
               path("broken-confirmed/", broken_confirmed), path("broken-unguarded/", broken_unguarded)]
BROKEN = ["/broken/", "/broken-plain/", "/broken-async/", "/broken-confirmed/"]
COPYING = ["/broken-copy/", "/broken-unguarded/"]  # the view itself has the token in a local variable


class CanaryApi(FakeAuthApi):
    def issue_canary(self):
        from auth_integration.mapping import claims_of

        self._users[TOKEN] = claims_of({"id": "user-1", "email": EMAIL, "role": "rvt", "note": EMAIL})
        return {"HTTP_AUTHORIZATION": f"Bearer {TOKEN}"}


class FailingApi(CanaryApi):
    """A transport with a bug."""

    def query(self, token, meta, route, max_age=None):
        raise ZeroDivisionError(token)


@pytest.fixture(params=[CanaryApi, FailingApi], ids=["working", "failing transport"])
def canary(request):
    with override_settings(ROOT_URLCONF=__name__), request.param() as api:
        yield api.issue_canary()


def found_in(text, *secrets):
    return [secret for secret in (TOKEN, TOKEN[:40], "c4n4ry" * 4, *secrets) if secret in text]


@pytest.mark.parametrize("path", BROKEN + COPYING)
@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_no_exception_page_shows_a_token(canary, use, middleware, path, accept):
    use(DEBUG=True)
    response = Client(raise_request_exception=False).get(path, HTTP_ACCEPT=accept, HTTP_COOKIE=f"access={TOKEN}", **canary)
    text = response.content.decode()
    assert response.status_code in (500, 503)
    if response.status_code == 500:
        assert "Broken" in text and "HTTP_AUTHORIZATION" in text
    assert found_in(text) == []


@pytest.fixture
def admins(use):
    """The mails to ADMINS, by Django's default logging."""
    logger, handler = logging.getLogger("django.request"), AdminEmailHandler(include_html=True)
    logger.addHandler(handler)
    mail.outbox = []
    with override_settings(ADMINS=[("Root", "root@example.com")], EMAIL_BACKEND="django.core.mail.backends.locmem.EmailBackend"):
        yield mail.outbox
    logger.removeHandler(handler)
    del mail.outbox


@pytest.mark.parametrize("path", BROKEN + COPYING)
def test_no_mail_shows_a_token(canary, admins, path):
    Client(raise_request_exception=False).get(path, HTTP_COOKIE=f"access={TOKEN}", **canary)
    for sent in admins:
        assert found_in(sent.message().as_string()) == [] and found_in(sent.body + str(sent.alternatives)) == []
        assert "HTTP_AUTHORIZATION" in sent.body


@pytest.mark.parametrize("path", ["/me/", "/plain/", "/plain-async/", "/public-tech/"])
def test_an_outage_sends_no_mail_and_one_record(api, admins, caplog, middleware, path):
    from auth_integration import audit

    audit._outages._subjects.clear()
    client = api.client("rvt")
    with api.outage():
        for _ in range(20):
            assert client.get(path).status_code == 503
    assert admins == []
    records = [record for record in caplog.records if record.name in ("auth_integration", "django.request") and record.levelno >= logging.ERROR]
    assert len(records) == 1 and "authentication is unavailable" in records[0].getMessage()


def test_a_503_of_the_application_is_still_logged_by_django(api, admins):
    class View(views.OpenView):
        def get(self, request):
            return views.Response(status=503)

    from django.core.handlers.base import BaseHandler

    handler = BaseHandler()
    handler.load_middleware()
    with override_settings(ROOT_URLCONF=type("urls", (), {"urlpatterns": [path("x/", View.as_view())]})):
        assert handler.get_response(RequestFactory().get("/x/", HTTP_AUTHORIZATION=f"Bearer {api.issue('rvt')}")).status_code == 503
    assert len(admins) == 1


@pytest.fixture
def logs(caplog):
    """Every record of this process, those of django.request included, which the clinic's settings keep from the root."""
    caplog.set_level(logging.DEBUG)
    logger = logging.getLogger("django.request")
    logger.addHandler(caplog.handler)
    yield caplog
    logger.removeHandler(caplog.handler)


def texts_of(records):
    """(logger, text) of each record: the message, the members, and the traceback as a handler prints it."""
    formatter = logging.Formatter()
    for record in records:
        members = {name: repr(value) for name, value in record.__dict__.items() if name != "exc_info"}
        yield record.name, formatter.format(record) + json.dumps(members)


def test_no_log_record_holds_a_token_or_an_email_address(canary, logs, middleware):
    client = Client(raise_request_exception=False)
    for where in [*BROKEN, "/me/", "/not-tech/", "/admin-or-doctor/", "/plain-async/"]:
        client.get(where, **canary)
        client.get(where, HTTP_AUTHORIZATION=f"Bearer {TOKEN} {TOKEN}")
        client.get(where, HTTP_AUTHORIZATION=f"Bearer {TOKEN}x", REMOTE_ADDR=TOKEN, HTTP_TRACEPARENT=TOKEN)
    asyncio.run(AsyncClient().get("/plain-async/", AUTHORIZATION=f"Bearer {TOKEN}"))
    assert len(logs.records) > 10 and "django.request" in {record.name for record in logs.records}
    assert [name for name, text in texts_of(logs.records) if found_in(text, EMAIL)] == []


DOCUMENTS = [{"id": "user-1", "email": EMAIL, "role": "rvt"}, {"id": [EMAIL]}, {"id": "user-1", "email": {"at": EMAIL}}, {"id": "user-1", "role": {EMAIL: EMAIL}}]


class BrokenCache(BaseCache):
    def __init__(self, *_):
        super().__init__({})

    def get(self, key, *_, **__):
        raise ConnectionError(key)

    set = get


@pytest.mark.parametrize("transport", ["direct", "daemon"])
def test_no_real_lookup_logs_a_token_or_an_email_address(claimsd, faults, use, logs, transport):
    """Usable and unusable documents, redirects, outages; for the direct transport also a cache that fails."""
    modes = [faults.script(f"canary-{number}", {"body": json.dumps(body)}) for number, body in enumerate(DOCUMENTS)]
    modes += [faults.script("redirect", {"status": 302, "headers": {"Location": f"https://other.example.com/?{TOKEN}"}}), "401", "500", "echo"]
    statuses = set()
    for mode in modes if transport == "direct" else [modes[0], modes[1], "401"]:
        options = {"SOCKET": str(claimsd(faults.url(mode)).socket)} if transport == "daemon" else {}
        broken = {"default": {"BACKEND": f"{__name__}.BrokenCache"}}
        use(AUTH_API_URL=faults.url(mode), TRANSPORT=transport, DEBUG=True, CACHES=broken if mode == "echo" else LOCMEM, **options)
        for where in ("/me/", "/plain-async/"):
            for token in (TOKEN, f"{TOKEN}2"):
                statuses.add(Client(raise_request_exception=False).get(where, HTTP_AUTHORIZATION=f"Bearer {token}").status_code)
    assert statuses == {200, 401, 503}
    assert len(logs.records) > 10
    assert [(name, text) for name, text in texts_of(logs.records) if found_in(text, EMAIL)] == []


@pytest.fixture
def sentry():
    """The events of Sentry's SDK as it is by default, except for the transport."""
    sdk = pytest.importorskip("sentry_sdk")
    events = []
    sdk.init(dsn="https://key@sentry.invalid/1", transport=lambda event: events.append(event), traces_sample_rate=1.0)
    yield events
    sdk.flush()
    sdk.init()


@pytest.mark.parametrize("path", BROKEN)
def test_no_sentry_event_holds_a_token_or_an_email_address(canary, sentry, path, use):
    import sentry_sdk

    client = Client(raise_request_exception=False)
    client.get(path, **canary)
    use(USER_RESOLVER=lambda claims: 1 / 0)
    client.get(path, **canary)
    sentry_sdk.flush()
    text = json.dumps([event if isinstance(event, dict) else repr(event) for event in sentry], default=repr)
    assert found_in(text, EMAIL) == []
    if type(runtime.current().transport) is CanaryApi:
        assert "Broken" in text and "ZeroDivisionError" in text


def test_no_pickle_contains_a_token(canary):
    request = RequestFactory().get("/", **canary)
    found = runtime.current().transport.identify(request.META, None) if type(runtime.current().transport) is CanaryApi else answer_of("rejected")
    things = [found, AuthFailure(401, "rejected", "GET", "", (), "", ""), exception_of(answer_of("rejected"), 1), exception_of(answer_of("timeout"), 1)]
    for thing in things:
        data = pickle.dumps(thing)
        assert TOKEN.encode() not in data
        if isinstance(thing, Exception):
            assert pickle.loads(data).answer == thing.answer and type(pickle.loads(data)) is type(thing)
    with pytest.raises(TypeError, match="holds a token"):
        pickle.dumps(Report(things[1], bearer_of(request.META), None))
    assert TOKEN not in repr(Report(things[1], TOKEN, TOKEN))
