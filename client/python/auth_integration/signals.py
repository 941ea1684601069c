"""The signal of this package; see auth_integration.audit."""

from auth_integration.audit import auth_failure
from auth_integration.events import AuthFailure

__all__ = ["AuthFailure", "auth_failure"]
