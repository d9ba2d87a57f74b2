"""Continuous solutions: the polynomials of every step, as one function of time."""

from __future__ import annotations

import numpy as np

__all__ = ["DenseOutput"]


class DenseOutput:
    """The solution between the steps of an integration, as a function of time.

    Parameters
    ----------
    t : array of shape (n + 1,)
        The times of the steps, in the order of integration.
    states : array of shape (n, d)
        The state at the start of each step.
    coefficients : array of shape (n, q, d)
        F such that x(t + θh) = x + θ(F₀ + (1 − θ)(F₁ + θ(F₂ + (1 − θ)(F₃ + …)))).

    References
    ----------
    .. [1] E. Hairer, S. P. Nørsett, G. Wanner, Solving Ordinary Differential Equations I, 2nd ed., Springer,
           1993, Section II.6.

    Examples
    --------
    >>> from bea.numerics import flow
    >>> from bea.systems import VectorField
    >>> solution = flow(VectorField(["-x"], variables="x"), [1.0], (0, 1), dense_output=True)
    >>> bool(abs(solution.sol(0.5)[0] - np.exp(-0.5)) < 1e-10)
    True
    """

    def __init__(self, t: np.ndarray, states: np.ndarray, coefficients: np.ndarray) -> None:
        self.ts = t
        self.t_min, self.t_max = float(min(t[0], t[-1])), float(max(t[0], t[-1]))
        self._states = states
        self._coefficients = coefficients

    def __call__(self, t: float | np.ndarray) -> np.ndarray:
        """The state at each time `t`.

        Parameters
        ----------
        t : float or array of shape (n,)

        Returns
        -------
        x : array of shape (d,) or (d, n)

        Raises
        ------
        ValueError
            If a time lies outside the interval that was integrated.
        """
        times = np.asarray(t, dtype=float)
        if times.ndim > 1:
            raise ValueError(
                f"t must be a number or a sequence of numbers, not an array of shape {times.shape}"
            )
        if not ((times >= self.t_min) & (times <= self.t_max)).all():
            raise ValueError(f"t must lie between {self.t_min} and {self.t_max}, where the solution is known")
        direction = 1.0 if self.ts[-1] >= self.ts[0] else -1.0
        steps = np.searchsorted(direction * self.ts[1:-1], direction * times, side="left")
        start, end = self.ts[steps], self.ts[steps + 1]
        theta = ((times - start) / (end - start))[..., np.newaxis]
        value = np.zeros_like(self._states[steps])
        for q in reversed(range(self._coefficients.shape[1])):
            value = (value + self._coefficients[steps, q]) * (theta if q % 2 == 0 else 1 - theta)
        return (self._states[steps] + value).T
