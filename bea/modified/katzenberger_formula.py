"""Katzenberger's drift and diffusion as formulas, where the zero-loss set has a small codimension."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations_with_replacement, islice

import sympy

from bea.modified.constrained_flow import inverse
from bea.systems.derivatives import jacobian, partial_derivatives
from bea.systems.loss import Loss
from bea.systems.zero_loss_set import ZeroLossSet

__all__ = ["LARGEST_CODIMENSION", "drift_formula", "has_drift_formula", "on_zeros", "projection_formula"]

#: Up to this codimension the Lyapunov equation is solved in symbols.
LARGEST_CODIMENSION = 2

#: A formula with more nodes, times the square of the number of variables, is left as it is.
_SIMPLIFIED = 12_000


def has_drift_formula(zeros: ZeroLossSet) -> bool:
    """Whether drift and diffusion are written as formulas: of few and independent residuals."""
    return len(zeros.residuals) == zeros.codimension <= LARGEST_CODIMENSION


def projection_formula(zeros: ZeroLossSet) -> sympy.Matrix:
    """P = I − Jᵀ(JJᵀ)⁻¹J, with J the derivative of the residuals."""
    J = sympy.Matrix(jacobian(zeros.residuals, zeros.variables))
    return sympy.eye(J.cols) - J.T * inverse(J * J.T) * J


def drift_formula(loss: Loss, zeros: ZeroLossSet, covariance: sympy.MatrixBase) -> sympy.ImmutableMatrix:
    r"""½ ∂²Φ[Σ] on the zero-loss set, Φ the limit of the gradient flow, of shape (d, 1).

    Parameters
    ----------
    loss : Loss
    zeros : ZeroLossSet
        With `has_drift_formula`.
    covariance : sympy.Matrix
        Σ, of shape (d, d).

    Returns
    -------
    sympy.ImmutableMatrix

    Notes
    -----
    With K = JJᵀ, Q = JHJᵀ and R = JΣJᵀ, of which the entries number as many as pairs of residuals, on the set

    .. math:: H^+ = J^T Q^{-1} J, \qquad L_H^{-1}((I-P)Σ(I-P)) = J^T Y J, \qquad Q Y K + K Y Q = R,

    and H⁺ΣP = JᵀQ⁻¹JΣ − JᵀQ⁻¹RK⁻¹J. So the drift is rational in the derivatives of L and of the residuals,
    and in Σ. A short formula that is a rational function is simplified with what holds on the set.

    Examples
    --------
    >>> import bea
    >>> circle = bea.catalogue.implicit_curve("x**2 + y**2 - 1")
    >>> drift_formula(circle, circle.zero_loss_set, sympy.eye(2))
    Matrix([
    [-x/2],
    [-y/2]])
    """
    H, w = sympy.Matrix(loss.hessian), loss.variables
    J = sympy.Matrix(jacobian(zeros.residuals, w))
    K, Q, R = J * J.T, J * H * J.T, J * covariance * J.T
    K_inverse, Q_inverse = inverse(K), inverse(Q)
    Y, third = _lyapunov(Q, K, R), _third_derivatives(H, w)
    m, c = J.rows, J * covariance
    mixed = [[_bend(third, J[a, :].T * c[b, :]) for b in range(m)] for a in range(m)]
    across = [[_bend(third, J[a, :].T * J[b, :]) for b in range(m)] for a in range(m)]
    along = _bend(third, covariance)
    along += _weighted(-2 * K_inverse, mixed) + _weighted(K_inverse * R * K_inverse, across)
    beside = _weighted(2 * Q_inverse, mixed) + _weighted(Y - 2 * Q_inverse * R * K_inverse, across)
    drift = -(J.T * (Q_inverse * (J * along) - K_inverse * (J * beside)) + beside) / 2
    return sympy.ImmutableMatrix([on_zeros(component, zeros) for component in drift])


def _third_derivatives(H: sympy.Matrix, w: Sequence[sympy.Symbol]) -> dict[tuple[int, int], list[sympy.Expr]]:
    """∂_i H_jk for all i, by j ≤ k."""
    pairs = combinations_with_replacement(range(len(w)), 2)
    return {(j, k): partial_derivatives(H[j, k], w) for j, k in pairs}


def _bend(third: Mapping[tuple[int, int], Sequence[sympy.Expr]], S: sympy.MatrixBase) -> sympy.Matrix:
    """∂²(∇L)[S], whose component i is the sum of ∂_i H_jk S_jk."""
    weights = {(j, k): S[j, k] if j == k else S[j, k] + S[k, j] for j, k in third}
    terms = ([slope * weights[pair] for slope in slopes] for pair, slopes in third.items())
    return sympy.Matrix([sympy.Add(*components) for components in zip(*terms, strict=True)])


def _weighted(weights: sympy.MatrixBase, vectors: Sequence[Sequence[sympy.Matrix]]) -> sympy.Matrix:
    """The sum of weights[a, b] · vectors[a][b]."""
    first, *rest = (weights[a, b] * v for a, row in enumerate(vectors) for b, v in enumerate(row))
    return sum(rest, first)


def _lyapunov(Q: sympy.Matrix, K: sympy.Matrix, R: sympy.Matrix) -> sympy.Matrix:
    """The symmetric Y with QYK + KYQ = R, for symmetric matrices."""
    m = K.rows
    places = list(combinations_with_replacement(range(m), 2))
    names = {place: sympy.Dummy() for place in places}
    Y = sympy.Matrix(m, m, lambda i, j: names[min(i, j), max(i, j)])
    equations = Q * Y * K + K * Y * Q
    matrix = sympy.Matrix(jacobian([equations[place] for place in places], list(names.values())))
    solution = inverse(matrix) * sympy.Matrix([R[place] for place in places])
    values = dict(zip(places, solution, strict=True))
    return sympy.Matrix(m, m, lambda i, j: values[min(i, j), max(i, j)])


def on_zeros(expression: sympy.Expr, zeros: ZeroLossSet) -> sympy.Expr:
    """An expression that has the same values on the zero-loss set, where it is rational a simpler one."""
    w = zeros.variables
    most = _SIMPLIFIED // len(w) ** 2
    short = len(list(islice(sympy.preorder_traversal(expression), most))) < most
    if not (short and all(e.is_rational_function(*w) for e in (expression, *zeros.residuals))):
        return expression
    equations = [sympy.fraction(sympy.together(r))[0] for r in zeros.residuals]
    parts = sympy.fraction(sympy.cancel(sympy.together(expression)))
    numerator, denominator = (sympy.reduced(part, equations, *w)[1] for part in parts)
    return expression if denominator == 0 else sympy.factor(sympy.cancel(numerator / denominator))
