"""Login, refresh, current user, logout."""

from rest_framework import status
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework_simplejwt.exceptions import InvalidToken, TokenError
from rest_framework_simplejwt.tokens import RefreshToken
from rest_framework_simplejwt.views import TokenViewBase

from accounts.models import DeniedToken
from accounts.serializers import LoginSerializer, RefreshSerializer


class LoginView(TokenViewBase):
    serializer_class = LoginSerializer


class RefreshView(TokenViewBase):
    serializer_class = RefreshSerializer


class MeView(APIView):
    """The claims of the token's user. Sends no caching headers, because the contract has none."""

    def get(self, request):
        return Response(request.user.claims())


class LogoutView(APIView):
    """Denies the access token of the request and, if given, its `{"refresh"}` token."""

    def post(self, request):
        refresh = request.data.get("refresh") if isinstance(request.data, dict) else None
        if refresh is not None:
            try:
                DeniedToken.deny(RefreshToken(refresh))
            except TokenError as error:
                raise InvalidToken(error.args[0]) from error
        DeniedToken.deny(request.auth)
        return Response(status=status.HTTP_204_NO_CONTENT)
