"""Django settings of Lumen, for any server. LUMEN_* in the environment set the paths
(lumen_stack.py)."""

import os
import pathlib

DATA = pathlib.Path(os.environ["LUMEN_DATA"])

SECRET_KEY = os.environ.get("LUMEN_SECRET_KEY", "of the tests")
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "testserver"]
ROOT_URLCONF = "lumen.urls"
# Without django.contrib.auth: users are in the Auth API.
INSTALLED_APPS = ["rest_framework", "auth_integration", "lumen.studies"]
MIDDLEWARE = ["auth_integration.middleware.CacheUserClaimsMiddleware"]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": DATA / "lumen.sqlite3",
        "OPTIONS": {"timeout": 20},  # seconds that a writer waits for another
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{levelname} {name} {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}, "none": {"class": "logging.NullHandler"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    # auth_integration.audit already records denials; this logger would repeat them, with their
    # path.
    "loggers": {"django.request": {"handlers": ["none"], "propagate": False}},
}

AUTH_API_URL = os.environ.get("LUMEN_AUTH_API_URL", "https://auth.example.com")
AUTH_INTEGRATION = {
    "SOCKET": os.environ.get("LUMEN_CLAIMSD_SOCKET"),
    "CLIENT_NAME": "lumen",
    "REALM": "lumen",
    # Lumen is reachable only through nginx, which sets this header.
    "CLIENT_ADDRESS_META": "HTTP_X_REAL_IP",
}
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "auth_integration.authentication.AuthAPITokenAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
}
