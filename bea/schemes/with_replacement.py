"""Stochastic gradient descent on minibatches that are drawn with replacement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bea.schemes.gradient_descent import GradientDescent
from bea.schemes.parts import PartScheme, mean_of
from bea.schemes.scheme import Arithmetic, Scheme

__all__ = ["WithReplacement"]


@dataclass(frozen=True, repr=False)
class WithReplacement(PartScheme):
    """Stochastic gradient descent that draws a minibatch afresh for every update [1]_.

    One step is one update, on one of the m losses of a `LossSum`. The mean over the draw follows the gradient
    flow of C + (h/4)‖∇C‖², with C = (1/m) Σ_k E_k: the same as for gradient descent on the mean loss, and
    without the sum of ‖∇E_k‖² that shuffling brings [2]_.

    Parameters
    ----------
    inner : Scheme, optional
        The scheme without memory for one update; by default gradient descent, and the exact flow for None.

    Raises
    ------
    TypeError, ValueError
        If `inner` is no scheme without memory.

    Notes
    -----
    `step` is the mean over the draw, which is what `bea.modified_equation` and iterates in arbitrary
    precision use; `draw` yields the random parts. Iterates of the mean map and means of random iterates
    differ from the second step on, by O(h³).

    References
    ----------
    .. [1] H. Robbins and S. Monro (1951), A stochastic approximation method, Annals of Mathematical
           Statistics 22, 400–407.
    .. [2] S. L. Smith, B. Dherin, D. G. T. Barrett and S. De (2021), On the origin of implicit
           regularization in stochastic gradient descent, International Conference on Learning
           Representations, Section 2.

    Examples
    --------
    >>> import bea
    >>> batches = bea.LossSum(["x**2", "(x - y)**2"], variables="x y")
    >>> bea.modified_equation(batches, bea.WithReplacement(), order=1).loss.terms[1]
    5*x**2/4 - 3*x*y/2 + y**2/2
    """

    inner: Scheme | None = field(default_factory=GradientDescent)

    name = "with-replacement"

    def draw(self, parts: int, steps: int, rng: np.random.Generator) -> np.ndarray:
        """The random parts, an integer array of shape (steps, 1)."""
        return rng.integers(parts, size=(steps, 1))

    def step(self, field: Any, x: Sequence[Any], h: Any, arithmetic: Arithmetic) -> list[Any]:
        """The mean of an update over all parts."""
        ends = [self.part_step(field, x, h, arithmetic, part) for part in range(len(field.parts))]
        return mean_of(ends, arithmetic)
