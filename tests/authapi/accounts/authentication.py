"""Identifies the user of a bearer token, unless the token was logged out."""

from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.exceptions import InvalidToken

from accounts.models import DeniedToken


class DenylistJWTAuthentication(JWTAuthentication):
    """simplejwt's check of signature, type and `exp`, then the denylist."""

    def get_validated_token(self, raw_token):
        token = super().get_validated_token(raw_token)
        if DeniedToken.denies(token):
            raise InvalidToken("Token has logged out")
        return token
