"""The security scheme of our authentication classes, for drf-spectacular. Importing this module registers it; apps.py does."""

from typing import Any, Dict

from drf_spectacular.extensions import OpenApiAuthenticationExtension


class AuthAPITokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "auth_integration.authentication.AuthAPITokenAuthentication"
    match_subclasses = True
    name = "AuthAPIToken"

    def get_security_definition(self, auto_schema: Any) -> Dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT",
                "description": "An access token of the Auth API (POST /api/token/)."}
