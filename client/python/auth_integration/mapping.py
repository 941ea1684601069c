"""Which members of a claims document are the user's id, email address and roles, and which values it must have. The rules of the daemon.

A member is named by its name or, beginning with "/", by a JSON Pointer (RFC 6901). Members that are used are checked strictly; a missing or odd email
address and missing roles are no errors. tests/testdata/documents/ holds the cases for this module and for the daemon.
"""

import json
import logging
import re
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple, Union

from auth_integration.claims import Claims
from auth_integration.documents import BadDocument, Members, is_text, parse

logger = logging.getLogger("auth_integration")

MAX_ID, MAX_EMAIL = 256, 320  # bytes
MAX_ROLE, MAX_ROLES, MAX_ROLE_BYTES = 512, 256, 16 * 1024  # bytes of one, count, bytes together
FORMS = ("list", "words", "keys")
WRONG_TOKENS = frozenset(("refresh", "offline", "id"))  # values of `typ` and `token_use` that are no access token
WARN_AFTER = 20  # documents without a configured role claim
_MISSING: Any = object()
_INDEX = re.compile(r"0|[1-9][0-9]{0,8}")
_BLANKS = re.compile(r"[ \t\r\n]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


class Mismatch(ValueError):
    """The document or the token does not have a required value. The text names the member."""


class RolesUnknown(ValueError):
    """The Auth API left the roles out of the document, because there are too many."""


class Pointer:
    """A member by its name or by a JSON Pointer."""

    def __init__(self, text: str) -> None:
        if not isinstance(text, str) or not text:
            raise ValueError("must be a member's name or a JSON Pointer")
        if text.startswith("/") and re.search(r"~(?![01])", text):
            raise ValueError(f"has a JSON Pointer with an invalid escape: {text!r}")
        self.text = text
        steps = text[1:].split("/") if text.startswith("/") else [text]
        self._steps = [step.replace("~1", "/").replace("~0", "~") for step in steps] if text.startswith("/") else steps

    @property
    def first(self) -> str:
        """The name of the outermost member."""
        return self._steps[0]

    def find(self, document: Members) -> Any:
        """The value, or _MISSING; BadDocument if a member on the way is there twice, because two readers could see two values."""
        value: Any = document
        for step in self._steps:
            if isinstance(value, Members):
                if step in value.repeated:
                    raise BadDocument(f'member "{self.text}" is there twice')
                value = value.get(step, _MISSING)
            elif isinstance(value, list) and _INDEX.fullmatch(step) and int(step) < len(value):
                value = value[int(step)]
            else:
                return _MISSING
        return value


_CLAIM_NAMES, _HAS_GROUPS = Pointer("_claim_names"), Pointer("hasgroups")  # Entra ID's


class RoleClaim(NamedTuple):
    at: Pointer
    form: str

    def read(self, document: Members) -> Optional[List[str]]:
        """The roles, or None if the member is missing."""
        value = self.at.find(document)
        if value is _MISSING or value is None:
            return None
        if self.form == "keys":
            return self._checked(list(value) if isinstance(value, Members) else None, "an object")
        if self.form == "words":
            return self._checked(_BLANKS.split(value) if is_text(value) else None, "a string")
        return self._checked([value] if is_text(value) else value, "a string or an array of strings")

    def _checked(self, roles: Any, wanted: str) -> List[str]:
        if not isinstance(roles, list) or not all(is_text(role) for role in roles):
            raise BadDocument(f'member "{self.at.text}" is not {wanted}')
        for role in roles:
            _strict(role, self.at.text, MAX_ROLE)
        return [role for role in roles if role]


class ClaimsMapping:
    """Any thread. ValueError(option, problem) if an option is wrong."""

    def __init__(self, id_claim: str = "id", email_claim: str = "email", role_claims: Sequence[Any] = ("role",),
                 require: Optional[Dict[str, Any]] = None, require_token: Optional[Dict[str, Any]] = None) -> None:
        self._id = _option("ID_CLAIM", Pointer, id_claim)
        self._email = _option("EMAIL_CLAIM", Pointer, email_claim)
        self._roles = [_option("ROLE_CLAIMS", _role_claim, given) for given in role_claims]
        self._require = [(_option("REQUIRE", Pointer, name), value) for name, value in (require or {}).items()]
        self._require_token = [(_option("REQUIRE_TOKEN", Pointer, name), value) for name, value in (require_token or {}).items()]
        self._warned_of_email = False
        self._documents = 0
        self._never_seen = set(range(len(self._roles)))
        self.key = repr((id_claim, email_claim, list(role_claims), require, require_token))  # part of a cache's key

    def read(self, body: bytes, token_payload: Optional[bytes] = None) -> Claims:
        """The claims of a document. `token_payload` is the payload of the token, if it is a JWT. BadDocument, Mismatch or RolesUnknown."""
        self._check_token(token_payload)
        document = parse(body)
        for pointer, wanted in self._require:
            _check_required(pointer, wanted, document)
        return self.claims_of(document)

    def claims_of(self, document: Members) -> Claims:
        return Claims(document, self._read_id(document), self._read_email(document), self._read_roles(document))

    # ---- one member each -------------------------------------------------------------------------

    def _read_id(self, document: Members) -> Union[str, int]:
        name, value = self._id.text, self._id.find(document)
        if value is _MISSING:
            raise BadDocument(f'member "{name}" is missing')
        if isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**64:
            return value
        if not is_text(value) or not value:
            raise BadDocument(f'member "{name}" is neither a string nor an integer')
        return _strict(value, name, MAX_ID)

    def _read_email(self, document: Members) -> str:
        value = self._email.find(document)
        if is_text(value) and len(value.encode("utf-8", "replace")) <= MAX_EMAIL and not _CONTROL.search(value):
            return value
        if value is not _MISSING and value is not None and not self._warned_of_email:
            self._warned_of_email = True
            logger.warning('member "%s" of the Auth API\'s claims is not an email address: users have none', self._email.text)
        return ""

    def _read_roles(self, document: Members) -> Tuple[str, ...]:
        self._check_overage(document)
        roles: Dict[str, None] = {}  # in order, without repeats
        for number, claim in enumerate(self._roles):
            found = claim.read(document)
            if found is not None:
                self._never_seen.discard(number)
                roles.update(dict.fromkeys(found))
            if len(roles) > MAX_ROLES:
                raise BadDocument(f'member "{claim.at.text}" lists more than {MAX_ROLES} roles')
            if sum(len(role.encode()) for role in roles) > MAX_ROLE_BYTES:
                raise BadDocument(f'member "{claim.at.text}" lists roles of more than {MAX_ROLE_BYTES} bytes')
        self._note_absent()
        return tuple(roles)

    def _check_overage(self, document: Members) -> None:
        """Entra ID lists a user's groups only up to a number; beyond it the document says where else to ask."""
        if not self._roles:
            return
        names, has_groups = _CLAIM_NAMES.find(document), _HAS_GROUPS.find(document)
        elsewhere = set(names) if isinstance(names, dict) else set()
        if has_groups is True or has_groups == "true":
            elsewhere.add("groups")
        for claim in self._roles:
            if claim.at.first in elsewhere:
                raise RolesUnknown(f'member "{claim.at.text}" was left out, because the user has too many groups')

    def _note_absent(self) -> None:
        self._documents += 1
        if self._documents == WARN_AFTER:
            for number in sorted(self._never_seen):
                logger.warning('no claims document had the role claim "%s" so far: check ROLE_CLAIMS', self._roles[number].at.text)

    def _check_token(self, payload: Optional[bytes]) -> None:
        document = None
        if payload is not None:
            try:
                document = parse(payload)
            except BadDocument:
                pass  # no JWT of ours to look into
        for name in ("typ", "token_use"):
            kind = None if document is None else document.get(name)
            if (isinstance(kind, str) and kind.lower() in WRONG_TOKENS) or (document is not None and name in document.repeated):
                raise Mismatch(f'member "{name}" of the token says that it is not an access token')
        for pointer, wanted in self._require_token:
            if document is None:
                raise Mismatch(f'the token is not a JWT, so it has no member "{pointer.text}"')
            _check_required(pointer, wanted, document)


def claims_of(members: Dict[str, Any]) -> Claims:
    """The claims of a document with the default names, given as Python objects."""
    return ClaimsMapping().claims_of(parse(json.dumps(members)))


def _option(name: str, make: Any, given: Any) -> Any:
    try:
        return make(given)
    except ValueError as error:
        raise ValueError(name, str(error)) from error


def _role_claim(given: Any) -> RoleClaim:
    if isinstance(given, str):
        return RoleClaim(Pointer(given), "list")
    if not isinstance(given, dict) or not {"at"} <= set(given) <= {"at", "form"}:
        raise ValueError('takes names, JSON Pointers or {"at": …, "form": …}')
    if given.get("form", "list") not in FORMS:
        raise ValueError(f"has an unknown form {given['form']!r}: write one of {', '.join(FORMS)}")
    return RoleClaim(Pointer(given["at"]), given.get("form", "list"))


def _check_required(pointer: Pointer, wanted: Any, document: Members) -> None:
    value = pointer.find(document)
    held = value if isinstance(value, list) else [value]
    if not any(_equal(one, wanted) for one in held):
        raise Mismatch(f'member "{pointer.text}" does not have the required value')


def _equal(one: Any, other: Any) -> bool:
    """As JSON: true is not 1."""
    if isinstance(one, str) and not is_text(one):
        return False
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def _strict(text: str, name: str, limit: int) -> str:
    if _CONTROL.search(text):
        raise BadDocument(f'member "{name}" contains a control character')
    if len(text.encode()) > limit:
        raise BadDocument(f'member "{name}" is longer than {limit} bytes')
    return text
