"""The set on which a loss vanishes, given as the common zeros of residuals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from numbers import Real
from typing import Any

import numpy as np
import sympy

from bea.systems.derivatives import partial_derivatives
from bea.systems.evaluation import compile_numpy, parameter_numbers, read_point
from bea.systems.expressions import Value, named_symbols, read_expressions, read_parameters
from bea.systems.traversal import free_symbols

__all__ = ["ZeroLossSet"]

#: Below this share of the largest, a singular value of F' counts as zero.
RANK_TOLERANCE = 1e-8

#: The surroundings of x are at this distance, relative to 1 + ‖x‖.
SURROUNDINGS = 1e-3

#: Below this share of its size in the surroundings, a singular value of F' counts as zero. At singular zeros
#: that are known up to rounding, to half of the digits, it lies below.
SINGULAR_SHARE = 1e-4


class ZeroLossSet:
    r"""The set Γ = {x : F(x) = 0} of the common zeros of residuals F: Rᵈ → Rᵐ.

    Where F' has the rank `codimension`, Γ is a manifold of dimension d − codimension, and its tangent space
    is the kernel of F'. A sum of squares of residuals vanishes exactly on Γ.

    Parameters
    ----------
    residuals : sequence of str or sympy.Expr, length m
        The components of F. Text is parsed, never evaluated; decimals are read exactly (0.6 is 3/5).
    variables : str or sequence of str or sympy.Symbol, length d
        The names of the variables, such as ``"a b"``.
    parameters : mapping from name to number, optional
        Values for parameters: the free symbols that are no variables.
    codimension : int, optional
        The rank of F' at the regular points of Γ, by default m. It is less than m when residuals depend on
        one another along Γ.
    description : str, optional
        What Γ is, in a few words.

    Attributes
    ----------
    residuals, variables : tuple of sympy.Expr, tuple of sympy.Symbol
    parameters : dict from str to sympy.Expr
    parameter_symbols : tuple of sympy.Symbol
        All parameters, sorted by name, with or without a value.
    codimension : int
    description : str

    Raises
    ------
    ValueError, TypeError
        If text does not parse, there is no residual, the codimension is none, or a value is no real number.

    Examples
    --------
    >>> import bea
    >>> circle = bea.ZeroLossSet(["x**2 + y**2 - 1"], variables="x y")
    >>> circle.dimension
    1
    >>> circle.contains([0.6, 0.8]), circle.contains([0.6, 0.7])
    (True, False)
    >>> circle.tangent_projection([1.0, 0.0])
    array([[0., 0.],
           [0., 1.]])
    """

    def __init__(
        self,
        residuals: Sequence[object],
        variables: str | Sequence[str | sympy.Symbol],
        parameters: Mapping[Any, object] | None = None,
        codimension: int | None = None,
        description: str = "",
    ) -> None:
        if isinstance(residuals, str):
            raise TypeError("a zero-loss set takes a sequence of residuals, not one text")
        sources = list(residuals)
        if not sources:
            raise ValueError("a zero-loss set needs at least one residual, but none was given")
        self.variables = named_symbols(variables, sources, "variables")
        names = {v.name: v for v in self.variables}
        self.residuals = read_expressions(sources, names)
        self.parameter_symbols, self.parameters = read_parameters(
            parameters, free_symbols(self.residuals), self.variables
        )
        self.codimension = self._read_codimension(codimension)
        self.description = description

    def _read_codimension(self, codimension: int | None) -> int:
        m, d = len(self.residuals), len(self.variables)
        rank = m if codimension is None else codimension
        if isinstance(rank, bool) or not isinstance(rank, (int, np.integer)):
            raise TypeError(f"the codimension is an integer, not {type(rank).__name__}")
        if not 1 <= rank <= min(m, d):
            raise ValueError(
                f"the codimension of the zeros of {m} residuals in {d} variables lies between 1 and "
                f"{min(m, d)}, but {'by default it is' if codimension is None else 'it was given as'} {rank}"
            )
        return int(rank)

    @property
    def dimension(self) -> int:
        """The dimension d − codimension of Γ at its regular points."""
        return len(self.variables) - self.codimension

    def with_parameters(self, **values: Value) -> ZeroLossSet:
        """The same set with further parameter values, which replace earlier ones."""
        known = {**self.parameters, **values}
        return ZeroLossSet(self.residuals, self.variables, known, self.codimension, self.description)

    def residual(self, x: Sequence[float] | np.ndarray) -> np.ndarray:
        """The value F(x), of shape (m,)."""
        return self._F(read_point(x, len(self.variables), "x"))

    def jacobian(self, x: Sequence[float] | np.ndarray) -> np.ndarray:
        """The matrix F'(x) of partial derivatives, of shape (m, d)."""
        return self._dF(read_point(x, len(self.variables), "x"))

    def contains(self, x: Sequence[float] | np.ndarray, tolerance: float = 1e-9) -> bool:
        """Whether x lies on Γ, up to `tolerance` · (1 + ‖x‖).

        Parameters
        ----------
        x : array_like, shape (d,)
        tolerance : float, optional
            The admitted distance from Γ, relative to 1 + ‖x‖.

        Notes
        -----
        The distance is measured to first order, as the length of F'(x)⁺F(x), with a pseudo-inverse of
        rank `codimension`. A loss ½‖F‖² is the square of a distance, so that comparing its value with a
        tolerance would count points as zeros that lie far away. What of F(x) no small move can remove (a part
        outside the range of F') must itself be small: at most ‖F'(x)‖ times the admitted distance.
        """
        point = read_point(x, len(self.variables), "x")
        admitted = _read_tolerance(tolerance) * (1 + np.linalg.norm(point))
        F, J = self._F(point), self._dF(point)
        if not (np.isfinite(F).all() and np.isfinite(J).all()):
            return False
        step = self._pseudo_solve(J, F)
        return bool(
            np.linalg.norm(step) <= admitted
            and np.linalg.norm(F - J @ step) <= np.linalg.norm(J, 2) * admitted
        )

    def retract(self, x: Sequence[float] | np.ndarray) -> np.ndarray:
        """A point of Γ near x, by damped Gauss–Newton steps x ← x − F'(x)⁺F(x).

        Parameters
        ----------
        x : array_like, shape (d,)

        Returns
        -------
        numpy.ndarray, shape (d,)
            To first order in the distance, the point of Γ nearest to x.

        Raises
        ------
        RuntimeError
            If the steps from x do not arrive at Γ.
        """
        start = read_point(x, len(self.variables), "x")
        end = self._gauss_newton(start)
        if end is None:
            raise RuntimeError(f"Gauss–Newton steps from {start.tolist()} do not reach the zero-loss set")
        return end

    def sample(self, n: int, rng: int | np.random.Generator | None = None, scale: float = 1.0) -> np.ndarray:
        """Regular points of Γ, each a Gaussian start carried there by `retract`.

        Parameters
        ----------
        n : int
            The number of points.
        rng : int or numpy.random.Generator, optional
            A seed or a generator; one seed gives the same points again.
        scale : float, optional
            The standard deviation of every coordinate of the starts.

        Returns
        -------
        numpy.ndarray, shape (n, d)
            Zeros of F to rounding, at which F' has the rank `codimension`. Starts that lead to none are
            replaced.

        Raises
        ------
        RuntimeError
            If so few starts lead to a regular point that Γ seems to be empty or of another codimension.
        """
        if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 0:
            raise ValueError(f"the number of points must be a nonnegative integer, not {n!r}")
        if not isinstance(scale, Real) or isinstance(scale, bool):
            raise TypeError(f"scale must be a number, not {scale!r}")
        if not 0 < scale < np.inf:
            raise ValueError(f"scale must be a positive number, not {scale!r}")
        generator = np.random.default_rng(rng)
        points: list[np.ndarray] = []
        starts = 100 + 20 * n
        for _ in range(starts):
            if len(points) == n:
                break
            end = self._gauss_newton(scale * generator.standard_normal(len(self.variables)))
            if end is not None and self._is_regular(end):
                points.append(end)
        if len(points) < n:
            raise RuntimeError(
                f"{starts} starts led to {len(points)} regular points of the zero-loss set, not to {n}: "
                f"it may be empty, or its codimension may not be {self.codimension}"
            )
        return np.array(points).reshape(n, len(self.variables))

    def tangent_basis(self, x: Sequence[float] | np.ndarray) -> np.ndarray:
        """An orthonormal basis of the kernel of F'(x), the tangent space of Γ at a point of it.

        Parameters
        ----------
        x : array_like, shape (d,)

        Returns
        -------
        numpy.ndarray, shape (d, dimension)
            One vector a column.

        Raises
        ------
        ValueError
            If F'(x) does not have the rank `codimension`: Γ has no tangent space of that dimension there.
        """
        point = read_point(x, len(self.variables), "x")
        if not self._is_regular(point):
            raise ValueError(
                f"the zero-loss set has no tangent space of dimension {self.dimension} at {point.tolist()}: "
                f"the rank of F' is not {self.codimension} there"
            )
        return np.linalg.svd(self._dF(point))[2][self.codimension :].T

    def tangent_projection(self, x: Sequence[float] | np.ndarray) -> np.ndarray:
        """The orthogonal projection P onto the tangent space of Γ at x.

        Parameters
        ----------
        x : array_like, shape (d,)

        Returns
        -------
        numpy.ndarray, shape (d, d)
            Symmetric, of rank `dimension`, with P² = P.

        Raises
        ------
        ValueError
            If Γ has no tangent space of that dimension at x.
        """
        T = self.tangent_basis(x)
        return T @ T.T

    def _is_regular(self, x: np.ndarray) -> bool:
        """Whether the singular values of F'(x) fall off after the first `codimension`, and only there.

        The least that is kept must not be small beside that in the surroundings of x either: at a singular
        point that is met up to rounding all of them are.
        """
        J = self._dF(x)
        if not np.isfinite(J).all():
            return False
        values = np.linalg.svd(J, compute_uv=False)
        kept, dropped = values[: self.codimension], values[self.codimension :]
        gap = not dropped.size or dropped[0] <= 1e-3 * kept[-1]
        least = max(RANK_TOLERANCE * kept[0], SINGULAR_SHARE * self._least_kept_around(x))
        return bool(kept[-1] > least and gap)

    def _least_kept_around(self, x: np.ndarray) -> float:
        """Singular value number `codimension` of F' around x: the larger one of two that are finite."""
        direction = np.random.default_rng(0).standard_normal(x.size)
        move = SURROUNDINGS * (1 + np.linalg.norm(x)) * direction / np.linalg.norm(direction)
        with np.errstate(all="ignore"):
            around = [self._dF(point) for point in (x - move, x + move)]
        values = [np.linalg.svd(J, compute_uv=False) for J in around if np.isfinite(J).all()]
        return max((float(v[self.codimension - 1]) for v in values), default=0.0)

    def _gauss_newton(self, x: np.ndarray) -> np.ndarray | None:
        """The zero of F that damped Gauss–Newton steps reach from x, or None."""
        with np.errstate(all="ignore"):
            F = self._F(x)
            for _ in range(100):
                J = self._dF(x)
                if not (np.isfinite(F).all() and np.isfinite(J).all()):
                    return None
                step = self._pseudo_solve(J, F)
                if np.linalg.norm(step) <= 4 * np.finfo(float).eps * np.linalg.norm(x):
                    break
                shorter = (x - step / 2**k for k in range(12))
                better = ((z, R) for z in shorter if np.linalg.norm(R := self._F(z)) < np.linalg.norm(F))
                x, F_next = next(better, (x, F))
                if F_next is F:
                    break
                F = F_next
        return x if self.contains(x) else None

    def _pseudo_solve(self, J: np.ndarray, F: np.ndarray) -> np.ndarray:
        """J⁺F with the pseudo-inverse of rank `codimension`, or less where J has less."""
        U, s, V = np.linalg.svd(J, full_matrices=False)
        rank = min(self.codimension, int(np.sum(s > max(J.shape) * np.finfo(float).eps * s[0])))
        return V[:rank].T @ (U[:, :rank].T @ F / s[:rank])

    def _F(self, x: np.ndarray) -> np.ndarray:
        return self._numpy_residuals(x, self._parameter_numbers)

    def _dF(self, x: np.ndarray) -> np.ndarray:
        return self._numpy_jacobian(x, self._parameter_numbers).reshape(len(self.residuals), -1)

    @cached_property
    def _parameter_numbers(self) -> np.ndarray:
        return parameter_numbers(self.parameter_symbols, self.parameters)

    @cached_property
    def _numpy_residuals(self):
        return compile_numpy(self.residuals, self.variables, self.parameter_symbols)

    @cached_property
    def _numpy_jacobian(self):
        entries = [entry for r in self.residuals for entry in partial_derivatives(r, self.variables)]
        return compile_numpy(entries, self.variables, self.parameter_symbols)

    def __reduce__(self) -> tuple:
        known = (self.residuals, self.variables, self.parameters, self.codimension, self.description)
        return ZeroLossSet, known

    def __repr__(self) -> str:
        residuals = ", ".join(map(str, self.residuals))
        names = " ".join(v.name for v in self.variables)
        return f"ZeroLossSet([{residuals}], variables={names!r}, codimension={self.codimension})"

    def _repr_latex_(self) -> str:
        arguments = ", ".join(map(sympy.latex, self.variables))
        equations = r",\ ".join(f"{sympy.latex(r)} = 0" for r in self.residuals)
        return rf"$\displaystyle \Gamma = \left\{{({arguments}) : {equations}\right\}}$"


def _read_tolerance(tolerance: float) -> float:
    if not isinstance(tolerance, Real) or isinstance(tolerance, bool):
        raise TypeError(f"a tolerance must be a number, not {tolerance!r}")
    if not 0 <= tolerance < np.inf:
        raise ValueError(f"a tolerance must be a nonnegative number, not {tolerance!r}")
    return float(tolerance)
