"""The signal of this package; see auth_integration.audit."""

from auth_integration.audit import AuthFailure, auth_failure

__all__ = ["AuthFailure", "auth_failure"]
