"""`&`, `|` and `~` for the permission classes of this package.

REST framework's own operators are not used, for two reasons: its NOT turns the "no" for an anonymous request into "yes", and it takes the coroutine
of an async permission for "yes". Here a negation never admits an anonymous request, and an awaitable is never a verdict: it is awaited in an async
view and an error in a sync one. A composition is a class again, so that REST framework instantiates it like any other.
"""

import inspect
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Awaitable, Callable, ClassVar, Coroutine, Dict, Generator, List, Optional, Tuple, Type, Union

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from rest_framework.exceptions import APIException
from rest_framework.permissions import BasePermission

CACHED = 1024  # compositions that are kept, so that composing per request is cheap


def is_authenticated(request: Any) -> bool:
    user = request.user
    return bool(user and user.is_authenticated)


# ---- verdicts ------------------------------------------------------------------------------------


class Pending:
    """A verdict that must be awaited. Its truth value is an error, because a sync view would take any object for "yes"."""

    __slots__ = ("_start",)

    def __init__(self, start: Callable[[], Coroutine[Any, Any, bool]]) -> None:
        self._start = start

    def __await__(self) -> Generator[Any, Any, bool]:
        return self._start().__await__()

    def __bool__(self) -> bool:
        raise TypeError("an async permission cannot be used in a sync view: make the view async, or the permission sync")


Verdict = Union[bool, Pending]


def checked(verdict: Any, source: object) -> bool:
    """The verdict of sync code, as a bool; TypeError if it is an awaitable."""
    if inspect.isawaitable(verdict):
        if inspect.iscoroutine(verdict):
            verdict.close()
        raise TypeError(f"{type(source).__name__} returned an awaitable from a sync method: declare the method with `async def`")
    return bool(verdict)


def guarded(function: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Pending]:
    """The method of an async permission, so that a sync view cannot take its coroutine for "yes"."""
    def call(*arguments: Any, **more: Any) -> Pending:
        return Pending(lambda: function(*arguments, **more))

    made: Callable[..., Pending] = markcoroutinefunction(call)
    return made


# ---- the metaclass -------------------------------------------------------------------------------

if TYPE_CHECKING:
    _Base = type
else:
    # Python asks the right operand first if its type derives from the type of the left one (data model, "reflected operands"). Deriving from the
    # types of REST framework's classes and compositions therefore gives this module every composition in which one of its classes takes part.
    _bases = {type(BasePermission): None, type(BasePermission & BasePermission): None, type(~BasePermission): None}
    _Base = type("_Base", tuple(_bases), {})


class PermissionMetaclass(_Base):
    # These are classes, not the operands of REST framework that the bases stand for.
    __init__ = type.__init__
    __call__ = type.__call__
    __eq__ = type.__eq__
    __ne__ = type.__ne__
    __hash__ = type.__hash__
    __repr__ = type.__repr__

    def __and__(cls, other: Any) -> "Type[ComposablePermission]":
        return compose(_And, cls, other)

    def __or__(cls, other: Any) -> "Type[ComposablePermission]":  # type: ignore[override]
        return compose(_Or, cls, other)

    def __rand__(cls, other: Any) -> "Type[ComposablePermission]":
        return compose(_And, other, cls)

    def __ror__(cls, other: Any) -> "Type[ComposablePermission]":  # type: ignore[override]
        return compose(_Or, other, cls)

    def __invert__(cls) -> "Type[ComposablePermission]":
        return compose(_Not, cls)


class ComposablePermission(BasePermission, metaclass=PermissionMetaclass):
    """A permission class whose compositions follow the rules of this module. Subclasses may have async methods."""

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        for name in ("has_permission", "has_object_permission"):
            own = cls.__dict__.get(name)
            if inspect.iscoroutinefunction(own):
                setattr(cls, name, guarded(own))


# ---- compositions --------------------------------------------------------------------------------

Check = Callable[[Any], bool]
AsyncCheck = Callable[[Any], Awaitable[bool]]


