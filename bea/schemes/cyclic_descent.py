"""Passes over minibatches in a fixed order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bea.schemes.gradient_descent import GradientDescent
from bea.schemes.parts import PartScheme, ordered_parts, read_sequence
from bea.schemes.scheme import Arithmetic, Scheme

__all__ = ["CyclicDescent"]


@dataclass(frozen=True, repr=False)
class CyclicDescent(PartScheme):
    """Gradient descent on one minibatch after the other, in the same order in every epoch [1]_.

    One step is an epoch of m updates with the learning rate h, on the m losses of a `LossSum`. It takes the
    time mh on the mean loss C = (1/m) Σ_k E_k. The modified field is −∇(C + (h/4m) Σ_k ‖∇E_k‖²) and a sum of
    commutators, (h/2m) Σ_{j<k} (H_k g_j − H_j g_k), that a random order does away with in the mean [2]_.

    Parameters
    ----------
    inner : Scheme, optional
        The scheme without memory for one update; by default gradient descent, and the exact flow for None.
    sequence : sequence of int, optional
        The parts in the order in which they are used, counted from 0; by default as they are given.

    Raises
    ------
    TypeError, ValueError
        If `inner` is no scheme without memory, or `sequence` holds no integers.

    References
    ----------
    .. [1] D. P. Bertsekas (2011), Incremental gradient, subgradient, and proximal methods for convex
           optimization: a survey, in Optimization for Machine Learning, MIT Press, 85–119.
    .. [2] S. L. Smith, B. Dherin, D. G. T. Barrett and S. De (2021), On the origin of implicit
           regularization in stochastic gradient descent, International Conference on Learning
           Representations, Section 2.

    Examples
    --------
    >>> import bea
    >>> batches = bea.LossSum(["x**2", "(x - y)**2"], variables="x y")
    >>> equation = bea.modified_equation(batches, bea.CyclicDescent(), order=1)
    >>> equation.loss.terms[0]
    x**2 - x*y + y**2/2
    >>> equation.loss.is_exact(1)
    False
    """

    inner: Scheme | None = field(default_factory=GradientDescent)
    sequence: Sequence[int] | None = None

    name = "cyclic-descent"

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "sequence", read_sequence(self.sequence, type(self).__name__))

    def require(self, parts: int) -> None:
        """Refuse a system that is made of no parts, or of others than the sequence names."""
        super().require(parts)
        ordered_parts(self.sequence, parts)

    def duration(self, parts: int) -> int:
        """An epoch takes as many step sizes as there are parts."""
        return parts

    def draw(self, parts: int, steps: int, rng: np.random.Generator) -> np.ndarray:
        """The parts in the order in which they are used, an integer array of shape (steps, parts)."""
        return np.tile(np.array(ordered_parts(self.sequence, parts), dtype=int), (steps, 1))

    def step(self, field: Any, x: Sequence[Any], h: Any, arithmetic: Arithmetic) -> list[Any]:
        """One epoch: an update along every part in turn."""
        point = list(x)
        for part in ordered_parts(self.sequence, len(field.parts)):
            point = self.part_step(field, point, h, arithmetic, part)
        return point
