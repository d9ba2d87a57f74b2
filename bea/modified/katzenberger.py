"""Katzenberger's limit: the diffusion on the zero-loss set that noise in a strong gradient flow leaves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import sympy

from bea.modified.katzenberger_formula import (
    drift_formula,
    has_drift_formula,
    on_zeros,
    projection_formula,
)
from bea.modified.many_points import (
    RANK_TOLERANCE,
    AtPoints,
    LossDerivatives,
    compile_points,
    normal_space,
    over_points,
    read_points,
    zero_set_jacobian,
)
from bea.systems.evaluation import parameter_numbers, read_point
from bea.systems.expressions import present, read_expressions, read_parameters
from bea.systems.loss import Loss
from bea.systems.traversal import free_symbols
from bea.systems.zero_loss_set import ZeroLossSet

__all__ = ["ConstrainedDiffusion", "tangent_projections"]


class ConstrainedDiffusion:
    r"""The stochastic equation dY = b(Y) dt + B(Y) dW on the zero-loss set Γ of a loss [1]_ [2]_.

    It is the limit of w ← w − α(∇L(w) + σ G(w) ξ) in the time t = α²σ² · steps, where the components of ξ
    have mean 0, variance 1 and the correlation C. With Σ = G C Gᵀ, the projection P onto the tangent space of
    Γ, the Hessian H and L_H X = HX + XH,

    .. math:: \mathrm{d}Y = P Σ^{1/2} \mathrm{d}W - \tfrac12 H^+ ∂²(∇L)[PΣP]\,\mathrm{d}t
       - \tfrac12 P \bigl(2 ∂²(∇L)[H^+ Σ P] + ∂²(∇L)[L_H^{-1}((I-P) Σ (I-P))]\bigr) \mathrm{d}t,

    in the sense of Itô. The drift is ½ ∂²Φ[Σ] for the limit Φ of the gradient flow.

    Parameters
    ----------
    loss : Loss
        L, with a known zero-loss set, across which its Hessian is positive definite.
    noise : matrix of shape (d, n), or a sequence of d rows
        G, of expressions in the variables.
    correlation : array_like of shape (n, n), optional
        C, by default the identity.
    parameters : mapping from name to number, optional
        Values for parameters, besides those of the loss.

    Attributes
    ----------
    loss, zero_loss_set : Loss, ZeroLossSet
    noise, correlation : sympy.ImmutableMatrix, numpy.ndarray

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described.

    References
    ----------
    .. [1] G. S. Katzenberger, "Solutions of a stochastic differential equation forced onto a manifold by a
       large drift", Annals of Probability 19, 1991.
    .. [2] Z. Li, T. Wang and S. Arora, "What happens after SGD reaches zero loss? A mathematical framework",
       International Conference on Learning Representations, 2022.

    Examples
    --------
    >>> import bea
    >>> from bea.modified import ConstrainedDiffusion
    >>> circle = bea.catalogue.implicit_curve("x**2 + y**2 - 1")
    >>> motion = ConstrainedDiffusion(circle, [[1, 0], [0, 1]])
    >>> motion.drift([0.6, 0.8]).round(12)
    array([-0.3, -0.4])

    Up to codimension 2 there are formulas:

    >>> motion.drift_expression.T
    Matrix([[-x/2, -y/2]])
    """

    def __init__(
        self,
        loss: Loss,
        noise: Sequence[Sequence[object]] | sympy.MatrixBase,
        correlation: Sequence[Sequence[object]] | np.ndarray | sympy.MatrixBase | None = None,
        parameters: Mapping[Any, object] | None = None,
    ) -> None:
        if not isinstance(loss, Loss):
            raise TypeError(f"a constrained diffusion is one of a Loss, not of {type(loss).__name__}")
        if loss.zero_loss_set is None:
            raise ValueError("a constrained diffusion needs a loss with a known zero-loss set")
        rows = noise.tolist() if isinstance(noise, sympy.MatrixBase) else [list(row) for row in noise]
        if len(rows) != loss.dimension or len({len(row) for row in rows}) != 1:
            raise ValueError(f"the noise must be a matrix of {loss.dimension} rows, one for each variable")
        names = {s.name: s for s in (*loss.variables, *loss.parameter_symbols)}
        self.loss = loss
        self.zero_loss_set = loss.zero_loss_set
        self.noise = sympy.ImmutableMatrix([read_expressions(row, names) for row in rows])
        n = self.noise.cols
        C = np.eye(n) if correlation is None else np.array(correlation, dtype=float)
        if C.shape != (n, n) or not np.allclose(C, C.T) or np.linalg.eigvalsh(C)[0] < -1e-10:
            raise ValueError(f"the correlation must be a symmetric nonnegative matrix of shape {(n, n)}")
        self.correlation = C
        self._exact_correlation = sympy.eye(n) if correlation is None else sympy.Matrix(correlation)
        free = free_symbols(self.noise) | set(loss.parameter_symbols)
        known: dict[object, object] = {}
        known.update(loss.parameters)
        known.update(present(parameters, loss.absent - {s.name for s in free}))
        self._symbols, self._values = read_parameters(known, free, loss.variables)

    @property
    def dimension(self) -> int:
        """The number d of variables."""
        return self.loss.dimension

    def drift(self, x: Sequence[float] | np.ndarray) -> np.ndarray:
        """b(x) = ½ ∂²Φ[Σ] at a point x of Γ, of shape (d,), or at points x of shape (d, n), of that shape.

        Raises
        ------
        ValueError
            If the Hessian is not positive definite across Γ at x.
        """
        points = self._points(x)
        N, rates = self._across(points)
        P = np.eye(self.dimension) - N @ _transposed(N)
        S = self._covariances(points)
        pseudo_inverse = N / rates[:, np.newaxis] @ _transposed(N)
        mixed = pseudo_inverse @ S @ P
        across = _transposed(N) @ S @ N / (rates[:, :, np.newaxis] + rates[:, np.newaxis])
        rest = mixed + _transposed(mixed) + N @ across @ _transposed(N)
        along, beside = self._derivatives.bend(points, self._numbers, P @ S @ P, rest)
        drift = pseudo_inverse @ along[:, :, np.newaxis] + P @ beside[:, :, np.newaxis]
        return over_points(x, -drift[:, :, 0] / 2)

    def diffusion(self, x: Sequence[float] | np.ndarray) -> np.ndarray:
        """B(x) = P G C^{1/2} at a point x of Γ, of shape (d, n): B Bᵀ = PΣP.

        At points x of shape (d, k) it has the shape (d, n, k).
        """
        points = self._points(x)
        P = tangent_projections(self.zero_loss_set, points)
        return over_points(x, P @ self._noise(points) @ self._root)

    @cached_property
    def drift_expression(self) -> sympy.ImmutableMatrix | None:
        """b as a formula that holds on Γ, of shape (d, 1); None where Γ has a codimension of 3 or more."""
        zeros = self.zero_loss_set
        if not has_drift_formula(zeros):
            return None
        return drift_formula(self.loss, zeros, self.noise * self._exact_correlation * self.noise.T)

    @cached_property
    def diffusion_expression(self) -> sympy.ImmutableMatrix | None:
        """B as a formula that holds on Γ, of shape (d, n); None where Γ has a codimension of 3 or more."""
        zeros = self.zero_loss_set
        if not has_drift_formula(zeros):
            return None
        C = self._exact_correlation
        root = C if sympy.eye(C.rows) == C else sympy.Matrix(self._root)
        entries = projection_formula(zeros) * self.noise * root
        return sympy.ImmutableMatrix(*entries.shape, [on_zeros(entry, zeros) for entry in entries])

    def covariance(self, x: Sequence[float] | np.ndarray) -> np.ndarray:
        """Σ(x) = G C Gᵀ, of shape (d, d), or at points x of shape (d, n) of shape (d, d, n)."""
        return over_points(x, self._covariances(self._points(x)))

    def tangent_projection(self, x: Sequence[float] | np.ndarray) -> np.ndarray:
        """P at a point x of Γ, of shape (d, d), or at points x of shape (d, n) of shape (d, d, n)."""
        return over_points(x, tangent_projections(self.zero_loss_set, self._points(x)))

    def across(self, x: Sequence[float] | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Eigenvectors of H across Γ at x, one a column of shape (d, codimension), and their eigenvalues.

        Raises
        ------
        ValueError
            If they are not all positive.
        """
        N, rates = self._across(read_point(x, self.dimension, "x")[:, np.newaxis])
        return N[0], rates[0]

    def hessian(self, x: Sequence[float] | np.ndarray) -> np.ndarray:
        """H at a point x of Γ, of shape (d, d), or at points x of shape (d, n) of shape (d, d, n)."""
        return over_points(x, self._derivatives.hessian(self._points(x), self._numbers))

    def __repr__(self) -> str:
        return f"ConstrainedDiffusion({self.loss!r}, {self.noise.tolist()})"

    def __reduce__(self) -> tuple:
        return ConstrainedDiffusion, (self.loss, self.noise, self._exact_correlation, self._values)

    def _points(self, x: Sequence[float] | np.ndarray) -> np.ndarray:
        return read_points(x, self.dimension)

    def _across(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Eigenvectors across Γ at points of shape (d, n), of shape (n, d, codimension), and eigenvalues."""
        rows = normal_rows(self.zero_loss_set, points)
        H = self._derivatives.hessian(points, self._numbers)
        rates, U = np.linalg.eigh(rows @ H @ _transposed(rows))
        flat = np.flatnonzero(~(rates[:, 0] > RANK_TOLERANCE * abs(rates[:, -1])))
        flat = flat[self._is_flat(points[:, flat], H[flat]) | ~(rates[flat, 0] > 0)]
        if flat.size:
            k = flat[0]
            raise ValueError(
                f"the Hessian is not positive definite across the zero-loss set at {points[:, k].tolist()}: "
                f"its eigenvalues there are {rates[k].tolist()}"
            )
        return _transposed(rows) @ U, rates

    def _is_flat(self, points: np.ndarray, H: np.ndarray) -> np.ndarray:
        """Where H is not positive definite across Γ, with directions across it as long as F' makes them.

        Eigenvalues of H alone may be far apart where those of F'ᵀF' are, as on a hyperbola far out.
        """
        compiled, numbers = _compiled_jacobian(self.zero_loss_set)
        _, s, rows = np.linalg.svd(compiled(points, numbers), full_matrices=False)
        k = self.zero_loss_set.codimension
        N = rows[:, :k] / s[:, :k, np.newaxis]
        rates = np.linalg.eigvalsh(N @ H @ _transposed(N))
        return ~(rates[:, 0] > RANK_TOLERANCE * abs(rates[:, -1]))

    def _covariances(self, points: np.ndarray) -> np.ndarray:
        G = self._noise(points)
        return G @ self.correlation @ _transposed(G)

    def _noise(self, points: np.ndarray) -> np.ndarray:
        """G at points of shape (d, n), of shape (n, d, components)."""
        return self._numpy_noise(points, self._numbers)

    @cached_property
    def _numbers(self) -> np.ndarray:
        return parameter_numbers(self._symbols, self._values)

    @cached_property
    def _root(self) -> np.ndarray:
        """The symmetric root of the correlation."""
        values, vectors = np.linalg.eigh(self.correlation)
        return vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T

    @cached_property
    def _derivatives(self) -> LossDerivatives:
        return LossDerivatives(self.loss, self._symbols)

    @cached_property
    def _numpy_noise(self) -> AtPoints:
        return compile_points(list(self.noise), self.loss.variables, self._symbols, self.noise.shape)


def tangent_projections(zeros: ZeroLossSet, points: np.ndarray) -> np.ndarray:
    """The projections onto the kernel of F' at points of shape (d, n), of shape (n, d, d).

    Raises
    ------
    ValueError
        If the rank of F' is less than the codimension at one of them.
    """
    rows = normal_rows(zeros, points)
    return np.eye(len(points)) - _transposed(rows) @ rows


def normal_rows(zeros: ZeroLossSet, points: np.ndarray) -> np.ndarray:
    """Orthonormal rows across Γ at points of shape (d, n), of shape (n, codimension, d)."""
    compiled, numbers = _compiled_jacobian(zeros)
    return normal_space(compiled(points, numbers), zeros.codimension, points)


_jacobians: WeakKeyDictionary[ZeroLossSet, tuple[AtPoints, np.ndarray]] = WeakKeyDictionary()


def _compiled_jacobian(zeros: ZeroLossSet) -> tuple[AtPoints, np.ndarray]:
    """F' as a function of points and parameters, and the values of these."""
    if zeros not in _jacobians:
        numbers = parameter_numbers(zeros.parameter_symbols, zeros.parameters)
        _jacobians[zeros] = zero_set_jacobian(zeros), numbers
    return _jacobians[zeros]


def _transposed(matrices: np.ndarray) -> np.ndarray:
    return matrices.swapaxes(-1, -2)
