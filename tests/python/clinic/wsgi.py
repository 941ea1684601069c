"""WSGI; with CLINIC_WARM_TOKEN the package is used once before a pre-forking server forks, as an application might."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic.settings")
application = get_wsgi_application()

if "CLINIC_WARM_TOKEN" in os.environ:
    from auth_integration.runtime import current

    found = current().transport.identify({"HTTP_AUTHORIZATION": f"Bearer {os.environ['CLINIC_WARM_TOKEN']}"}, None)
    assert type(found) is tuple, f"warming up answered {found}"
