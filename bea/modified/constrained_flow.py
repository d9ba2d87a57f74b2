"""Gradient flows that stay on a zero-loss set."""

from __future__ import annotations

import sympy

from bea.systems.derivatives import jacobian, partial_derivatives
from bea.systems.traversal import free_symbols, replace_symbols
from bea.systems.vector_field import VectorField
from bea.systems.zero_loss_set import ZeroLossSet

__all__ = ["LARGEST_CODIMENSION", "constrained_gradient_flow", "has_formula", "inverse"]

#: Up to this codimension the projection is written as a formula: m! terms of a determinant.
LARGEST_CODIMENSION = 4


def constrained_gradient_flow(function: sympy.Expr, zeros: ZeroLossSet) -> VectorField | None:
    r"""The flow ẇ = −P∇φ on the zero-loss set, P the orthogonal projection onto its tangent space.

    Parameters
    ----------
    function : sympy.Expr
        φ.
    zeros : ZeroLossSet

    Returns
    -------
    VectorField or None
        With P = I − Jᵀ(JJᵀ)⁻¹J, J the derivative of the residuals. It is tangent to all level sets of the
        residuals. None where J has dependent rows or more than four.

    Examples
    --------
    >>> import bea
    >>> circle = bea.ZeroLossSet(["x**2 + y**2 - 1"], variables="x y")
    >>> x, y = circle.variables
    >>> constrained_gradient_flow(x, circle)([0.6, 0.8]).round(12)
    array([-0.64,  0.48])
    """
    if not has_formula(zeros):
        return None
    gradient = sympy.Matrix(partial_derivatives(function, zeros.variables))
    J = sympy.Matrix(jacobian(zeros.residuals, zeros.variables))
    multipliers = inverse(J * J.T) * (J * gradient)
    components = list(J.T * multipliers - gradient)
    occurring = {s.name for s in free_symbols(components)}
    known = {name: value for name, value in zeros.parameters.items() if name in occurring}
    return VectorField(components, zeros.variables, known)


def has_formula(zeros: ZeroLossSet) -> bool:
    """Whether the projection onto the tangent space is written as a formula."""
    m = len(zeros.residuals)
    return m == zeros.codimension and m <= LARGEST_CODIMENSION


def inverse(A: sympy.Matrix) -> sympy.Matrix:
    """A⁻¹ by Cramer's rule in symbols, of which the entries are put in at the end."""
    m = A.rows
    names = sympy.Matrix(m, m, lambda i, j: sympy.Dummy(f"a{i}{j}"))
    symbolic = names.adjugate() / names.det(method="berkowitz")
    values = {names[i, j]: A[i, j] for i in range(m) for j in range(m)}
    return sympy.Matrix(m, m, replace_symbols(list(symbolic), values))
