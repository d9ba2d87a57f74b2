"""Losses that are sums: over minibatches, or over tasks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

import sympy

from bea.systems.expressions import Value
from bea.systems.loss import Loss
from bea.systems.split_field import SplitField, merged_parameters
from bea.systems.traversal import free_symbols

__all__ = ["LossSum"]


class LossSum(Loss):
    """A sum of losses, E = E₁ + … + E_m, whose parts are known: minibatches, or tasks.

    Schemes such as `RandomShuffling` or `LieTrotter` descend one part after the other, all others the sum.

    Parameters
    ----------
    losses : sequence of Loss, or of text or SymPy expressions
    variables : str or sequence of names, optional
        The variables, where the losses are given as expressions.
    parameters : mapping from name to number, optional
        Values for parameters, besides those that the losses have.

    Attributes
    ----------
    parts : tuple of Loss

    Raises
    ------
    ValueError, TypeError
        If there is no loss, or they differ in their variables or in the value of a parameter.

    Examples
    --------
    >>> import bea
    >>> tasks = bea.LossSum(["(a*b - 1)**2 / 2", "(a - b)**2 / 2"], variables="a b")
    >>> tasks.expression
    (a - b)**2/2 + (a*b - 1)**2/2
    >>> len(tasks.parts)
    2
    """

    def __init__(
        self,
        losses: Iterable[Loss | object],
        variables: str | Sequence[str | sympy.Symbol] | None = None,
        parameters: Mapping[Any, object] | None = None,
    ) -> None:
        if isinstance(losses, str | Mapping) or not isinstance(losses, Iterable):
            raise TypeError(f"losses must be a sequence of losses, not {type(losses).__name__}")
        parts = tuple(_read_loss(loss, variables) for loss in losses)
        if not parts:
            raise ValueError("a sum of losses needs at least one loss")
        first = parts[0].variables
        for part in parts[1:]:
            if part.variables != first:
                raise ValueError(
                    f"all losses must have the same variables, but one has {list(map(str, first))} "
                    f"and another {list(map(str, part.variables))}"
                )
        known = {**merged_parameters(parts), **{str(n): v for n, v in (parameters or {}).items()}}
        super().__init__(sympy.Add(*(part.expression for part in parts)), first)
        names = {s.name for part in parts for s in part.parameter_symbols}
        for name in known.keys() - names:
            raise ValueError(
                f"{name!r} is no parameter of this system; its parameters are {sorted(names) or 'none'}"
            )
        self.parts = tuple(
            part.with_parameters(**{s.name: known[s.name] for s in part.parameter_symbols if s.name in known})
            for part in parts
        )
        free = free_symbols([part.expression for part in self.parts]) - set(first)
        self.parameter_symbols = tuple(sorted(free, key=lambda s: s.name))
        self.parameters = merged_parameters(self.parts)

    @cached_property
    def field(self) -> SplitField:
        """The gradient flow −∇E, with the parts −∇E_k."""
        return SplitField([part.field for part in self.parts])

    def with_parameters(self, /, **values: Value) -> LossSum:
        """The same sum with further parameter values, which replace earlier ones."""
        return LossSum(self.parts, None, values)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LossSum) and self.parts == other.parts

    def __hash__(self) -> int:
        return hash(self.parts)

    def __reduce__(self) -> tuple:
        return LossSum, (self.parts,)

    def __repr__(self) -> str:
        names = " ".join(v.name for v in self.variables)
        return f"LossSum({[str(part.expression) for part in self.parts]}, variables={names!r})"


def _read_loss(loss: object, variables: str | Sequence[str | sympy.Symbol] | None) -> Loss:
    if isinstance(loss, Loss):
        return loss
    if variables is None:
        raise TypeError("losses that are given as expressions need variables")
    return Loss(loss, variables)
