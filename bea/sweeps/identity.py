"""What a function is called in a store, so that the results of another one are never taken for its own."""

from __future__ import annotations

import functools
import inspect
import textwrap
from collections.abc import Callable
from pathlib import Path
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import Any

import bea
from bea.sweeps.content import hash_of, plain
from bea.sweeps.store import versions

__all__ = ["code_hash", "package_hash", "qualified_name", "signature_of", "takes_rng"]


def qualified_name(function: Callable[..., Any]) -> str:
    """The module and the name of a function.

    Examples
    --------
    >>> qualified_name(qualified_name)
    'bea.sweeps.identity.qualified_name'
    """
    while isinstance(function, functools.partial):
        function = function.func
    named = function if hasattr(function, "__qualname__") else type(function)
    return f"{getattr(named, '__module__', type(named).__module__)}.{named.__qualname__}"


def signature_of(function: Callable[..., Any]) -> inspect.Signature | None:
    """The parameters of a function; some that are written in C do not tell them."""
    try:
        return inspect.signature(function)
    except ValueError:
        return None


def takes_rng(function: Callable[..., Any]) -> bool:
    """Whether a function has a parameter rng that is still free.

    Examples
    --------
    >>> takes_rng(lambda n, rng: n), takes_rng(functools.partial(lambda n, rng: n, rng=1))
    (True, False)
    """
    signature = signature_of(function)
    bound = isinstance(function, functools.partial) and "rng" in function.keywords
    return signature is not None and "rng" in signature.parameters and not bound


@functools.cache
def package_hash() -> str:
    """The hash of the source of the whole package and of the versions of what it needs.

    Examples
    --------
    >>> len(package_hash())
    40
    """
    folder = Path(bea.__file__).parent
    sources = {path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in folder.rglob("*.py")}
    return hash_of({"versions": versions(), "sources": sources})


def code_hash(function: Callable[..., Any]) -> str:
    """The hash of the source of a function and of the values that it carries with it.

    These are its defaults, the variables of functions around it that it uses, and what `functools.partial`
    has put in. Functions that it calls by a global name are not seen.

    Raises
    ------
    ValueError
        If there is no source, or a value that it carries has no content hash.

    Examples
    --------
    >>> import functools
    >>> code_hash(functools.partial(pow, exp=2)) == code_hash(functools.partial(pow, exp=3))
    False
    """
    return hash_of(_content(function, qualified_name(function), ()))


def _content(value: Any, owner: str, above: tuple[object, ...]) -> Any:
    """What a function or a value that a function carries consists of, as lists and plain values."""
    if any(value is other for other in above):
        return {"recursive": qualified_name(value)}
    above = (*above, value)
    if isinstance(value, functools.partial):
        carried = {"arguments": value.args, **value.keywords}
        return {
            "partial": _content(value.func, owner, above),
            "carried": {name: _content(item, owner, above) for name, item in carried.items()},
        }
    if isinstance(value, FunctionType):
        return _function(value, owner, above)
    if isinstance(value, BuiltinFunctionType | ModuleType):
        return {"name": f"{getattr(value, '__module__', None)}.{value.__name__}"}
    if callable(value) and isinstance(getattr(value, "__wrapped__", None), FunctionType):
        return _function(value.__wrapped__, owner, above)
    if isinstance(value, tuple):
        return {"tuple": {str(i): _content(item, owner, above) for i, item in enumerate(value)}}
    try:
        return plain(value, "it")
    except TypeError:
        raise ValueError(
            f"results of {owner} cannot be told from those of a changed one, because it carries {value!r} of "
            f"type {type(value).__name__}: give sweep a version, such as version='1', and another one when "
            "the function changes"
        ) from None


def _function(function: FunctionType, owner: str, above: tuple[object, ...]) -> dict[str, Any]:
    names = function.__code__.co_freevars
    cells = [cell.cell_contents for cell in function.__closure__ or ()]
    carried = {
        "defaults": function.__defaults__,
        **(function.__kwdefaults__ or {}),
        **dict(zip(names, cells, strict=True)),
    }
    return {
        "source": _source(function, owner),
        **_apart(function.__code__),
        "carried": {name: _content(item, owner, above) for name, item in carried.items()},
    }


def _apart(code: CodeType) -> dict[str, Any]:
    """What tells functions apart that are written on one line, whose source is that line for both."""
    if code.co_name != "<lambda>":
        return {}
    return _instructions(code)


def _instructions(code: CodeType) -> dict[str, Any]:
    """What the interpreter is to do, also in the functions within this one."""
    constants = [_constant(value) for value in code.co_consts]
    return {"code": code.co_code.hex(), "names": [*code.co_names, *code.co_varnames], "constants": constants}


def _constant(value: Any) -> Any:
    """A constant of compiled code as text, the same in every process: the order of a set is not."""
    if isinstance(value, CodeType):
        return _instructions(value)
    if isinstance(value, tuple):
        return {"tuple": [_constant(item) for item in value]}
    return sorted(map(repr, value)) if isinstance(value, frozenset) else repr(value)


def _source(function: FunctionType, owner: str) -> str:
    code: CodeType = function.__code__
    try:
        return textwrap.dedent(inspect.getsource(code))
    except (OSError, TypeError):
        raise ValueError(
            f"the source of {owner} is not to be found, so that a changed function could not be noticed: "
            "give sweep a version, such as version='1', and another one when the function changes"
        ) from None
