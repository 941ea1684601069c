"""manage.py auth_status [--json] [--token-file FILE]: shows the settings, the system checks, and whether claimsd or the Auth API answers."""

import json
import sys
from typing import Any, Dict, Optional

from django.core.management.base import BaseCommand, CommandError

from auth_integration import checks
from auth_integration.conf import Settings, extension_is_built
from auth_integration.runtime import make_transport
from auth_integration.transports.base import Transport


class Command(BaseCommand):
    help = "Shows the settings of auth_integration, its system checks, and whether claimsd or the Auth API answers."
    requires_system_checks: Any = []  # it runs them itself and shows the results

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON object")
        parser.add_argument("--upstream", default="", help="a name of UPSTREAMS")
        parser.add_argument("--token-file", metavar="FILE", help="also look up the token in this file (-: standard input), and show what its claims are mapped to")

    def handle(self, *_: Any, **options: Any) -> None:
        settings = Settings(options["upstream"])
        problems = checks.check_all(options["upstream"])
        answers, answer = False, "not queried, because the settings are wrong"
        token: Optional[Dict[str, Any]] = None
        if not settings.problems and not settings.lacks_extension:
            transport = make_transport(settings)
            try:
                answers, answer = transport.describe()
                token = _look_up(transport, options["token_file"])
            finally:
                transport.close()
        shown = {
            "auth_api_url": settings.api_url, "transport": settings.transport, "because": settings.choice.reason, "extension": extension_is_built(),
            "answers": answers, "answer": answer, "token": token,
            "checks": [{"id": problem.id, "text": problem.msg, "hint": problem.hint} for problem in problems]}
        self.stdout.write(json.dumps(shown) if options["json"] else _text_of(shown))
        works = answers and (token is None or token["verdict"] == "valid")
        if not works or any(problem.is_serious() for problem in problems):
            raise CommandError("authentication does not work: see above")


def _look_up(transport: Transport, path: Optional[str]) -> Optional[Dict[str, Any]]:
    """Looks up the token in the file. Returns what its claims are mapped to, without values."""
    if path is None:
        return None
    if path == "-":
        token = sys.stdin.read().strip()
    else:
        with open(path, encoding="ascii", errors="replace") as file:
            token = file.read().strip()
    found: Any = transport.identify_token(token, None, None)
    if type(found) is not tuple:
        return {"verdict": found.verdict, "reason": found.reason, "text": found.text}
    claims = found[1]
    return {"verdict": "valid", "id": type(claims.id).__name__, "email": bool(claims.email), "roles": len(claims.roles), "members": sorted(claims)}


def _text_of(shown: Dict[str, Any]) -> str:
    lines = [f"Auth API      {shown['auth_api_url'] or 'not set'}",
             f"transport     {shown['transport']}, because {shown['because']}",
             f"extension     {'built' if shown['extension'] else 'not built'}",
             f"answer        {shown['answer']}"]
    token = shown["token"]
    if token is not None and token["verdict"] == "valid":
        lines.append(f"token         valid: the id is of type {token['id']}, {'an' if token['email'] else 'no'} email address, roles: {token['roles']}, "
                     f"members: {', '.join(token['members'])}")
    elif token is not None:
        lines.append(f"token         {token['verdict']}: {token['text']}")
    lines += [f"{problem['id']}  {problem['text']}\n    {problem['hint']}" for problem in shown["checks"]]
    return "\n".join(lines)
