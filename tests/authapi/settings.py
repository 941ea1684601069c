"""Django settings of the Auth API, made from the command line instead of the environment.

All persistent state is in one data directory: `authapi.sqlite3` and the signing key.
"""

import os
import secrets
from datetime import timedelta

from django.conf import settings

SIGNING_KEY_FILE = "signing.key"
DATABASE_FILE = "authapi.sqlite3"


def signing_key(data_dir):
    """The HS256 key of this data directory, created at first use (0600) and kept over restarts."""
    path = os.path.join(data_dir, SIGNING_KEY_FILE)
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        with open(path, encoding="ascii") as key:
            return key.read()
    key = secrets.token_hex(32)
    with os.fdopen(fd, "w", encoding="ascii") as out:
        out.write(key)
    return key


def configure(data_dir, access_seconds, refresh_seconds):
    """Configures Django. Call once per process, before importing anything of Django that needs
    settings."""
    key = signing_key(data_dir)
    settings.configure(
        DEBUG=False,
        SECRET_KEY=key,
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF="urls",
        INSTALLED_APPS=[
            "django.contrib.contenttypes",
            "django.contrib.auth",
            "rest_framework",
            "accounts",
        ],
        MIDDLEWARE=[],
        AUTH_USER_MODEL="accounts.User",
        PASSWORD_HASHERS=["accounts.hashers.DemoHasher"],
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": os.path.join(data_dir, DATABASE_FILE),
                "CONN_MAX_AGE": None,
                # Seconds that a writer waits for another: a logout must not fail under load.
                "OPTIONS": {"timeout": 20},
            }
        },
        USE_TZ=True,
        # Quiet: a rejected token is a normal answer here, not a warning.
        LOGGING={
            "version": 1,
            "disable_existing_loggers": False,
            "handlers": {"none": {"class": "logging.NullHandler"}},
            "loggers": {"django.request": {"handlers": ["none"], "propagate": False}},
        },
        REST_FRAMEWORK={
            "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.authentication.DenylistJWTAuthentication"],
            "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
            "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
            "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
        },
        SIMPLE_JWT={
            "ACCESS_TOKEN_LIFETIME": timedelta(seconds=access_seconds),
            "REFRESH_TOKEN_LIFETIME": timedelta(seconds=refresh_seconds),
            "SIGNING_KEY": key,
        },
    )
