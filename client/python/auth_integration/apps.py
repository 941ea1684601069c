"""The application: in INSTALLED_APPS it adds system checks, the schema extension and `manage.py auth_status`. Nothing else needs it."""

import importlib

from django.apps import AppConfig, apps


class AuthIntegrationConfig(AppConfig):
    name = "auth_integration"
    label = "auth_integration"
    verbose_name = "Auth API integration"

    def ready(self) -> None:
        from auth_integration import checks

        checks.register()
        if apps.is_installed("drf_spectacular"):
            importlib.import_module("auth_integration.spectacular")
