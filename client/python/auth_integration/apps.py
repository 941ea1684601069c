"""The Django application. INSTALLED_APPS needs it for the system checks, `manage.py auth_status` and the schema extension only."""

import importlib
import os
import sys

from django.apps import AppConfig, apps


class AuthIntegrationConfig(AppConfig):
    name = "auth_integration"
    label = "auth_integration"
    verbose_name = "Auth API integration"

    def ready(self) -> None:
        from auth_integration import checks, conf

        checks.register()
        if apps.is_installed("drf_spectacular"):
            importlib.import_module("auth_integration.spectacular")
        settings = conf.Settings()
        if settings.lacks_extension and not _runs_a_command():
            settings.require_valid()


def _runs_a_command() -> bool:
    """Whether this process runs a management command that is not a server. `check` reports the problem itself."""
    program = os.path.basename(sys.argv[0])
    return program in ("manage.py", "django-admin", "__main__.py") and sys.argv[1:2] not in (["runserver"], ["testserver"])
