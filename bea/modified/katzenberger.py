"""Katzenberger's limit: the diffusion on the zero-loss set that noise in a strong gradient flow leaves."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from itertools import combinations_with_replacement, permutations
from typing import Any

import numpy as np
import sympy

from bea.modified.squares import Squares
from bea.systems.derivatives import partial_derivatives
from bea.systems.evaluation import compile_numpy, parameter_numbers, read_point
from bea.systems.expressions import present, read_expressions, read_parameters
from bea.systems.loss import Loss
from bea.systems.squares import weighted_squares
from bea.systems.traversal import free_symbols
from bea.systems.zero_loss_set import ZeroLossSet

__all__ = ["ConstrainedDiffusion", "tangent_projection"]

#: Below this share of the largest, an eigenvalue of the Hessian across the zero-loss set counts as zero.
RANK_TOLERANCE = 1e-9

Compiled = Callable[[np.ndarray, np.ndarray], np.ndarray]


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
        """b(x) = ½ ∂²Φ[Σ] at a point x of Γ, of shape (d,).

        Raises
        ------
        ValueError
            If the Hessian is not positive definite across Γ at x.
        """
        point = self._point(x)
        N, rates = self.across(point)
        P = np.eye(self.dimension) - N @ N.T
        S = self._covariance(self._noise(point))
        across = N.T @ S @ N / np.add.outer(rates, rates)
        pseudo_inverse = N / rates @ N.T
        mixed = pseudo_inverse @ S @ P
        along = self._bend(point, P @ S @ P)
        rest = self._bend(point, mixed + mixed.T + N @ across @ N.T)
        return -(pseudo_inverse @ along + P @ rest) / 2

    def diffusion(self, x: Sequence[float] | np.ndarray) -> np.ndarray:
        """B(x) = P G C^{1/2} at a point x of Γ, of shape (d, n): B Bᵀ = PΣP."""
        point = self._point(x)
        return tangent_projection(self.zero_loss_set, point) @ self._noise(point) @ self._root

    def covariance(self, x: Sequence[float] | np.ndarray) -> np.ndarray:
        """Σ(x) = G C Gᵀ, of shape (d, d)."""
        return self._covariance(self._noise(self._point(x)))

    def tangent_projection(self, x: Sequence[float] | np.ndarray) -> np.ndarray:
        """P at a point x of Γ, of shape (d, d)."""
        return tangent_projection(self.zero_loss_set, self._point(x))

    def across(self, x: Sequence[float] | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Eigenvectors of H across Γ at x, one a column of shape (d, codimension), and their eigenvalues.

        Raises
        ------
        ValueError
            If they are not all positive.
        """
        point = self._point(x)
        J = self.zero_loss_set.jacobian(point)
        rows = np.linalg.svd(J, full_matrices=False)[2][: self.zero_loss_set.codimension]
        rates, U = np.linalg.eigh(rows @ self.hessian(point) @ rows.T)
        if not rates[0] > RANK_TOLERANCE * abs(rates[-1]):
            raise ValueError(
                f"the Hessian is not positive definite across the zero-loss set at {point.tolist()}: "
                f"its eigenvalues there are {rates.tolist()}"
            )
        return rows.T @ U, rates

    def hessian(self, x: Sequence[float] | np.ndarray) -> np.ndarray:
        """H at a point x of Γ, of shape (d, d)."""
        point = self._point(x)
        if self._squares is not None:
            J = self._squares.slopes(point, self._numbers)
            return 2 * J.T * self._squares.weights @ J
        return self._numpy_hessian(point, self._numbers).reshape(self.dimension, self.dimension)

    def __repr__(self) -> str:
        return f"ConstrainedDiffusion({self.loss!r}, {self.noise.tolist()})"

    def __reduce__(self) -> tuple:
        return ConstrainedDiffusion, (self.loss, self.noise, self.correlation, self._values)

    def _point(self, x: Sequence[float] | np.ndarray) -> np.ndarray:
        return read_point(x, self.dimension, "x")

    def _covariance(self, G: np.ndarray) -> np.ndarray:
        return G @ self.correlation @ G.T

    def _noise(self, x: np.ndarray) -> np.ndarray:
        return self._numpy_noise(x, self._numbers).reshape(self.noise.shape)

    def _bend(self, x: np.ndarray, S: np.ndarray) -> np.ndarray:
        """∂²(∇L)[S] at a point x of Γ, for a symmetric matrix S."""
        if self._squares is not None:
            J, R = self._squares.slopes(x, self._numbers), self._squares.bends(x, self._numbers)
            weighted = 2 * self._squares.weights[:, None] * J
            twice = 2 * np.einsum("mij,jk,mk->i", R, S, weighted, optimize=True)
            return twice + np.einsum("mij,ij->m", R, S) @ weighted
        indices, compiled = self._numpy_third
        tensor = np.zeros((self.dimension,) * 3)
        if indices.size:
            values = compiled(x, self._numbers)
            for order in permutations(range(3)):
                tensor[tuple(indices[:, order].T)] = values
        return np.einsum("ijk,jk->i", tensor, S)

    @cached_property
    def _numbers(self) -> np.ndarray:
        return parameter_numbers(self._symbols, self._values)

    @cached_property
    def _root(self) -> np.ndarray:
        """The symmetric root of the correlation."""
        values, vectors = np.linalg.eigh(self.correlation)
        return vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T

    @cached_property
    def _squares(self) -> Squares | None:
        """The residuals of a sum of squares, from whose derivatives those of L on Γ follow."""
        squares = weighted_squares(self.loss.expression)
        return None if squares is None else Squares(squares, self.loss.variables, self._symbols)

    @cached_property
    def _numpy_noise(self) -> Compiled:
        return compile_numpy(list(self.noise), self.loss.variables, self._symbols)

    @cached_property
    def _numpy_hessian(self) -> Compiled:
        return compile_numpy(list(self.loss.hessian), self.loss.variables, self._symbols)

    @cached_property
    def _numpy_third(self) -> tuple[np.ndarray, Compiled]:
        """The places i ≤ j ≤ k where ∇³L is not zero, and a function for the values there."""
        H, w = self.loss.hessian, self.loss.variables
        rows = {
            (i, j): partial_derivatives(H[i, j], w[j:])
            for i, j in combinations_with_replacement(range(len(w)), 2)
        }
        entries = {(i, j, j + k): e for (i, j), row in rows.items() for k, e in enumerate(row) if e != 0}
        return np.array(list(entries)), compile_numpy(list(entries.values()), w, self._symbols)


def tangent_projection(zeros: ZeroLossSet, x: np.ndarray) -> np.ndarray:
    """The projection onto the kernel of F'(x), without the checks that `ZeroLossSet` makes.

    Raises
    ------
    ValueError
        If the rank of F'(x) is less than the codimension.
    """
    _, s, rows = np.linalg.svd(zeros.jacobian(x), full_matrices=False)
    r = zeros.codimension
    if not s[r - 1] > RANK_TOLERANCE * s[0]:
        raise ValueError(f"the zero-loss set is singular at {x.tolist()}")
    return np.eye(len(x)) - rows[:r].T @ rows[:r]