class _Composition(ComposablePermission):
    operands: ClassVar[Tuple[Any, ...]] = ()

    def __init__(self) -> None:
        self._operands: List[Any] = [operand() for operand in self.operands]

    def has_permission(self, request: Any, view: Any) -> bool:
        return self._judge(request, lambda one: checked(one.has_permission(request, view), one))

    def has_object_permission(self, request: Any, view: Any, obj: Any) -> bool:
        return self._judge(request, lambda one: (not self._asks_both or checked(one.has_permission(request, view), one))
                           and checked(one.has_object_permission(request, view, obj), one))

    async def has_permission_async(self, request: Any, view: Any) -> bool:
        async def check(one: Any) -> bool:
            return await _awaited(one.has_permission(request, view))

        return await self._judge_async(request, check)

    async def has_object_permission_async(self, request: Any, view: Any, obj: Any) -> bool:
        async def check(one: Any) -> bool:
            if self._asks_both and not await _awaited(one.has_permission(request, view)):
                return False
            return await _awaited(one.has_object_permission(request, view, obj))

        return await self._judge_async(request, check)

    _asks_both: ClassVar[bool] = False  # for an object: the view's permission as well

    def _judge(self, request: Any, check: Check) -> bool:
        raise NotImplementedError

    async def _judge_async(self, request: Any, check: AsyncCheck) -> bool:
        raise NotImplementedError


async def _awaited(verdict: Any) -> bool:
    return bool(await verdict if inspect.isawaitable(verdict) else verdict)


class _And(_Composition):
    def _judge(self, request: Any, check: Check) -> bool:
        return all(check(one) for one in self._operands)

    async def _judge_async(self, request: Any, check: AsyncCheck) -> bool:
        for one in self._operands:
            if not await check(one):
                return False
        return True


class _Or(_Composition):
    """An operand that raises (because it could not decide) denies only if the other one denies, too."""

    _asks_both = True  # else an object could be granted by one operand and the view by the other

    def _judge(self, request: Any, check: Check) -> bool:
        problem: Optional[APIException] = None
        for one in self._operands:
            try:
                if check(one):
                    return True
            except APIException as error:
                problem = problem or error
        if problem is not None:
            raise problem
        return False

    async def _judge_async(self, request: Any, check: AsyncCheck) -> bool:
        problem: Optional[APIException] = None
        for one in self._operands:
            try:
                if await check(one):
                    return True
            except APIException as error:
                problem = problem or error
        if problem is not None:
            raise problem
        return False


class _PlainNot(_Composition):
    """REST framework's own negation of its own classes, which may well admit an anonymous request."""

    def _judge(self, request: Any, check: Check) -> bool:
        return not check(self._operands[0])

    async def _judge_async(self, request: Any, check: AsyncCheck) -> bool:
        return not await check(self._operands[0])


class _Not(_PlainNot):
    def _judge(self, request: Any, check: Check) -> bool:
        return is_authenticated(request) and super()._judge(request, check)

    async def _judge_async(self, request: Any, check: AsyncCheck) -> bool:
        return is_authenticated(request) and await super()._judge_async(request, check)


def compose(kind: Type[_Composition], *operands: Any) -> Type[ComposablePermission]:
    try:
        return _composed(kind, *operands)
    except TypeError:  # an operand that cannot be hashed
        return _compose(kind, *operands)


def _compose(kind: Type[_Composition], *operands: Any) -> Type[ComposablePermission]:
    adopted = tuple(_adopted(one) for one in operands)
    members: Dict[str, Any] = {"operands": adopted, "__module__": __name__}
    if any(_is_async(one if isinstance(one, type) else one()) for one in adopted):
        members.update(has_permission=guarded(kind.has_permission_async), has_object_permission=guarded(kind.has_object_permission_async))
    return PermissionMetaclass("Composition", (kind,), members)


def _is_async(permission: Any) -> bool:
    return iscoroutinefunction(permission.has_permission) or iscoroutinefunction(permission.has_object_permission)


_composed = lru_cache(maxsize=CACHED)(_compose)
_KINDS = {"AND": _And, "OR": _Or, "NOT": _PlainNot}


def _adopted(operand: Any) -> Any:
    """A composition of REST framework as one of this module, because an async permission may be inside."""
    kind = _KINDS.get(getattr(getattr(operand, "operator_class", None), "__name__", ""))
    names = ("op1_class",) if kind is _PlainNot else ("op1_class", "op2_class")
    if kind is None or not all(hasattr(operand, name) for name in names):
        return operand
    return compose(kind, *(getattr(operand, name) for name in names))
