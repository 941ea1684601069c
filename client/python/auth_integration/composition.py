"""`&`, `|` and `~` for the permission classes of this package.

REST framework's own operators are not used, for two reasons. Its NOT admits the anonymous request that its operand denies. It treats the coroutine
of an async permission as True. Here a negation never admits an anonymous request, and an awaitable is never a decision: it is awaited in an async view
and an error in a sync one. A composition is a class, so REST framework instantiates it like any other permission.
"""

import inspect
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Awaitable, Callable, ClassVar, Coroutine, Dict, Generator, List, Optional, Tuple, Type, Union

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from rest_framework.exceptions import APIException
from rest_framework.permissions import BasePermission

CACHED = 1024  # compositions to keep, so that composing per request is cheap


def is_authenticated(request: Any) -> bool:
    user = request.user
    return bool(user and user.is_authenticated)


# ---- decisions -----------------------------------------------------------------------------------


class Pending:
    """A decision that must be awaited. bool() raises TypeError, because a sync view would treat any object as True."""

    __slots__ = ("_start",)

    def __init__(self, start: Callable[[], Coroutine[Any, Any, bool]]) -> None:
        self._start = start

    def __await__(self) -> Generator[Any, Any, bool]:
        return self._start().__await__()

    def __bool__(self) -> bool:
        raise TypeError("an async permission cannot be used in a sync view: make the view async, or the permission sync")


Decision = Union[bool, Pending]


def checked(decision: Any, source: object) -> bool:
    """The decision of sync code as a bool. TypeError if it is an awaitable."""
    if inspect.isawaitable(decision):
        if inspect.iscoroutine(decision):
            decision.close()
        raise TypeError(f"{type(source).__name__} returned an awaitable from a sync method: declare the method with `async def`")
    return bool(decision)


def guarded(function: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Pending]:
    """Wraps an async method of a permission, so that a sync view cannot treat its coroutine as True."""
    def call(*arguments: Any, **more: Any) -> Pending:
        return Pending(lambda: function(*arguments, **more))

    made: Callable[..., Pending] = markcoroutinefunction(call)
    return made


# ---- the metaclass -------------------------------------------------------------------------------

if TYPE_CHECKING:
    _Base = type
else:
    # Python calls the right operand's method first if its type derives from the type of the left one (data model, "reflected operands"). Because this
    # metaclass derives from the types of REST framework's classes and compositions, it handles every composition with one of its own classes.
    _bases = {type(BasePermission): None, type(BasePermission & BasePermission): None, type(~BasePermission): None}
    _Base = type("_Base", tuple(_bases), {})


class PermissionMetaclass(_Base):
    # Instances are classes, not operands of REST framework, so these methods are those of `type`.
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
        return self._judge(request, lambda one: (not self._needs_both or checked(one.has_permission(request, view), one))
                           and checked(one.has_object_permission(request, view, obj), one))

    async def has_permission_async(self, request: Any, view: Any) -> bool:
        async def check(one: Any) -> bool:
            return await _awaited(one.has_permission(request, view))

        return await self._judge_async(request, check)

    async def has_object_permission_async(self, request: Any, view: Any, obj: Any) -> bool:
        async def check(one: Any) -> bool:
            if self._needs_both and not await _awaited(one.has_permission(request, view)):
                return False
            return await _awaited(one.has_object_permission(request, view, obj))

        return await self._judge_async(request, check)

    _needs_both: ClassVar[bool] = False  # for an object: the view's permission as well

    def _judge(self, request: Any, check: Check) -> bool:
        raise NotImplementedError

    async def _judge_async(self, request: Any, check: AsyncCheck) -> bool:
        raise NotImplementedError


async def _awaited(decision: Any) -> bool:
    return bool(await decision if inspect.isawaitable(decision) else decision)


class _And(_Composition):
    def _judge(self, request: Any, check: Check) -> bool:
        return all(check(one) for one in self._operands)

    async def _judge_async(self, request: Any, check: AsyncCheck) -> bool:
        for one in self._operands:
            if not await check(one):
                return False
        return True


class _Or(_Composition):
    """An operand that raises an APIException could not decide. The exception is raised only if the other operand denies."""

    _needs_both = True  # otherwise one operand could grant the object and the other one the view

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
    """REST framework's negation of its own classes. It may admit an anonymous request."""

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
    """Converts a composition of REST framework to one of this module, because it may contain an async permission."""
    kind = _KINDS.get(getattr(getattr(operand, "operator_class", None), "__name__", ""))
    names = ("op1_class",) if kind is _PlainNot else ("op1_class", "op2_class")
    if kind is None or not all(hasattr(operand, name) for name in names):
        return operand
    return compose(kind, *(getattr(operand, name) for name in names))
