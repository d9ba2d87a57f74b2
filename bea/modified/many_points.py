"""Expressions, derivatives of a loss and the geometry of its zero-loss set at many points at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations_with_replacement, permutations

import numpy as np
import sympy

from bea.systems.derivatives import jacobian, partial_derivatives
from bea.systems.evaluation import read_point
from bea.systems.loss import Loss
from bea.systems.squares import weighted_squares
from bea.systems.zero_loss_set import ZeroLossSet

__all__ = [
    "RANK_TOLERANCE",
    "AtPoints",
    "LossDerivatives",
    "compile_points",
    "normal_space",
    "over_points",
    "read_points",
    "zero_set_jacobian",
]

#: Below this share of the largest, a singular value of F' or an eigenvalue of the Hessian counts as zero.
RANK_TOLERANCE = 1e-9

#: A tensor of derivatives at many points holds at most so many numbers at a time.
_NUMBERS = 2**22

#: A function of points of shape (d, n) and of parameters, whose value has a shape that begins with n.
AtPoints = Callable[[np.ndarray, np.ndarray], np.ndarray]


def compile_points(
    expressions: Sequence[sympy.Expr],
    variables: Sequence[sympy.Symbol],
    parameters: Sequence[sympy.Symbol],
    shape: tuple[int, ...],
) -> AtPoints:
    """A function of points of shape (d, n) and of parameters, whose value has the shape (n, *shape).

    Examples
    --------
    >>> from sympy.abc import x, y
    >>> compile_points([x*y, x + y], [x, y], [], (2,))(np.array([[1.0, 2.0, 3.0], [4, 5, 6]]), np.empty(0))
    array([[ 4.,  5.],
           [10.,  7.],
           [18.,  9.]])
    """
    parts, results = sympy.cse(list(expressions), list=False, order="none")
    flat = [*results, *(value for _, value in parts)]
    arguments = [list(variables), list(parameters)]
    modules = ["scipy", "numpy"]
    function = sympy.lambdify(arguments, flat, modules, cse=lambda _: (parts, results))

    def value(x: np.ndarray, p: np.ndarray) -> np.ndarray:
        n = x.shape[1]
        numbers = np.empty((n, len(results)))
        with np.errstate(all="ignore"):
            for column, part in enumerate(function(x, p)):
                numbers[:, column] = _real(part, x)
        return numbers.reshape(n, *shape)

    return value


def _real(numbers: object, x: np.ndarray) -> np.ndarray:
    """Numbers whose imaginary part is zero, or a sentence that says at which point it is not."""
    array = np.asarray(numbers)
    if array.dtype.kind == "c":
        wrong = np.flatnonzero(np.broadcast_to(array.imag != 0, x.shape[1:]))
        if wrong.size:
            raise ValueError(f"a value at {x[:, wrong[0]].tolist()} is not real")
        array = array.real
    return np.asarray(array, dtype=float)


def read_points(x: Sequence[float] | np.ndarray, dimension: int) -> np.ndarray:
    """One point of shape (d,), or n of them of shape (d, n), as an array of shape (d, n)."""
    array = np.asarray(x)
    if array.ndim != 2:
        return read_point(x, dimension, "x")[:, np.newaxis]
    if array.shape[0] != dimension:
        raise ValueError(f"x must have shape ({dimension},) or ({dimension}, n), not {array.shape}")
    return read_point(array.ravel(), array.size, "x").reshape(array.shape)


def over_points(x: Sequence[float] | np.ndarray, values: np.ndarray) -> np.ndarray:
    """Values of shape (n, …) at points x: of shape (…) where x is one point, else of shape (…, n)."""
    return np.moveaxis(values, 0, -1) if np.ndim(x) == 2 else values[0]


def normal_space(J: np.ndarray, codimension: int, x: np.ndarray) -> np.ndarray:
    """Orthonormal rows that span those of F', of shape (n, codimension, d), for F' of shape (n, m, d).

    Raises
    ------
    ValueError
        If the rank of F' is less than the codimension at one of the points x, which have the shape (d, n).
    """
    if J.shape[1] == 1:
        s = np.linalg.norm(J, axis=2)
        with np.errstate(all="ignore"):
            rows = J / s[:, :, np.newaxis]
    else:
        _, s, rows = np.linalg.svd(J, full_matrices=False)
        rows = rows[:, :codimension]
    singular = np.flatnonzero(~(s[:, codimension - 1] > RANK_TOLERANCE * s[:, 0]))
    if singular.size:
        raise ValueError(f"the zero-loss set is singular at {x[:, singular[0]].tolist()}")
    return rows


class LossDerivatives:
    """The Hessian and the third derivative of a loss at points where it vanishes.

    Those of a sum of squares follow from the first two derivatives of its residuals.

    Parameters
    ----------
    loss : Loss
    symbols : sequence of sympy.Symbol
        The parameters, in the order in which their values are passed.
    """

    def __init__(self, loss: Loss, symbols: Sequence[sympy.Symbol]) -> None:
        squares = weighted_squares(loss.expression)
        kind = _Whole(loss, symbols) if squares is None else _OfSquares(squares, loss, symbols)
        self._kind: _Whole | _OfSquares = kind

    def hessian(self, x: np.ndarray, p: np.ndarray) -> np.ndarray:
        """H at points x of shape (d, n), of shape (n, d, d)."""
        return self._kind.hessian(x, p)

    def bend(self, x: np.ndarray, p: np.ndarray, *S: np.ndarray) -> list[np.ndarray]:
        """∂²(∇L)[S] at points x of shape (d, n), of shape (n, d), for symmetric S of shape (n, d, d)."""
        length = max(1, _NUMBERS // self._kind.size)
        slices = [slice(first, first + length) for first in range(0, max(1, x.shape[1]), length)]
        parts = [self._kind.bend(x[:, s], p, [matrices[s] for matrices in S]) for s in slices]
        return [np.concatenate(values) for values in zip(*parts, strict=True)]


class _OfSquares:
    """The derivatives of a sum of squares Σ c_m r_m² where it vanishes."""

    def __init__(
        self, squares: Sequence[tuple[sympy.Expr, sympy.Expr]], loss: Loss, symbols: Sequence[sympy.Symbol]
    ) -> None:
        w, m, d = loss.variables, len(squares), loss.dimension
        slopes = jacobian([r for _, r in squares], w)
        entries = {
            (k, i, j): entry
            for k, row in enumerate(slopes)
            for i in range(d)
            for j, entry in enumerate(partial_derivatives(row[i], w[i:]), start=i)
            if entry != 0
        }
        self.size = m * d * d
        self.weights = np.array([2 * float(c) for c, _ in squares])
        self.places = np.array(list(entries), dtype=int).reshape(-1, 3)
        self.slopes = compile_points([e for row in slopes for e in row], w, symbols, (m, d))
        self.values = compile_points(list(entries.values()), w, symbols, (len(entries),))

    def hessian(self, x: np.ndarray, p: np.ndarray) -> np.ndarray:
        J = self.slopes(x, p)
        return (J * self.weights[:, np.newaxis]).swapaxes(1, 2) @ J

    def bend(self, x: np.ndarray, p: np.ndarray, S: Sequence[np.ndarray]) -> list[np.ndarray]:
        J = self.slopes(x, p)
        n, m, d = J.shape
        weighted = J * self.weights[:, np.newaxis]
        R = np.zeros((n, m, d, d))
        k, i, j = self.places.T
        R[:, k, i, j] = R[:, k, j, i] = self.values(x, p)
        bent = []
        for matrix in S:
            directions = matrix @ weighted.swapaxes(1, 2)  # of shape (n, d, m)
            twice = 2 * np.einsum("nmij,njm->ni", R, directions, optimize=True)
            traces = R.reshape(n, m, d * d) @ matrix.reshape(n, d * d, 1)
            bent.append(twice + (traces.swapaxes(1, 2) @ weighted)[:, 0])
        return bent


class _Whole:
    """The derivatives of a loss of any form."""

    def __init__(self, loss: Loss, symbols: Sequence[sympy.Symbol]) -> None:
        H, w, d = loss.hessian, loss.variables, loss.dimension
        rows = {
            (i, j): partial_derivatives(H[i, j], w[j:]) for i, j in combinations_with_replacement(range(d), 2)
        }
        entries = {(i, j, j + k): e for (i, j), row in rows.items() for k, e in enumerate(row) if e != 0}
        self.size = d**3
        self.hessian = compile_points(list(H), w, symbols, (d, d))
        self.places = np.array(list(entries), dtype=int).reshape(-1, 3)
        self.values = compile_points(list(entries.values()), w, symbols, (len(entries),))

    def bend(self, x: np.ndarray, p: np.ndarray, S: Sequence[np.ndarray]) -> list[np.ndarray]:
        d, n = x.shape
        tensor = np.zeros((n, d, d, d))
        values = self.values(x, p)
        for order in permutations(range(3)):
            i, j, k = self.places[:, order].T
            tensor[:, i, j, k] = values
        return [(tensor.reshape(n, d, d * d) @ matrix.reshape(n, d * d, 1))[:, :, 0] for matrix in S]


def zero_set_jacobian(zeros: ZeroLossSet) -> AtPoints:
    """F' as a function of points and parameters, of shape (n, m, d)."""
    entries = [entry for r in zeros.residuals for entry in partial_derivatives(r, zeros.variables)]
    shape = len(zeros.residuals), len(zeros.variables)
    return compile_points(entries, zeros.variables, zeros.parameter_symbols, shape)
