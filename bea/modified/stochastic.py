"""Stochastic modified equations: the diffusion that stochastic gradient descent follows in the mean."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import factorial

import sympy

from bea.modified.workspace import check_names
from bea.systems.expressions import STEP_SIZE, read_expression, require_smooth
from bea.systems.loss import Loss
from bea.systems.loss_sum import LossSum
from bea.systems.vector_field import VectorField

__all__ = ["StochasticModifiedEquation", "stochastic_modified_equation"]


@dataclass(frozen=True)
class StochasticModifiedEquation:
    """The stochastic differential equation dX = b(X) dt + √h B(X) dW, with h the learning rate.

    Returned by `stochastic_modified_equation`.

    Attributes
    ----------
    loss : Loss
        The mean loss C.
    order : int
        The weak order.
    drift : VectorField
        b, with the parameter ``"h"``.
    noise : sympy.ImmutableMatrix of shape (d, r)
        B, the noise of the gradient: W has r independent components.
    """

    loss: Loss
    order: int
    drift: VectorField
    noise: sympy.ImmutableMatrix

    @cached_property
    def covariance(self) -> sympy.ImmutableMatrix:
        """Σ = B Bᵀ, the covariance of the gradient."""
        return sympy.ImmutableMatrix((self.noise * self.noise.T).expand())

    @property
    def diffusion(self) -> sympy.ImmutableMatrix:
        """√h B, of shape (d, r): a factor of hΣ, with which X has the same law as with (hΣ)^{1/2}."""
        return sympy.ImmutableMatrix(sympy.sqrt(STEP_SIZE) * self.noise)

    def generator(self, function: object) -> sympy.Expr:
        """Lφ = b·∇φ + (h/2) Σ:∇²φ, the rate at which the mean of φ(X) changes.

        Parameters
        ----------
        function : str or sympy.Expr
            φ, an expression in the variables and h.

        Raises
        ------
        ValueError, TypeError
            If it does not parse.

        Examples
        --------
        >>> import bea
        >>> loss = bea.Loss("c*x**2/2", variables="x")
        >>> bea.stochastic_modified_equation(loss, order=1, noise=["s"]).generator("x**2")
        -2*c*x**2 + h*s**2
        """
        variables = self.drift.variables
        phi = read_expression(function, {v.name: v for v in (*variables, STEP_SIZE)})
        gradient = [phi.diff(v) for v in variables]
        along = sum((b * g for b, g in zip(self.drift.components, gradient, strict=True)), sympy.S.Zero)
        pairs = [(i, j) for j in range(len(variables)) for i in range(j + 1)]
        spread = sum(
            (self.covariance[i, j] * gradient[i].diff(variables[j]) / (1 + (i == j)) for i, j in pairs),
            sympy.S.Zero,
        )
        return sympy.expand(along + STEP_SIZE * spread)

    def mean_after_step(self, function: object, order: int) -> sympy.Expr:
        """The mean of φ(X) at the time h from X = x, through h^order: Σ_k h^k/k! L^k φ.

        Parameters
        ----------
        function : str or sympy.Expr
            φ, a smooth expression in the variables, without h.
        order : int
            The highest power of h that is kept.

        Raises
        ------
        ValueError, TypeError
            If the function does not parse, is not smooth or contains h, or `order` is not as described.

        Examples
        --------
        >>> import bea
        >>> loss = bea.Loss("c*x**2/2", variables="x")
        >>> equation = bea.stochastic_modified_equation(loss, noise=["s"])
        >>> equation.mean_after_step("x**2", order=2)
        c**2*h**2*x**2 - 2*c*h*x**2 + h**2*s**2 + x**2
        """
        if isinstance(order, bool) or not isinstance(order, int) or order < 0:
            raise ValueError(f"order must be an integer, 0 or more, not {order!r}")
        phi = read_expression(function, {v.name: v for v in self.drift.variables})
        if STEP_SIZE.name in {s.name for s in phi.free_symbols}:
            raise ValueError(f"the function {phi} must not contain h, which is the step size")
        require_smooth([phi], "the function")
        term = total = sympy.expand(phi)
        for k in range(1, order + 1):
            term = _truncated(self.generator(term), order - k)
            total += STEP_SIZE**k * term / factorial(k)
        return sympy.expand(total)

    def __repr__(self) -> str:
        drift, diffusion = list(self.drift.components), self.diffusion.tolist()
        return f"StochasticModifiedEquation(drift={drift}, diffusion={diffusion})"

    def _repr_latex_(self) -> str:
        drift, diffusion = sympy.latex(self.drift.expressions), sympy.latex(self.diffusion)
        return rf"$\displaystyle \mathrm{{d}}X = {drift} \mathrm{{d}}t + {diffusion} \mathrm{{d}}W$"


def stochastic_modified_equation(
    loss: Loss, order: int = 2, noise: Sequence[object] | sympy.MatrixBase | None = None
) -> StochasticModifiedEquation:
    r"""The stochastic modified equation of stochastic gradient descent with learning rate h.

    Descent x ↦ x − h γ(x), where the random gradient γ has the mean ∇C and the covariance Σ, follows
    dX = −∇(C + (h/4)‖∇C‖²) dt + (hΣ)^{1/2} dW: means of smooth functions of both differ by O(h²) over a fixed
    time. Without the term (h/4)‖∇C‖² they differ by O(h).

    Parameters
    ----------
    loss : LossSum or Loss
        Of a sum E₁ + … + E_m, γ is the gradient of one E_k, drawn with replacement, and C is the mean of the
        E_k. Of any other loss, C is the loss, and the noise of its gradient must be given.
    order : {2, 1}
        The weak order: with or without the term (h/4)‖∇C‖².
    noise : matrix of shape (d, r), or a sequence of d expressions, optional
        B, with γ = ∇C + B ξ and Σ = B Bᵀ: the components of ξ are independent with mean 0 and variance 1.

    Returns
    -------
    StochasticModifiedEquation
        With ``drift``, ``diffusion`` and ``covariance``.

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described, the noise is missing or given twice, or a symbol is named ``h``.

    Notes
    -----
    Instead of the symmetric root of hΣ the diffusion is √h B with B Bᵀ = Σ, whose law is the same. For
    minibatches the columns of B are (∇E_k − ∇C)/√m.

    References
    ----------
    .. [1] Q. Li, C. Tai and W. E (2019), Stochastic modified equations and dynamics of stochastic gradient
           algorithms I: mathematical foundations, Journal of Machine Learning Research 20 (40), 1–47.

    Examples
    --------
    >>> import bea
    >>> batches = bea.LossSum(["(x - 1)**2 / 2", "(x + 1)**2 / 2"], variables="x")
    >>> bea.stochastic_modified_equation(batches)
    StochasticModifiedEquation(drift=[-h*x/2 - x], diffusion=[[-sqrt(2)*sqrt(h)/2, sqrt(2)*sqrt(h)/2]])
    """
    if not isinstance(loss, Loss):
        raise TypeError(f"a stochastic modified equation is one of a Loss, not of {type(loss).__name__}")
    if isinstance(order, bool) or order not in (1, 2):
        raise ValueError(f"the weak order of a stochastic modified equation is 1 or 2, not {order!r}")
    if isinstance(loss, LossSum):
        if noise is not None:
            raise ValueError("the noise of a LossSum is that of its parts, so noise must not be given")
        check_names(loss.variables, [part.expression for part in loss.parts], [])
        m = len(loss.parts)
        mean = _mean(loss)
        columns = [part.gradient - mean.gradient for part in loss.parts]
        factor = sympy.Matrix.hstack(*columns).expand() / sympy.sqrt(m)
    else:
        mean, factor = loss, _read_noise(noise, loss)
        check_names(loss.variables, [loss.expression, *factor], [])
    gradient = sympy.Matrix(mean.gradient)
    correction = STEP_SIZE / 2 * mean.hessian * gradient if order == 2 else sympy.zeros(*gradient.shape)
    names = [STEP_SIZE.name, *(s.name for s in loss.parameter_symbols)]
    components = list(-(gradient + correction).expand())
    drift = VectorField(components, mean.variables, mean.parameters, absent=names)
    return StochasticModifiedEquation(mean, int(order), drift, sympy.ImmutableMatrix(factor))


def _mean(loss: LossSum) -> Loss:
    """The mean of the parts."""
    expression = sympy.expand(loss.expression / len(loss.parts))
    free = {s.name for s in expression.free_symbols}
    return Loss(expression, loss.variables, {n: v for n, v in loss.parameters.items() if n in free})


def _read_noise(noise: object, loss: Loss) -> sympy.Matrix:
    """The matrix B of shape (d, r)."""
    if noise is None:
        raise ValueError("a loss that is no LossSum has no noise of its own: pass noise=, a matrix of d rows")
    if isinstance(noise, str) or not isinstance(noise, Iterable | sympy.MatrixBase):
        raise TypeError(f"noise must be a matrix or a sequence, not {type(noise).__name__}")
    rows = noise.tolist() if isinstance(noise, sympy.MatrixBase) else list(noise)
    rows = [list(row) if isinstance(row, Iterable) and not isinstance(row, str) else [row] for row in rows]
    if len(rows) != loss.dimension or len({len(row) for row in rows}) != 1 or not rows[0]:
        raise ValueError(f"noise must have {loss.dimension} rows of the same length, one for each variable")
    names = {v.name: v for v in loss.variables}
    return sympy.Matrix([[read_expression(entry, names) for entry in row] for row in rows])


def _truncated(expression: sympy.Expr, order: int) -> sympy.Expr:
    """An expanded expression without the powers of h beyond h^order."""
    if not expression.has(STEP_SIZE):
        return expression
    coefficients = sympy.collect(expression, STEP_SIZE, evaluate=False)
    kept = {power: c for power, c in coefficients.items() if sympy.degree(power, STEP_SIZE) <= order}
    return sympy.expand(sum((power * c for power, c in kept.items()), sympy.S.Zero))
