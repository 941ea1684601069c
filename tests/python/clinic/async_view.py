"""A small async APIView, modeled on adrf (which Debian does not package): it awaits async methods and calls the others."""

import functools

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from rest_framework.views import APIView


class AsyncAPIView(APIView):
    @classmethod
    def as_view(cls, **initial):
        view = super().as_view(**initial)

        @functools.wraps(view)
        def call(request, *args, **kwargs):
            return view(request, *args, **kwargs)

        return markcoroutinefunction(call)

    async def check_permissions_async(self, request):
        for permission in self.get_permissions():
            decision = permission.has_permission(request, self)
            if iscoroutinefunction(permission.has_permission):
                decision = await decision
            if not decision:
                self.permission_denied(request, message=getattr(permission, "message", None))

    async def check_object_permissions_async(self, request, obj):
        for permission in self.get_permissions():
            decision = permission.has_object_permission(request, self, obj)
            if iscoroutinefunction(permission.has_object_permission):
                decision = await decision
            if not decision:
                self.permission_denied(request)

    async def dispatch(self, request, *args, **kwargs):
        self.args, self.kwargs = args, kwargs
        self.request = request = self.initialize_request(request, *args, **kwargs)
        self.headers = self.default_response_headers
        try:
            self.format_kwarg = self.get_format_suffix(**kwargs)
            request.accepted_renderer, request.accepted_media_type = self.perform_content_negotiation(request)
            request.version, request.versioning_scheme = self.determine_version(request, *args, **kwargs)
            await sync_to_async(self.perform_authentication)(request)
            await self.check_permissions_async(request)
            response = await getattr(self, request.method.lower(), self.http_method_not_allowed)(request, *args, **kwargs)
        except Exception as problem:
            response = self.handle_exception(problem)
        self.response = self.finalize_response(request, response, *args, **kwargs)
        return self.response
