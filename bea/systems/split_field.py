"""Vector fields that are made of several, which a scheme may use one at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sympy

from bea.systems.expressions import Value
from bea.systems.traversal import free_symbols
from bea.systems.vector_field import VectorField

__all__ = ["SplitField", "merged_parameters"]


class SplitField(VectorField):
    """A sum of vector fields, f = f₁ + … + f_m, whose parts are known.

    Schemes such as splittings, passes over minibatches or alternating play step along one part after the
    other; all others see the sum.

    Parameters
    ----------
    parts : sequence of VectorField, or of sequences of components
    variables : str or sequence of names, optional
        The variables, where parts are given by their components.
    parameters : mapping from name to number, optional
        Values for parameters, besides those that the parts have.

    Attributes
    ----------
    parts : tuple of VectorField

    Raises
    ------
    ValueError, TypeError
        If there is no part, or parts differ in their variables or in the value of a parameter.

    Examples
    --------
    >>> import bea
    >>> pendulum = bea.SplitField([["p", 0], [0, "-sin(q)"]], variables="q p")
    >>> pendulum.components
    (p, -sin(q))
    >>> pendulum.parts[1]
    VectorField([0, -sin(q)], variables='q p')
    """

    def __init__(
        self,
        parts: Iterable[VectorField | Sequence[object]],
        variables: str | Sequence[str | sympy.Symbol] | None = None,
        parameters: Mapping[Any, object] | None = None,
        absent: Iterable[str] = (),
    ) -> None:
        if isinstance(parts, str | Mapping) or not isinstance(parts, Iterable):
            raise TypeError(f"parts must be a sequence of vector fields, not {type(parts).__name__}")
        self._parts = tuple(_read_part(part, variables) for part in parts)
        if not self._parts:
            raise ValueError("a split field needs at least one part")
        first = self._parts[0].variables
        for part in self._parts[1:]:
            if part.variables != first:
                raise ValueError(
                    f"all parts must have the same variables, but one has {list(map(str, first))} "
                    f"and another {list(map(str, part.variables))}"
                )
        total = [
            sympy.Add(*components) for components in zip(*(p.components for p in self._parts), strict=True)
        ]
        names = {s.name for part in self._parts for s in part.parameter_symbols}
        known = {**merged_parameters(self._parts), **{str(n): v for n, v in (parameters or {}).items()}}
        for name in known.keys() - names - set(absent):
            raise ValueError(
                f"{name!r} is no parameter of this system; its parameters are {sorted(names) or 'none'}"
            )
        self._parts = tuple(
            part.with_parameters(**{s.name: known[s.name] for s in part.parameter_symbols if s.name in known})
            for part in self._parts
        )
        super().__init__(total, first, known, absent={*names, *absent})
        free = free_symbols([c for part in self._parts for c in part.components])
        self.parameter_symbols = tuple(sorted(free - set(first), key=lambda s: s.name))
        self.parameters = merged_parameters(self._parts)
        self.absent = frozenset(absent) - names

    @property
    def parts(self) -> tuple[VectorField, ...]:
        """The fields whose sum this one is."""
        return self._parts

    def with_parameters(self, /, **values: Value) -> SplitField:
        """The same field with further parameter values, which replace earlier ones."""
        return SplitField(self.parts, None, {**merged_parameters(self.parts), **values}, self.absent)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SplitField) and self.parts == other.parts

    def __hash__(self) -> int:
        return hash(self.parts)

    def __reduce__(self) -> tuple:
        return SplitField, (self.parts, None, None, self.absent)

    def __repr__(self) -> str:
        components = ", ".join(f"[{', '.join(map(str, part.components))}]" for part in self.parts)
        names = " ".join(v.name for v in self.variables)
        return f"SplitField([{components}], variables={names!r})"


def _read_part(
    part: VectorField | Sequence[object], variables: str | Sequence[str | sympy.Symbol] | None
) -> VectorField:
    if isinstance(part, VectorField):
        return part
    if variables is None:
        raise TypeError("parts that are given by their components need variables")
    return VectorField(part, variables)


def merged_parameters(parts: Iterable[Any]) -> dict[str, sympy.Expr]:
    """The parameter values of all parts together.

    Raises
    ------
    ValueError
        If two parts give one parameter different values.
    """
    merged: dict[str, sympy.Expr] = {}
    for part in parts:
        for name, value in part.parameters.items():
            if merged.setdefault(name, value) != value:
                raise ValueError(
                    f"the parts give the parameter {name!r} two values, {merged[name]} and {value}"
                )
    return merged
