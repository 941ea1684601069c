"""A small Django site for the tests. Without django.contrib.auth and without a database: the package needs neither.

CLINIC_* in the environment set what a server under test needs.
"""

import json
import os

SECRET_KEY = "of the tests"
DEBUG = False
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "clinic.urls"
INSTALLED_APPS = ["rest_framework", "auth_integration"]
MIDDLEWARE = json.loads(os.environ.get("CLINIC_MIDDLEWARE", "[]"))
DATABASES = {}
USE_TZ = True
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"none": {"class": "logging.NullHandler"}},
    "loggers": {"django.request": {"handlers": ["none"], "propagate": False}},
}

AUTH_API_URL = os.environ.get("CLINIC_AUTH_API_URL", "https://auth.example.com")
AUTH_INTEGRATION = json.loads(os.environ.get("CLINIC_AUTH_INTEGRATION", "{}"))
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "auth_integration.authentication.AuthAPITokenAuthentication",
    ],
}
