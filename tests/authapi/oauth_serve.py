#!/usr/bin/python3
"""An OAuth server as one command: django-oauth-toolkit with its introspection endpoint, for tests.

    oauth_serve.py --data DIR [--unix PATH] [--port-file FILE] [--ready-fd N]

Serves POST /o/introspect/ on 127.0.0.1 (and PATH), writes its port once it accepts, and ends on
SIGTERM or with the process that started it. The client and the tokens are below.
"""

import argparse
import datetime
import os
import sys

sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

from process import announce, die_with_parent  # noqa: E402

CLIENT_ID = "lumen daemon"
CLIENT_SECRET = "s:cret%+"
VALID = "valid-opaque-token"
SHORT = "token-that-ends-in-40-seconds"
EXPIRED = "expired-opaque-token"
USER = "tess"

urlpatterns = []  # filled by make_application(): the views need Django's settings


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, metavar="DIR", help="database")
    parser.add_argument("--unix", metavar="PATH", help="serve on this Unix socket as well")
    parser.add_argument("--port-file", metavar="FILE", help="write the port here when ready")
    parser.add_argument("--ready-fd", type=int, metavar="N", help="write the port to this fd too")
    return parser.parse_args()


def configure(data):
    from django.conf import settings

    settings.configure(
        SECRET_KEY="only for tests",
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF=__name__,
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "oauth2_provider"],
        MIDDLEWARE=[],
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.path.join(data, "oauth.sqlite3")}},
        USE_TZ=True,
        OAUTH2_PROVIDER={"SCOPES": {"read": "Read", "introspection": "Introspect"}},
        LOGGING={"version": 1, "disable_existing_loggers": False, "handlers": {"none": {"class": "logging.NullHandler"}},
                 "loggers": {"django.request": {"handlers": ["none"], "propagate": False}}},
    )


def seed():
    from django.contrib.auth.models import User
    from django.utils import timezone
    from oauth2_provider.models import AccessToken, Application

    user = User.objects.create_user(USER, password="unused-demo-password")
    application = Application.objects.create(
        name="daemon", client_id=CLIENT_ID, client_secret=CLIENT_SECRET, user=user,
        client_type=Application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Application.GRANT_CLIENT_CREDENTIALS)
    for token, seconds in [(VALID, 300), (SHORT, 40), (EXPIRED, -300)]:
        expires = timezone.now() + datetime.timedelta(seconds=seconds)
        AccessToken.objects.create(user=user, application=application, token=token, expires=expires, scope="read")


def make_application():
    import django
    from django.core.management import call_command
    from django.core.wsgi import get_wsgi_application
    from django.db import connections
    from django.urls import path

    django.setup()
    call_command("migrate", verbosity=0)
    seed()
    from oauth2_provider.views import IntrospectTokenView

    urlpatterns.append(path("o/introspect/", IntrospectTokenView.as_view()))
    application = get_wsgi_application()
    connections.close_all()
    return application


def main():
    arguments = parse_arguments()
    die_with_parent()
    data = os.path.abspath(arguments.data)
    os.makedirs(data, mode=0o700, exist_ok=True)
    configure(data)
    application = make_application()

    from server import Server

    binds = ["127.0.0.1:0"]
    if arguments.unix:
        binds.append(f"unix:{os.path.abspath(arguments.unix)}")
    Server(application, binds, 1, data,
           lambda port: announce(str(port), arguments.port_file, arguments.ready_fd)).run()


if __name__ == "__main__":
    main()
