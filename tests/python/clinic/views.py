"""Views of every kind that the package serves."""

from django.http import JsonResponse
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView

from auth_integration.authentication import OptionalAuthAPITokenAuthentication
from auth_integration.decorators import role_required, token_required
from auth_integration.permissions import HasAnyRole, HasRole, IsAdminOrDoctor


def me(request):
    return {"id": request.user.id, "email": request.user.email, "roles": list(request.user.roles), "claims": request.user_claims}


class ClinicView(APIView):
    permission_classes = [IsAuthenticated]

    def get(self, request):
        return Response(me(request))

    post = get


class TechView(ClinicView):
    permission_classes = [HasRole("rvt")]


class StaffView(ClinicView):
    permission_classes = [HasAnyRole("doctor", "rvt")]


class AdminOrDoctorView(ClinicView):
    permission_classes = [IsAdminOrDoctor]


class NotTechView(ClinicView):
    permission_classes = [~HasRole("rvt")]


class OpenView(APIView):
    """Open to every request, with the default authenticator."""

    permission_classes = [AllowAny]

    def get(self, request):
        return Response({"authenticated": bool(request.user.is_authenticated), "claims": request.user_claims})


class PublicView(OpenView):
    authentication_classes = [OptionalAuthAPITokenAuthentication]


class PublicTechView(PublicView):
    permission_classes = [HasRole("rvt")]


class PublicUserView(PublicView):
    permission_classes = [IsAuthenticated]


@role_required("rvt", "doctor")
def plain(request):
    return JsonResponse(me(request))


@token_required
async def plain_async(request):
    return JsonResponse(me(request))


def unguarded(request):
    return JsonResponse({"claims": getattr(request, "user_claims", None)})


async def unguarded_async(request):
    return JsonResponse({"claims": request.user_claims})


def hide_what_is_denied(get_response):
    """A middleware that answers 404 instead of 403."""
    def hide(request):
        response = get_response(request)
        return JsonResponse({"detail": "Not found."}, status=404) if response.status_code == 403 else response

    return hide
