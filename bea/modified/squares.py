"""The derivatives of the residuals of a sum of squares."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import combinations_with_replacement

import numpy as np
import sympy

from bea.systems.derivatives import jacobian
from bea.systems.evaluation import compile_numpy

__all__ = ["Squares"]


class Squares:
    """A sum of squares Σ c_m r_m² as a source of first and second derivatives of its residuals.

    Parameters
    ----------
    squares : sequence of pairs (c, r) of sympy.Expr
    variables, parameters : sequence of sympy.Symbol

    Attributes
    ----------
    weights : numpy.ndarray of shape (m,)
        The numbers c.
    """

    def __init__(
        self,
        squares: Sequence[tuple[sympy.Expr, sympy.Expr]],
        variables: Sequence[sympy.Symbol],
        parameters: Sequence[sympy.Symbol],
    ) -> None:
        self.weights = np.array([float(c) for c, _ in squares])
        self.variables = tuple(variables)
        self.parameters = tuple(parameters)
        self._slopes = jacobian([r for _, r in squares], variables)

    def slopes(self, x: np.ndarray, p: np.ndarray) -> np.ndarray:
        """The derivatives of the residuals, of shape (m, d)."""
        return self._numpy_slopes(x, p).reshape(len(self.weights), -1)

    def bends(self, x: np.ndarray, p: np.ndarray) -> np.ndarray:
        """The second derivatives of the residuals, of shape (m, d, d)."""
        d = len(self.variables)
        places, compiled = self._numpy_bends
        tensor = np.zeros((len(self.weights), d, d))
        if places.size:
            m, i, j = places.T
            tensor[m, i, j] = tensor[m, j, i] = compiled(x, p)
        return tensor

    @cached_property
    def _numpy_slopes(self):
        return compile_numpy([e for row in self._slopes for e in row], self.variables, self.parameters)

    @cached_property
    def _numpy_bends(self):
        """The places i ≤ j where second derivatives are not zero, and a function for the values there."""
        rows = [jacobian(slopes, self.variables) for slopes in self._slopes]
        pairs = list(combinations_with_replacement(range(len(self.variables)), 2))
        entries = {(m, i, j): H[i][j] for m, H in enumerate(rows) for i, j in pairs if H[i][j] != 0}
        return np.array(list(entries)), compile_numpy(list(entries.values()), self.variables, self.parameters)
