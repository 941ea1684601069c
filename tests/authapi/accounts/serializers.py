"""Validation of login and refresh requests."""

from django.contrib.auth import get_user_model
from rest_framework import serializers
from rest_framework_simplejwt.exceptions import InvalidToken
from rest_framework_simplejwt.serializers import TokenObtainPairSerializer, TokenRefreshSerializer
from rest_framework_simplejwt.tokens import RefreshToken

from accounts.models import DeniedToken


class LoginSerializer(TokenObtainPairSerializer):
    """`{"username" or "email", "password"}` to `{"access", "refresh"}`."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields[self.username_field].required = False
        self.fields["email"] = serializers.EmailField(required=False)

    def validate(self, attrs):
        if self.username_field not in attrs:
            if "email" not in attrs:
                raise serializers.ValidationError("Give a username or an email.")
            user = get_user_model().objects.filter(email=attrs["email"]).first()
            # An unknown address is handled like a wrong password: same answer, same time.
            attrs[self.username_field] = user.username if user else ""
        return super().validate(attrs)


class RefreshSerializer(TokenRefreshSerializer):
    """`{"refresh"}` to `{"access"}`, unless that refresh token was logged out."""

    def validate(self, attrs):
        data = super().validate(attrs)
        if DeniedToken.denies(RefreshToken(attrs["refresh"])):
            raise InvalidToken("Token has logged out")
        return data
