"""Async permissions in compositions: awaited in an async view, an error in a sync one, never treated as True."""

import asyncio

import pytest
from django.test import RequestFactory
from rest_framework.permissions import AllowAny, BasePermission, IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView

from auth_integration.composition import ComposablePermission
from auth_integration.permissions import ClaimsPermission, HasRole
from clinic.async_view import AsyncAPIView


class DenyAsync(BasePermission):
    async def has_permission(self, request, view):
        await asyncio.sleep(0)
        return False

    async def has_object_permission(self, request, view, obj):
        return False


class AllowAsync(BasePermission):
    async def has_permission(self, request, view):
        await asyncio.sleep(0)
        return True

    async def has_object_permission(self, request, view, obj):
        return True


class NorthAsync(ComposablePermission):
    async def has_permission(self, request, view):
        return request.user_claims.get("clinic") == "North"


class AsyncRule(ClaimsPermission):
    async def allows(self, claims):
        return False


class Hidden(BasePermission):
    """Returns an awaitable, but is not declared async."""

    def has_permission(self, request, view):
        return DenyAsync().has_permission(request, view)


def status(api, permission, role=None, **claims):
    """The statuses of an async view with this permission, and of one that checks it for an object."""
    class View(AsyncAPIView):
        permission_classes = [permission]

        async def get(self, request):
            return Response()

    class ObjectView(AsyncAPIView):
        permission_classes = [AllowAny]

        async def get(self, request):
            self.permission_classes = [permission]
            await self.check_object_permissions_async(request, object())
            return Response()

    headers = {"HTTP_AUTHORIZATION": f"Bearer {api.issue(role, **claims)}"} if role else {}
    codes = {asyncio.run(view.as_view()(RequestFactory().get("/", **headers))).status_code for view in (View, ObjectView)}
    return codes.pop() if len(codes) == 1 else codes


@pytest.mark.parametrize("permission,expected", [
    (DenyAsync & HasRole("doctor"), 403), (HasRole("doctor") & DenyAsync, 403), (AllowAsync & HasRole("doctor"), 200), (HasRole("doctor") & AllowAsync, 200),
    (DenyAsync | HasRole("doctor"), 200), (DenyAsync | HasRole("rvt"), 403), (HasRole("rvt") | DenyAsync, 403), (HasRole("rvt") | AllowAsync, 200),
    (~(DenyAsync & HasRole("doctor")), 200), (~(AllowAsync | HasRole("rvt")), 403), (~(HasRole("doctor") & AllowAsync), 403),
    ((DenyAsync & IsAuthenticated) & HasRole("doctor"), 403), ((IsAuthenticated | DenyAsync) & HasRole("doctor"), 200),
    ((~AllowAsync | DenyAsync) | HasRole("rvt"), 403), (~(~AllowAsync) & HasRole("doctor"), 200)])
def test_async_operands_are_awaited_in_an_async_view(api, permission, expected):
    assert status(api, permission, "doctor") == expected


@pytest.mark.parametrize("permission", [
    AllowAsync & HasRole("doctor"), DenyAsync | HasRole("doctor"), ~(DenyAsync & HasRole("doctor")), ~(DenyAsync | HasRole("doctor")), ~~(AllowAsync & HasRole("x"))])
def test_a_composition_with_async_operands_denies_an_anonymous_request(api, permission):
    assert status(api, permission) == 401


def test_async_methods_of_a_composable_permission_are_awaited(api):
    assert status(api, NorthAsync & HasRole("doctor"), "doctor", clinic="North") == 200
    assert status(api, NorthAsync & HasRole("doctor"), "doctor", clinic="South") == {403, 200}  # the rule says nothing about objects
    assert status(api, ~NorthAsync, "doctor", clinic="North") == 403


@pytest.mark.parametrize("permission", [AllowAsync & HasRole("doctor"), HasRole("rvt") | AllowAsync, ~(HasRole("rvt") & DenyAsync), NorthAsync, ~NorthAsync])
def test_in_a_sync_view_an_async_operand_is_a_clear_error(api, permission):
    class View(APIView):
        permission_classes = [permission]

        def get(self, request):
            return Response()

    with pytest.raises(TypeError, match="async permission cannot be used in a sync view"):
        View.as_view()(RequestFactory().get("/", HTTP_AUTHORIZATION=f"Bearer {api.issue('doctor')}"))


@pytest.mark.parametrize("permission", [AsyncRule, ~AsyncRule, AsyncRule & HasRole("doctor"), Hidden & HasRole("doctor"), Hidden | HasRole("rvt")])
@pytest.mark.parametrize("base", [APIView, AsyncAPIView])
def test_an_awaitable_from_a_sync_method_is_never_a_decision(api, permission, base):
    class View(base):
        permission_classes = [permission]

        if base is APIView:
            def get(self, request):
                return Response()
        else:
            async def get(self, request):
                return Response()

    request = RequestFactory().get("/", HTTP_AUTHORIZATION=f"Bearer {api.issue('doctor')}")
    with pytest.raises(TypeError, match="returned an awaitable from a sync method"):
        response = View.as_view()(request)
        if base is AsyncAPIView:
            asyncio.run(response)
