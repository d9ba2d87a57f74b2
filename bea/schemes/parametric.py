"""Schemes that are given by a few exact constants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from typing import Any

import sympy

from bea.schemes.scheme import Scheme
from bea.systems.expressions import STEP_SIZE, read_expression

__all__ = ["ParametricScheme", "constant", "lifted", "require_numbers", "values_of"]

#: How libraries spell what is no real number, in small letters; in text these would be read as symbols.
NO_NUMBERS = frozenset({"nan", "inf", "infinity", "oo", "zoo"})


def constant(default: object) -> Any:
    """A dataclass field for an exact constant: a number, text or a SymPy expression, symbols allowed."""
    return field(default=default, metadata={"constant": True})


@dataclass(frozen=True)
class ParametricScheme(Scheme):
    """A scheme as a dataclass; fields declared by `constant` are read as exact SymPy expressions.

    Raises
    ------
    ValueError, TypeError
        If a constant cannot be read, is not real, contains the step size h, or has a symbol with the name of
        what is no real number, such as nan, oo or I.

    Examples
    --------
    Descent whose steps are averaged with the weight γ over all earlier ones. The constant goes through
    ``arithmetic.number``, and class attributes have no annotation, so that they are no fields:

    >>> from dataclasses import dataclass
    >>> import sympy
    >>> import bea
    >>> from bea.schemes import ParametricScheme, constant
    >>> @dataclass(frozen=True, repr=False)
    ... class Averaged(ParametricScheme):
    ...     gamma: sympy.Expr = constant("gamma")
    ...     name, vectors = "averaged", 1
    ...
    ...     def update(self, field, x, memory, h, arithmetic):
    ...         gamma = arithmetic.number(self.gamma)
    ...         rest = arithmetic.number(1 - self.gamma)
    ...         mean = [gamma * m + rest * v for m, v in zip(memory[0], field(x))]
    ...         return [u + h * m for u, m in zip(x, mean)], [mean]
    >>> loss = bea.Loss("(1 - a*b)**2 / 2", variables="a b")
    >>> bea.modified_equation(loss, Averaged(), order=1).loss.terms[1].factor()
    -(a**2 + b**2)*(gamma + 1)*(a*b - 1)**2/(4*(gamma - 1))
    >>> bea.iterate(loss, Averaged("9/10"), [1.0, 2.0], step_size=0.01, steps=10).x[-1].round(4)
    array([0.9211, 1.961 ])
    """

    def __post_init__(self) -> None:
        for name in self._constant_names():
            object.__setattr__(self, name, _read(getattr(self, name), name, type(self).__name__))

    def __repr__(self) -> str:
        """All constants, and of the other fields those that are not as by default."""
        shown = {f.name: getattr(self, f.name) for f in fields(self)}
        for f in fields(self):
            default = f.default if f.default_factory is MISSING else f.default_factory()
            if not f.metadata.get("constant") and shown[f.name] == default:
                del shown[f.name]
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in shown.items())})"

    @classmethod
    def _constant_names(cls) -> list[str]:
        return [f.name for f in fields(cls) if f.metadata.get("constant")]

    @property
    def constants(self) -> tuple[sympy.Expr, ...]:
        """The constants of the scheme, and those of a scheme that it is built on."""
        own = [getattr(self, name) for name in self._constant_names()]
        inner = [value for f in fields(self) if isinstance(value := getattr(self, f.name), Scheme)]
        return (*own, *(c for scheme in inner for c in scheme.constants))

    def with_parameters(self, **values: object) -> ParametricScheme:
        """The same scheme with values, or other exact expressions, for its free symbols.

        Raises
        ------
        ValueError
            If a name is none of its symbols.

        Examples
        --------
        >>> from bea.schemes import HeavyBall
        >>> HeavyBall().with_parameters(beta=0.9)
        HeavyBall(beta=9/10)
        """
        symbols = {s.name: s for s in self.parameter_symbols}
        for name in values:
            if name not in symbols:
                raise ValueError(
                    f"{name!r} is no parameter of {self.name}; its parameters are {sorted(symbols) or 'none'}"
                )
        replacement = {symbols[name]: read_expression(value) for name, value in values.items()}
        changes: dict[str, Any] = {n: getattr(self, n).xreplace(replacement) for n in self._constant_names()}
        for f in fields(self):
            inner = getattr(self, f.name)
            if isinstance(inner, Scheme) and hasattr(inner, "with_parameters"):
                own = {s.name for s in inner.parameter_symbols}
                changes[f.name] = inner.with_parameters(**{n: v for n, v in values.items() if n in own})
        return replace(self, **changes)


def _read(value: object, name: str, owner: str) -> sympy.Expr:
    try:
        expression = read_expression(value)
    except (TypeError, ValueError) as error:
        raise type(error)(f"the parameter {name} of {owner} cannot be read: {error}") from None
    if expression.is_real is False:
        raise ValueError(f"the parameter {name} of {owner} must be real, not {expression}")
    if STEP_SIZE in expression.free_symbols:
        raise ValueError(
            f"the parameter {name} of {owner} cannot contain {STEP_SIZE}, which is the step size"
        )
    require_numbers(expression, f"the parameter {name} of {owner}")
    return expression


def require_numbers(expression: sympy.Expr, what: str) -> None:
    """Refuse symbols whose names stand for what is no real number, such as nan, oo and I.

    Raises
    ------
    ValueError
    """
    for name in sorted(s.name for s in expression.free_symbols):
        if name == "I" or name.lower() in NO_NUMBERS:
            raise ValueError(
                f"{what} must be a real number, or an exact expression in symbols, and {name} is neither"
            )


def values_of(
    scheme: Scheme, parameters: Mapping[Any, object] | None, system: Any
) -> tuple[dict[Any, object], dict[str, sympy.Expr]]:
    """The values that are for the system, and exact values for all symbols of the scheme, sorted by name.

    Raises
    ------
    ValueError
        If a symbol of the scheme has no value.
    """
    if parameters is not None and not isinstance(parameters, Mapping):
        raise TypeError(f"parameters are given as a mapping from names to numbers, not as {parameters!r}")
    symbols = [s.name for s in scheme.parameter_symbols]
    taken = {s.name for s in system.parameter_symbols}
    rest = dict(parameters or {})
    given = {str(name): rest.pop(name) for name in list(rest) if str(name) in set(symbols) - taken}
    for name in symbols:
        if name in taken:
            raise ValueError(
                f"the name {name!r} is that of a parameter of both {scheme.name} and the system: rename one"
            )
        if name not in given:
            raise ValueError(
                f"the parameter {name!r} of {scheme.name} has no value: "
                f"give it one by with_parameters({name}=...)"
            )
    return rest, {name: _read(given[name], name, scheme.name) for name in symbols}


def lifted(scheme: Any, prefix: str = "") -> tuple[Any, dict[sympy.Symbol, sympy.Expr]]:
    """The scheme with a symbol in the place of each of its constants, and their values.

    Schemes that differ in their constants alone become equal.
    """
    if not isinstance(scheme, ParametricScheme):
        return scheme, {}
    changes: dict[str, Any] = {}
    values: dict[sympy.Symbol, sympy.Expr] = {}
    for f in fields(scheme):
        value = getattr(scheme, f.name)
        if f.metadata.get("constant"):
            changes[f.name] = sympy.Symbol(f"{prefix}{scheme.name} {f.name}")
            values[changes[f.name]] = value
        elif isinstance(value, ParametricScheme):
            changes[f.name], inner = lifted(value, f"{prefix}{scheme.name} ")
            values |= inner
    return replace(scheme, **changes), values
