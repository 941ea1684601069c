"""manage.py auth_status [--json]: what this package is set to, what the system checks say of it, and whether anybody answers."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from auth_integration import checks
from auth_integration.conf import Settings, extension_is_built
from auth_integration.runtime import make_transport


class Command(BaseCommand):
    help = "Shows the settings of auth_integration, its system checks, and whether claimsd or the Auth API answers."
    requires_system_checks: Any = []  # it runs its own, and shows them

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON object")

    def handle(self, *_: Any, **options: Any) -> None:
        settings = Settings()
        problems = checks.check_all()
        answers, said = False, "not asked: the settings are wrong"
        if not settings.problems:
            transport = make_transport(settings)
            try:
                answers, said = transport.describe()
            finally:
                transport.close()
        if options["json"]:
            self.stdout.write(json.dumps({
                "auth_api_url": settings.api_url, "transport": settings.transport, "extension": extension_is_built(),
                "answers": answers, "said": said, "checks": [{"id": problem.id, "text": problem.msg, "hint": problem.hint} for problem in problems]}))
        else:
            self.stdout.write(f"Auth API      {settings.api_url or 'not set'}")
            self.stdout.write(f"transport     {settings.transport}, extension {'built' if extension_is_built() else 'not built'}")
            self.stdout.write(f"answer        {said}")
            for problem in problems:
                self.stdout.write(f"{problem.id}  {problem.msg}\n    {problem.hint}")
        if not answers or any(problem.is_serious() for problem in problems):
            raise CommandError("authentication does not work: see above")
