"""Losses: scalar functions, their gradients, and the flows that descend them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import sympy

from bea.systems.derivatives import partial_derivatives
from bea.systems.evaluation import compile_numpy, parameter_numbers, read_point
from bea.systems.expressions import (
    Value,
    named_symbols,
    present,
    read_expression,
    read_parameters,
    require_smooth,
)
from bea.systems.logistic import logistic_form
from bea.systems.traversal import free_symbols
from bea.systems.vector_field import VectorField
from bea.systems.zero_loss_set import ZeroLossSet

__all__ = ["Loss"]


class Loss:
    """A scalar function E(x), to be descended.

    Parameters
    ----------
    expression : str or sympy.Expr
        The loss. Text is parsed, never evaluated; decimals are read exactly (0.6 is 3/5).
    variables : str or sequence of str or sympy.Symbol, length d
        The names of the variables, such as ``"a b"``.
    parameters : mapping from name to number, optional
        Values for parameters: the free symbols that are no variables. In derivations a parameter stays a
        symbol; its value is used when numbers are asked for.
    zero_loss_set : ZeroLossSet, optional
        What is known of the set where the loss vanishes.
    native_source, native_data : str and array_like, optional
        The gradient flow −∇E once more, as in `VectorField`.
    absent : iterable of str, optional
        Names of parameters that do not occur, but whose values are accepted, as in `VectorField`.

    Raises
    ------
    ValueError, TypeError
        If text does not parse or a value is no real number.

    Examples
    --------
    >>> import bea
    >>> loss = bea.Loss("(y - a*b*x)**2 / 2", variables="a b", parameters={"x": 1, "y": 0.6})
    >>> loss.gradient
    Matrix([
    [-b*x*(-a*b*x + y)],
    [-a*x*(-a*b*x + y)]])
    >>> loss([2.0, 0.8])
    0.5
    """

    def __init__(
        self,
        expression: object,
        variables: str | Sequence[str | sympy.Symbol],
        parameters: Mapping[Any, object] | None = None,
        zero_loss_set: ZeroLossSet | None = None,
        native_source: str | None = None,
        native_data: Sequence[float] | np.ndarray = (),
        absent: Iterable[str] = (),
    ) -> None:
        self.variables = named_symbols(variables, [expression], "variables")
        self.expression = read_expression(expression, {v.name: v for v in self.variables})
        free = free_symbols([self.expression])
        self.absent = frozenset(absent) - {s.name for s in free}
        known = present(parameters, self.absent)
        self.parameter_symbols, self.parameters = read_parameters(known, free, self.variables)
        self.zero_loss_set = zero_loss_set
        self._native = (native_source, native_data)

    @classmethod
    def from_residuals(
        cls,
        residuals: Sequence[object],
        variables: str | Sequence[str | sympy.Symbol],
        parameters: Mapping[Any, object] | None = None,
        scale: Value = 0.5,
        codimension: int | None = None,
        description: str = "",
        native_source: str | None = None,
        native_data: Sequence[float] | np.ndarray = (),
    ) -> Loss:
        """The sum of squares E(x) = scale · Σ Fᵢ(x)², together with its zero-loss set {F = 0}.

        Parameters
        ----------
        residuals : sequence of str or sympy.Expr, length m
            The components of F.
        variables, parameters
            As for a loss.
        scale : number or sympy.Expr, optional
            The positive factor of the sum, by default 1/2.
        codimension : int, optional
            The rank of F' at regular points of the zero-loss set, by default m.
        description : str, optional
            What the zero-loss set is, in a few words.
        native_source, native_data
            As for a loss.

        Raises
        ------
        ValueError, TypeError
            As for a zero-loss set, or if the scale is not positive.

        Examples
        --------
        >>> import bea
        >>> loss = bea.Loss.from_residuals(["a*b - 1"], variables="a b")
        >>> loss.expression
        (a*b - 1)**2/2
        >>> loss.zero_loss_set.contains([2.0, 0.5])
        True
        """
        factor = read_expression(scale)
        if not factor.is_positive:
            raise ValueError(f"the scale of a sum of squares must be a positive number, not {scale}")
        zeros = ZeroLossSet(residuals, variables, parameters, codimension, description)
        expression = sympy.Add(*[factor * residual**2 for residual in zeros.residuals])
        return cls(expression, zeros.variables, parameters, zeros, native_source, native_data)

    @property
    def dimension(self) -> int:
        """The number d of variables."""
        return len(self.variables)

    @cached_property
    def gradient(self) -> sympy.ImmutableMatrix:
        """∇E, of shape (d, 1)."""
        require_smooth([self.expression], "a loss that has a gradient")
        derivatives = partial_derivatives(self.expression, self.variables)
        return sympy.ImmutableMatrix([logistic_form(d) for d in derivatives])

    @cached_property
    def hessian(self) -> sympy.ImmutableMatrix:
        """∇²E, of shape (d, d)."""
        return sympy.ImmutableMatrix([partial_derivatives(g, self.variables) for g in self.gradient])

    @cached_property
    def field(self) -> VectorField:
        """The gradient flow −∇E as a vector field."""
        names = [*self.absent, *(s.name for s in self.parameter_symbols)]
        return VectorField(list(-self.gradient), self.variables, self.parameters, *self._native, names)

    def with_parameters(self, /, **values: Value) -> Loss:
        """The same loss, and zero-loss set, with further parameter values, which replace earlier ones."""
        zeros = self.zero_loss_set
        if zeros is not None:
            names = {s.name for s in zeros.parameter_symbols}
            zeros = zeros.with_parameters(**{name: v for name, v in values.items() if name in names})
        known = {**self.parameters, **values}
        return Loss(self.expression, self.variables, known, zeros, *self._native, self.absent)

    def __call__(
        self,
        x: Sequence[float] | np.ndarray,
        /,
        parameters: Mapping[Any, object] | None = None,
        **values: Value,
    ) -> float:
        """The value E(x); values of parameters are given by name, or in a mapping."""
        point = read_point(x, self.dimension, "x")
        given = present({**(parameters or {}), **values}, self.absent)
        numbers = parameter_numbers(self.parameter_symbols, self.parameters, given)
        return float(self._numpy(point, numbers)[0])

    @cached_property
    def _numpy(self):
        return compile_numpy([self.expression], self.variables, self.parameter_symbols)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Loss)
            and self.variables == other.variables
            and self.expression == other.expression
            and self.parameters == other.parameters
        )

    def __hash__(self) -> int:
        return hash((self.variables, self.expression))

    def __reduce__(self) -> tuple:
        known = self.parameters, self.zero_loss_set
        return Loss, (self.expression, self.variables, *known, *self._native, self.absent)

    def __repr__(self) -> str:
        names = " ".join(v.name for v in self.variables)
        return f"Loss({str(self.expression)!r}, variables={names!r})"

    def _repr_latex_(self) -> str:
        arguments = ", ".join(map(sympy.latex, self.variables))
        return rf"$\displaystyle E({arguments}) = {sympy.latex(self.expression)}$"
