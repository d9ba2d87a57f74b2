"""Limits of gradient descent with injected noise, as step size and noise tend to zero."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from numbers import Real
from typing import Literal

import numpy as np
import sympy

from bea.modified.constrained_flow import constrained_gradient_flow, has_formula
from bea.modified.katzenberger import ConstrainedDiffusion, tangent_projections
from bea.modified.many_points import AtPoints, compile_points, over_points, read_points
from bea.modified.vanishing import ZeroTest
from bea.systems.derivatives import partial_derivatives
from bea.systems.evaluation import parameter_numbers
from bea.systems.noisy_loss import NoisyLoss
from bea.systems.traversal import replace_symbols
from bea.systems.vector_field import VectorField
from bea.systems.zero_loss_set import ZeroLossSet

__all__ = ["Kind", "Limit", "limit"]

Kind = Literal["non-degenerate", "degenerate", "trivial", "uncovered"]

#: On which scale of steps things move.
TIME_SCALES: dict[str, str | None] = {
    "non-degenerate": "1/(alpha*sigma**2)",
    "degenerate": "1/(alpha**2*sigma**2)",
    "trivial": None,
    "uncovered": None,
}

STATEMENTS = {
    "non-degenerate": (
        "The regularizer is not constant along the zero-loss set: on the scale of 1/(alpha*sigma**2) steps "
        "the iterates follow the constrained gradient flow dW/dt = -P grad Reg(W)."
    ),
    "degenerate": (
        "The gradient is affine in the noise, so that the regularizer has no gradient and nothing moves on "
        "the scale of 1/(alpha*sigma**2) steps: on that of 1/(alpha**2*sigma**2) the iterates follow a "
        "stochastic differential equation on the zero-loss set."
    ),
    "trivial": (
        "The noisy gradient vanishes on the zero-loss set: an iterate that has come there stays, on every "
        "scale."
    ),
    "uncovered": (
        "The regularizer is constant along the zero-loss set, but the gradient is not affine in the noise: "
        "nothing moves on the scale of 1/(alpha*sigma**2) steps, and on longer ones terms of the order "
        "alpha*sigma**4 compete with alpha**2*sigma**2. The published theorems do not cover this case. What "
        "can be measured is an ensemble, and the mean distance sigma**2 * offset(x) from the zero-loss set."
    ),
}


@dataclass(frozen=True)
class Limit:
    """What becomes of noisy gradient descent on the zero-loss set Γ as α and σ tend to zero.

    Returned by `limit`.

    Attributes
    ----------
    noisy : NoisyLoss
    kind : {"non-degenerate", "degenerate", "trivial", "uncovered"}
    statement : str
        What this means, in a sentence.
    symbolic : bool
        Whether algebra decided on the kind, rather than numbers.
    how : str
        What decided on the kind.
    field : VectorField or None
        Where the limit is an ordinary differential equation on Γ, in one of the times of `time_scale`: that
        equation. It is tangent to Γ. None where there is none, or no formula of it: see `drift`.
    sde : ConstrainedDiffusion or None
        In the degenerate case the stochastic differential equation on Γ. Its ``drift_expression`` and
        ``diffusion_expression`` are formulas where Γ has codimension 1 or 2.
    label_factor : sympy.Expr or None
        c, where in the degenerate case Σ = cH at the sampled points of Γ, up to the tolerance. The limit then
        is dW/dt = −(c/4) P∇tr H.
    """

    noisy: NoisyLoss
    kind: Kind
    symbolic: bool
    how: str
    field: VectorField | None = None
    sde: ConstrainedDiffusion | None = None
    label_factor: sympy.Expr | None = None

    @property
    def statement(self) -> str:
        return STATEMENTS[self.kind]

    @property
    def time_scale(self) -> str | None:
        """The number of steps in which the limit runs through one unit of time, or None."""
        return TIME_SCALES[self.kind]

    @property
    def regularizer(self) -> sympy.Expr:
        """Reg, whose constrained gradient flow is the limit in the non-degenerate case."""
        return self.noisy.regularizer

    @property
    def zero_loss_set(self) -> ZeroLossSet:
        """Γ."""
        return known_zeros(self.noisy)

    def drift(self, x: Sequence[float] | np.ndarray) -> np.ndarray:
        """The drift of the limit at a point x of Γ, of shape (d,): zero in the trivial case.

        At n points x, of shape (d, n), it has their shape: what `bea.constrained_paths` takes as vectorized.

        Raises
        ------
        ValueError
            In the uncovered case, or where Γ or the Hessian across it is singular.
        """
        points = self._points(x)
        if self.kind == "uncovered":
            raise ValueError(f"there is no drift to be had. {self.statement}")
        if self.kind == "trivial":
            return over_points(x, np.zeros(points.T.shape))
        if self.sde is not None:
            return self.sde.drift(x)
        P = tangent_projections(self.zero_loss_set, points)
        return over_points(x, -(P @ self._slopes(points)[:, :, np.newaxis])[:, :, 0])

    def diffusion(self, x: Sequence[float] | np.ndarray) -> np.ndarray:
        """The factor of dW in the limit at a point x of Γ, of shape (d, n): zero but in the degenerate case.

        At k points x, of shape (d, k), it has the shape (d, n, k).

        Raises
        ------
        ValueError
            In the uncovered case, or where Γ is singular.
        """
        points = self._points(x)
        if self.kind == "uncovered":
            raise ValueError(f"there is no diffusion to be had. {self.statement}")
        if self.sde is not None:
            return self.sde.diffusion(x)
        return over_points(x, np.zeros((*points.T.shape, len(self.noisy.noise))))

    def tangent_projection(self, x: Sequence[float] | np.ndarray) -> np.ndarray:
        """The orthogonal projection P onto the tangent space of Γ at x, of shape (d, d)."""
        return over_points(x, tangent_projections(self.zero_loss_set, self._points(x)))

    def offset(self, x: Sequence[float] | np.ndarray) -> np.ndarray:
        """−H⁺∇Reg at a point x of Γ: where the mean of the iterates is, in units of σ², for small α.

        Raises
        ------
        ValueError
            Where the Hessian is not positive definite across Γ.
        """
        N, rates = self._motion.across(x)
        (slope,) = self._slopes(self._points(x))
        return -(N / rates) @ (N.T @ slope)

    def _points(self, x: Sequence[float] | np.ndarray) -> np.ndarray:
        return read_points(x, self.noisy.dimension)

    @cached_property
    def _motion(self) -> ConstrainedDiffusion:
        return self.sde or _constrained_diffusion(self.noisy)

    def _slopes(self, points: np.ndarray) -> np.ndarray:
        """∇Reg at points of shape (d, n), of shape (n, d)."""
        numbers = parameter_numbers(self.noisy.parameter_symbols, self.noisy.parameters)
        return self._numpy_slopes(points, numbers)

    @cached_property
    def _numpy_slopes(self) -> AtPoints:
        w = self.noisy.variables
        gradient = partial_derivatives(self.regularizer, w)
        return compile_points(gradient, w, self.noisy.parameter_symbols, (len(w),))

    def __repr__(self) -> str:
        return f"Limit({self.kind!r}, time_scale={self.time_scale!r}, field={self.field!r})"


def limit(
    noisy: NoisyLoss,
    *,
    points: int = 20,
    tolerance: float = 1e-8,
    rng: int | np.random.Generator | None = 0,
) -> Limit:
    r"""The limit of w ← w − α∇L̂(w, η) as α and the standard deviation σ of η tend to zero.

    Parameters
    ----------
    noisy : NoisyLoss
        With a known zero-loss set Γ.
    points : int, optional
        Where algebra does not decide, at how many random points of Γ numbers do. Beyond 16 variables algebra
        does not try.
    tolerance : float, optional
        Below which share of their size in the surroundings these numbers count as zero.
    rng : int, numpy.random.Generator or None, optional
        Randomness of the points, as in NumPy.

    Returns
    -------
    Limit
        Its kind is "trivial" if ∇L̂(w, η) = 0 on Γ for all η; otherwise "non-degenerate" if Reg = ½Σ C_ij
        ∂²L̂/∂η_i∂η_j is not constant along Γ; otherwise "degenerate" if ∇L̂ is affine in η; else "uncovered".

    Raises
    ------
    ValueError, TypeError
        If the zero-loss set is not known, or the gradient of the loss does not vanish on it; if a parameter
        has no value, or in the degenerate case the Hessian is not positive definite across the set.

    Notes
    -----
    Algebra writes Γ as a graph and asks whether a function of the free variables is zero. Nothing is
    concluded from how the noise was made.

    In the non-degenerate case the limit is the constrained gradient flow −P∇Reg [1]_. In the degenerate case
    it is Katzenberger's diffusion [2]_ [3]_ for the covariance Σ of the gradient. Where Σ = cH on Γ, as label
    noise has it, that is the flow −(c/4) P∇tr H.

    References
    ----------
    .. [1] A. Shalova, A. Schlichting and M. Peletier, "Singular-limit analysis of gradient descent with noise
       injection", 2024.
    .. [2] G. S. Katzenberger, "Solutions of a stochastic differential equation forced onto a manifold by a
       large drift", Annals of Probability 19, 1991.
    .. [3] Z. Li, T. Wang and S. Arora, "What happens after SGD reaches zero loss? A mathematical framework",
       International Conference on Learning Representations, 2022.

    Examples
    --------
    >>> import bea
    >>> three = bea.limit(bea.noise.dropconnect(bea.catalogue.sum_of_products(n=3)))
    >>> three.kind, three.time_scale
    ('non-degenerate', '1/(alpha*sigma**2)')
    >>> bea.limit(bea.noise.dropconnect(bea.catalogue.sum_of_products(n=1))).kind
    'uncovered'
    >>> labels = bea.limit(bea.noise.label_noise(bea.catalogue.two_parameter()))
    >>> labels.kind, labels.label_factor, labels.field([0.5, 1.2]).round(12)
    ('degenerate', 1, array([ 0.1760355 , -0.42248521]))
    """
    if not isinstance(noisy, NoisyLoss):
        raise TypeError(f"limit takes a NoisyLoss, not {type(noisy).__name__}")
    if isinstance(points, bool) or not isinstance(points, int) or points < 1:
        raise ValueError(f"points must be a positive integer, not {points!r}")
    if not isinstance(tolerance, Real) or not 0 < tolerance < 1:
        raise ValueError(f"the tolerance must lie between 0 and 1, not {tolerance!r}")
    zeros = known_zeros(noisy)
    values = {s: noisy.parameters[s.name] for s in noisy.parameter_symbols if s.name in noisy.parameters}
    test = ZeroTest(zeros, values, points, tolerance, rng)
    kind, symbolic = _kind(noisy, test)
    if kind != "trivial" and not test.vanish(list(noisy.loss.gradient)).holds:
        raise ValueError(
            f"the gradient of the loss does not vanish on the set that was given as its zeros, {zeros!r}"
        )
    how = (
        "algebra"
        if symbolic
        else f"values at {points} points of the zero-loss set, with the relative tolerance {tolerance:g}"
    )
    if kind == "non-degenerate":
        field = _with_values(constrained_gradient_flow(noisy.regularizer, zeros), noisy)
        return Limit(noisy, kind, symbolic, how, field)
    if kind == "degenerate":
        motion = _constrained_diffusion(noisy)
        factor = _label_factor(motion, test)
        field = None if factor is None else _label_flow(factor, noisy, values)
        return Limit(noisy, kind, symbolic, how, field, motion, factor)
    return Limit(noisy, kind, symbolic, how)


def known_zeros(noisy: NoisyLoss) -> ZeroLossSet:
    """The zero-loss set, or a sentence that says that it is missing."""
    zeros = noisy.zero_loss_set
    if zeros is None:
        raise ValueError(
            "the limit lives on the zero-loss set, which is not known here: "
            "pass zero_loss_set=bea.ZeroLossSet(residuals, variables) to the noisy loss"
        )
    return zeros


def _kind(noisy: NoisyLoss, test: ZeroTest) -> tuple[Kind, bool]:
    """The kind of the limit, and whether all that decides on it was found by algebra."""
    still = test.vanish(list(noisy.gradient), noisy.noise)
    if still.holds:
        return "trivial", still.symbolic
    flat = test.constant(noisy.regularizer)
    if not flat.holds:
        return "non-degenerate", flat.symbolic
    affine = test.affine(noisy.expression, noisy.noise)
    symbolic = still.symbolic and flat.symbolic and affine.symbolic
    return ("degenerate" if affine.holds else "uncovered"), symbolic


def _label_factor(motion: ConstrainedDiffusion, test: ZeroTest) -> sympy.Expr | None:
    """The number c with Σ = cH on the zero-loss set, by the points of the sample, where there is one.

    Raises
    ------
    ValueError
        If the Hessian is not positive definite across the set at one of the points.
    """
    for x in test.points:
        motion.across(x)
    pairs = [(motion.covariance(x), motion.hessian(x)) for x in test.points]
    (S, H), *_ = pairs
    c = sympy.Rational(str(np.vdot(H, S) / np.vdot(H, H))).limit_denominator(10**6)
    fits = (np.linalg.norm(S - float(c) * H) <= test.tolerance * np.linalg.norm(S) for S, H in pairs)
    return c if c != 0 and all(fits) else None


def _constrained_diffusion(noisy: NoisyLoss) -> ConstrainedDiffusion:
    """Katzenberger's limit for the noise of the gradient to first order in η."""
    return ConstrainedDiffusion(noisy.loss, noisy.gradient_noise, noisy.correlation, noisy.parameters)


def _label_flow(
    c: sympy.Expr, noisy: NoisyLoss, values: Mapping[sympy.Symbol, sympy.Expr]
) -> VectorField | None:
    """−(c/4) P∇tr H with numbers for parameters, since c is a number for these values alone."""
    zeros = known_zeros(noisy)
    if not has_formula(zeros):
        return None
    pairs = zip(noisy.loss.gradient, noisy.variables, strict=True)
    trace = sympy.Add(*[partial_derivatives(g, [w])[0] for g, w in pairs])
    flow = constrained_gradient_flow(c / 4 * trace, zeros)
    return None if flow is None else VectorField(replace_symbols(flow.components, values), flow.variables)


def _with_values(field: VectorField | None, noisy: NoisyLoss) -> VectorField | None:
    """The field with the parameter values of the noisy loss, for which it accepts further ones."""
    if field is None:
        return None
    names = [s.name for s in noisy.parameter_symbols]
    return VectorField(field.components, field.variables, noisy.parameters, absent=names)
