"""Losses with injected noise: what gradient descent sees when every step draws η anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import sympy

from bea.systems.derivatives import partial_derivatives
from bea.systems.expressions import (
    Value,
    named_symbols,
    read_expression,
    read_parameters,
    require_smooth,
)
from bea.systems.laws import Gaussian, Law
from bea.systems.loss import Loss
from bea.systems.squares import zeros_of_squares
from bea.systems.traversal import free_symbols, leaves, replace_symbols
from bea.systems.vector_field import VectorField
from bea.systems.zero_loss_set import ZeroLossSet

__all__ = ["NoisyLoss"]


class NoisyLoss:
    r"""A loss L̂(w, η) with injected noise η, for the descent w ← w − α ∇L̂(w, η) with η drawn anew each step.

    Without noise it is the loss L(w) = L̂(w, 0). The components of η have mean 0 and variance σ² [1]_.

    Parameters
    ----------
    expression : str or sympy.Expr
        L̂. Text is parsed, never evaluated; decimals are read exactly (0.6 is 3/5).
    variables : str or sequence of str or sympy.Symbol, length d
        The names of the variables w, such as ``"a b"``.
    noise : str or sequence of str or sympy.Symbol, length n
        The names of the components of η.
    law : Law, optional
        The law of η, by default normal: see `bea.noise`.
    parameters : mapping from name to number, optional
        Values for parameters: the free symbols that are neither variables nor noise.
    zero_loss_set : ZeroLossSet, optional
        Where L vanishes. Without it, it is read from L where that is written as a sum of squares, not more of
        them than variables.

    Attributes
    ----------
    expression : sympy.Expr
    variables, noise, parameter_symbols : tuple of sympy.Symbol
    law : Law
    parameters : dict from str to sympy.Expr

    Raises
    ------
    ValueError, TypeError
        If text does not parse, a name stands for two things, or a value is no real number.

    References
    ----------
    .. [1] A. Shalova, A. Schlichting and M. Peletier, "Singular-limit analysis of gradient descent with noise
       injection", 2024.

    Examples
    --------
    >>> import bea
    >>> noisy = bea.NoisyLoss("(a*(1 + e)*b - 1)**2 / 2", variables="a b", noise="e")
    >>> noisy.loss
    Loss('(a*b - 1)**2/2', variables='a b')
    >>> noisy.regularizer
    a**2*b**2/2
    """

    def __init__(
        self,
        expression: object,
        variables: str | Sequence[str | sympy.Symbol],
        noise: str | Sequence[str | sympy.Symbol],
        law: Law | None = None,
        parameters: Mapping[Any, object] | None = None,
        zero_loss_set: ZeroLossSet | None = None,
    ) -> None:
        self.variables = named_symbols(variables, [expression], "variables")
        self.noise = named_symbols(noise, [expression], "components of the noise")
        twins = {v.name for v in self.variables} & {e.name for e in self.noise}
        if twins:
            raise ValueError(f"{min(twins)!r} cannot be both a variable and a component of the noise")
        self.expression = read_expression(expression, {s.name: s for s in (*self.variables, *self.noise)})
        require_smooth([self.expression], "a noisy loss")
        free = free_symbols([self.expression])
        self.parameter_symbols, self.parameters = read_parameters(
            parameters, free - set(self.noise), self.variables
        )
        if law is not None and not isinstance(law, Law):
            raise TypeError(f"the law of the noise must be one of bea.noise, not {type(law).__name__}")
        self.law = Gaussian() if law is None else law
        self.law.correlation(len(self.noise))
        if zero_loss_set is not None and not isinstance(zero_loss_set, ZeroLossSet):
            raise TypeError(f"zero_loss_set must be a ZeroLossSet, not {type(zero_loss_set).__name__}")
        if zero_loss_set is not None and zero_loss_set.variables != self.variables:
            raise ValueError("the zero-loss set must have the variables of the loss, in the same order")
        self._zeros = zero_loss_set

    @property
    def dimension(self) -> int:
        """The number d of variables."""
        return len(self.variables)

    @cached_property
    def loss(self) -> Loss:
        """L(w) = L̂(w, 0), with its zero-loss set where that is known."""
        (quiet,) = self._without_noise([self.expression])
        names = {s.name for s in free_symbols([quiet])}
        known = {name: value for name, value in self.parameters.items() if name in names}
        zeros = self._zeros or zeros_of_squares(quiet, self.variables, known)
        absent = [s.name for s in self.parameter_symbols]
        return Loss(quiet, self.variables, known, zeros, absent=absent)

    @property
    def zero_loss_set(self) -> ZeroLossSet | None:
        """Where L vanishes, or None where that is not known."""
        return self.loss.zero_loss_set

    @cached_property
    def gradient(self) -> sympy.ImmutableMatrix:
        """∇L̂ in the variables w, of shape (d, 1)."""
        return sympy.ImmutableMatrix(partial_derivatives(self.expression, self.variables))

    @cached_property
    def field(self) -> VectorField:
        """−∇L̂ in the variables w, with the components of the noise among its parameters."""
        absent = [s.name for s in (*self.noise, *self.parameter_symbols)]
        return VectorField(list(-self.gradient), self.variables, self.parameters, absent=absent)

    @cached_property
    def gradient_noise(self) -> sympy.ImmutableMatrix:
        """G = ∂∇L̂/∂η at η = 0, of shape (d, n): to first order the gradient is ∇L + Gη."""
        rows = [self._without_noise(partial_derivatives(g, self.noise)) for g in self.gradient]
        return sympy.ImmutableMatrix(rows)

    @cached_property
    def correlation(self) -> sympy.ImmutableMatrix:
        """C, the covariance matrix of η/σ, of shape (n, n)."""
        return self.law.correlation(len(self.noise))

    @cached_property
    def covariance(self) -> sympy.ImmutableMatrix:
        """Σ = G C Gᵀ, of shape (d, d): the gradient has the covariance σ²Σ to leading order."""
        G = self.gradient_noise
        return sympy.ImmutableMatrix(G * self.correlation * G.T)

    @cached_property
    def regularizer(self) -> sympy.Expr:
        """Reg, so that the mean of L̂ is L + σ² Reg to leading order in σ.

        For noise that is small with σ it is `bend`. `Bernoulli` noise becomes rare instead: then it is the
        sum of L̂(w, −e_i) − L(w) + ∂L̂/∂η_i(w, 0), in which one component after the other is dropped. Both are
        the same where L̂ is quadratic in each component.
        """
        if self.law.jump is None:
            return self.bend
        return sympy.Add(*[self._dropped(e, self.law.jump) for e in self.noise])

    def _dropped(self, e: sympy.Symbol, jump: int) -> sympy.Expr:
        """What one component adds to the regularizer if it jumps seldom and far."""
        (slope,) = partial_derivatives(self.expression, [e])
        (bend,) = partial_derivatives(slope, [e])
        (third,) = partial_derivatives(bend, [e])
        if third == 0 or sympy.expand(third) == 0:
            return self._without_noise([bend])[0] * sympy.Rational(jump**2, 2)
        here = dict.fromkeys(self.noise, sympy.S.Zero)
        there = replace_symbols([self.expression], {**here, e: sympy.Integer(jump)})
        (after,) = _finite(there, f"{e} = {jump}, a value that the law {self.law!r} gives it")
        before, slope = self._without_noise([self.expression, slope])
        return after - before - jump * slope

    @cached_property
    def bend(self) -> sympy.Expr:
        """½ Σ_ij C_ij ∂²L̂/∂η_i∂η_j at η = 0; for independent components half the Laplacian in η."""
        C, n = self.correlation, len(self.noise)
        slopes = partial_derivatives(self.expression, self.noise)
        terms = []
        for i in range(n):
            correlated = [j for j in range(i + 1) if C[i, j] != 0]
            bends = self._without_noise(partial_derivatives(slopes[i], [self.noise[j] for j in correlated]))
            weights = (C[i, j] if j < i else C[i, i] / 2 for j in correlated)
            terms += [weight * bend for weight, bend in zip(weights, bends, strict=True)]
        return sympy.Add(*terms)

    def with_parameters(self, /, **values: Value) -> NoisyLoss:
        """The same noisy loss with further parameter values, which replace earlier ones."""
        zeros = self._zeros
        if zeros is not None:
            names = {s.name for s in zeros.parameter_symbols}
            zeros = zeros.with_parameters(**{name: v for name, v in values.items() if name in names})
        known = {**self.parameters, **values}
        return NoisyLoss(self.expression, self.variables, self.noise, self.law, known, zeros)

    def with_law(self, law: Law) -> NoisyLoss:
        """The same noisy loss under another law of the noise."""
        return NoisyLoss(self.expression, self.variables, self.noise, law, self.parameters, self._zeros)

    def _without_noise(self, expressions: Sequence[sympy.Expr]) -> list[sympy.Expr]:
        """The expressions at η = 0, or a sentence that says that they are not finite there."""
        return _finite(replace_symbols(expressions, dict.fromkeys(self.noise, sympy.S.Zero)), "η = 0")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NoisyLoss) and self._data == other._data

    def __hash__(self) -> int:
        return hash((self.variables, self.noise, self.expression))

    @property
    def _data(self) -> tuple:
        return self.expression, self.variables, self.noise, self.law, self.parameters

    def __reduce__(self) -> tuple:
        return NoisyLoss, (*self._data, self._zeros)

    def __repr__(self) -> str:
        names = " ".join(v.name for v in self.variables)
        noise = " ".join(e.name for e in self.noise)
        text = str(self.expression)
        return f"NoisyLoss({text!r}, variables={names!r}, noise={noise!r}, law={self.law!r})"

    def _repr_latex_(self) -> str:
        arguments = ", ".join(map(sympy.latex, self.variables))
        noise = ", ".join(map(sympy.latex, self.noise))
        return rf"$\displaystyle \hat L({arguments};\, {noise}) = {sympy.latex(self.expression)}$"


def _finite(expressions: list[sympy.Expr], place: str) -> list[sympy.Expr]:
    """The expressions, or a sentence that says where one of them is not finite."""
    if leaves(expressions) & {sympy.nan, sympy.zoo, sympy.oo, -sympy.oo}:
        raise ValueError(f"a noisy loss must be smooth in the noise, and this one is not finite at {place}")
    return expressions
