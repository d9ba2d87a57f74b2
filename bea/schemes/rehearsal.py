"""One step of a user's scheme on numbers that say what they cannot do, to explain why a step has failed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from numbers import Real
from typing import Any

import sympy

from bea.schemes.scheme import Scheme

__all__ = ["explained", "rehearse"]

#: How many variables the rehearsed step has.
DIMENSION = 3
#: What a mistaken step raises.
ERRORS = (TypeError, ValueError, IndexError, AttributeError, NotImplementedError)
CONSTANTS = "constants go through arithmetic.number(...), such as arithmetic.number(sympy.Rational(1, 2))"


@contextmanager
def explained(scheme: Scheme, parts: int) -> Iterator[None]:
    """Within it, an error in the step of a user's scheme becomes a sentence on what is wrong with the step.

    Errors that a rehearsal does not find stay as they are, and so do those in the schemes of this package.

    Raises
    ------
    TypeError
    """
    try:
        yield
    except ERRORS as error:
        mistake = None if _is_ours(scheme) else _mistake(scheme, parts)
        if mistake is not None:
            raise TypeError(mistake) from error
        raise


class MistakenStepError(TypeError):
    """What is wrong with the step of a scheme."""


def rehearse(scheme: Scheme, parts: int) -> None:
    """Make one step on numbers that know only what all kinds of numbers know.

    Raises
    ------
    MistakenStepError
        If the step does what some kinds of numbers cannot do, or returns what is no next x and memory.
    """
    rule = f"{type(scheme).__name__}.{'update' if scheme.has_memory else 'step'}"
    constant = _undeclared_constant(scheme)
    if constant is not None:
        raise MistakenStepError(
            f"{type(scheme).__name__} declares {constant} by constant(...), but is no dataclass: "
            "write @dataclass(frozen=True, repr=False) above the class"
        )
    x, field, arithmetic = [_Number() for _ in range(DIMENSION)], _Field(parts), _Arithmetic()
    memory = scheme.start(field, x, _Number(), arithmetic)
    if not scheme.has_memory:
        _require_vector(scheme.step(field, x, _Number(), arithmetic), f"{rule} must return the next x")
        return
    what = f"{rule} must return the next x and the next memory"
    result = scheme.update(field, x, memory, _Number(), arithmetic)
    if not isinstance(result, tuple) or len(result) != 2:
        raise MistakenStepError(f"{what}, as a pair, not {_named(result)}")
    _require_vector(result[0], f"{what}: its x")
    _require_memory(result[1], scheme, what)


def _mistake(scheme: Scheme, parts: int) -> str | None:
    """What a rehearsal finds, or None where the step fails there no other way than on real numbers."""
    try:
        rehearse(scheme, parts)
    except MistakenStepError as mistake:
        return str(mistake)
    except ERRORS:
        return None
    return None


def _is_ours(scheme: Scheme) -> bool:
    names: list[str] = [f.name for f in fields(scheme)] if is_dataclass(scheme) else []
    inner = [getattr(scheme, name, None) for name in names]
    return type(scheme).__module__.startswith("bea.") and all(
        _is_ours(value) for value in inner if isinstance(value, Scheme)
    )


def _undeclared_constant(scheme: Scheme) -> str | None:
    """The name of a constant that was declared in a class that was not made a dataclass."""
    own = vars(type(scheme))
    declared = [name for name, value in own.items() if getattr(value, "metadata", {}).get("constant")]
    return declared[0] if declared and "__dataclass_fields__" not in own else None


def _require_vector(value: Any, what: str) -> None:
    if not isinstance(value, Sequence):
        raise MistakenStepError(f"{what}, a list of as many numbers as x has, not {_named(value)}")
    if len(value) != DIMENSION:
        raise MistakenStepError(
            f"{what}, a list of as many numbers as x has: for {DIMENSION} it returns {len(value)}"
        )
    for entry in value:
        if not isinstance(entry, _Number):
            raise MistakenStepError(f"{what}, a list of numbers, but one is {_named(entry)}: {CONSTANTS}")


def _require_memory(memory: Any, scheme: Scheme, what: str) -> None:
    vectors, scalars = scheme.vectors, scheme.scalars
    if not isinstance(memory, Sequence) or len(memory) != vectors + scalars:
        size = f"of {len(memory)}" if isinstance(memory, Sequence) else f"but {_named(memory)}"
        raise MistakenStepError(
            f"{what}: the memory is a list of {vectors} lists and {scalars} numbers, not {size}"
        )
    for vector in memory[:vectors]:
        _require_vector(vector, f"{what}: in the memory")
    for entry in memory[vectors:]:
        if not isinstance(entry, _Number):
            raise MistakenStepError(f"{what}: in the memory a number is {_named(entry)}: {CONSTANTS}")


def _named(value: object) -> str:
    return "nothing" if value is None else f"{type(value).__name__}"


class _Number:
    """A number that can be added, subtracted and multiplied, and says so."""

    def _combined(self, other: object) -> _Number:
        if not isinstance(other, _Number | int):
            raise MistakenStepError(f"a step works with its numbers, not with {other!r}: {CONSTANTS}")
        return _Number()

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _combined

    def __neg__(self) -> _Number:
        return _Number()

    def _refuse_quotient(self, other: object) -> _Number:
        raise MistakenStepError("numbers of a step have no /: write u*arithmetic.power(v, sympy.Integer(-1))")

    __truediv__ = __rtruediv__ = _refuse_quotient

    def _refuse_power(self, other: object) -> _Number:
        raise MistakenStepError(
            "numbers of a step have no **: write arithmetic.power(u, sympy.Rational(1, 2))"
        )

    __pow__ = __rpow__ = _refuse_power

    def _refuse_comparison(self, other: object) -> bool:
        raise MistakenStepError("numbers of a step cannot be compared: a step is smooth, without cases")

    __lt__ = __le__ = __gt__ = __ge__ = _refuse_comparison

    def _refuse_conversion(self) -> Any:
        raise MistakenStepError(
            "numbers of a step have no sign and no truth: work with +, -, * and arithmetic alone"
        )

    __bool__ = __abs__ = _refuse_conversion


class _Field:
    def __init__(self, parts: int) -> None:
        self.parts = [_Field(0) for _ in range(parts)]

    def __call__(self, x: Sequence[Any]) -> list[_Number]:
        _require_vector(x, "a field is asked at one point, which is")
        return [_Number() for _ in x]

    def flow(self, x: Sequence[Any], t: Any) -> list[_Number]:
        return self(x)


class _Arithmetic:
    def number(self, constant: object) -> _Number:
        if not isinstance(constant, sympy.Expr | Real):
            raise MistakenStepError(
                "arithmetic.number takes an exact SymPy expression, such as sympy.Rational(1, 2), "
                f"not {constant!r}"
            )
        return _Number()

    def power(self, base: object, exponent: object) -> _Number:
        if not isinstance(base, _Number) or not isinstance(exponent, sympy.Rational):
            raise MistakenStepError(
                "arithmetic.power takes a number of the step and an exact exponent, such as "
                "sympy.Rational(1, 2)"
            )
        return _Number()

    def fixed_point(
        self, function: Callable[[list[list[Any]]], list[list[Any]]], start: list[list[Any]]
    ) -> list[list[Any]]:
        return function(start)
