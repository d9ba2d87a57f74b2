"""Passes over minibatches in a random order: random reshuffling."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from numbers import Integral
from typing import Any

import numpy as np

from bea.schemes.gradient_descent import GradientDescent
from bea.schemes.parts import PartScheme, mean_of
from bea.schemes.scheme import Arithmetic, Scheme

__all__ = ["RandomShuffling"]

#: Up to this number of parts the mean over all orders is taken exactly: 6! = 720.
MOST_PARTS = 6


@dataclass(frozen=True, repr=False)
class RandomShuffling(PartScheme):
    """Stochastic gradient descent whose every epoch visits the minibatches in a new random order [1]_.

    One step is an epoch of m updates with the learning rate h, on the m losses of a `LossSum`. It takes the
    time mh on the mean loss C = (1/m) Σ_k E_k. The mean over all m! orders of an epoch follows the gradient
    flow of C + (h/4m) Σ_k ‖∇E_k‖², with an error of O(m³h³) after one epoch [2]_.

    Parameters
    ----------
    inner : Scheme, optional
        The scheme without memory for one update; by default gradient descent, and the exact flow for None.
    samples : int, optional
        Where given, the mean epoch is taken over so many random orders and their reverses, and is only an
        estimate. By default it is over all orders, for at most six parts.
    seed : int, default 0
        The seed of these samples.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    Notes
    -----
    `step` is the mean over orders, which is what `bea.modified_equation` and iterates in arbitrary precision
    use. `draw` yields random orders, one an epoch. In a sample every order is joined by its reverse, so that
    each part comes before each other part equally often: the estimate then has no error in the terms of the
    modified equation through h.

    References
    ----------
    .. [1] K. Mishchenko, A. Khaled and P. Richtárik (2020), Random reshuffling: simple analysis with vast
           improvements, Advances in Neural Information Processing Systems 33, 17309–17320.
    .. [2] S. L. Smith, B. Dherin, D. G. T. Barrett and S. De (2021), On the origin of implicit
           regularization in stochastic gradient descent, International Conference on Learning
           Representations, Section 2.

    Examples
    --------
    >>> import bea
    >>> batches = bea.LossSum(["x**2", "(x - y)**2"], variables="x y")
    >>> modified = bea.modified_equation(batches, bea.RandomShuffling(), order=1).loss
    >>> modified.terms[1]
    3*x**2/2 - 2*x*y + y**2
    >>> modified.is_exact(1)
    True
    """

    inner: Scheme | None = field(default_factory=GradientDescent)
    samples: int | None = None
    seed: int = 0

    name = "random-shuffling"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.samples is not None and not _is_integer(self.samples, least=1):
            raise ValueError(f"samples must be an integer, 1 or more, or None, not {self.samples!r}")
        if not _is_integer(self.seed, least=0):
            raise ValueError(f"seed must be an integer, 0 or more, not {self.seed!r}")

    @property
    def is_sampled(self) -> bool:
        """Whether the mean epoch is an estimate from random orders."""
        return self.samples is not None

    def require(self, parts: int) -> None:
        """Refuse a system that is made of no parts, or of too many for the mean over all orders."""
        super().require(parts)
        if parts > MOST_PARTS and not self.is_sampled:
            raise ValueError(
                f"the mean over all orders is taken for at most {MOST_PARTS} parts, and there are {parts}: "
                "pass samples=..., the number of random orders to take it over"
            )

    def duration(self, parts: int) -> int:
        """An epoch takes as many step sizes as there are parts."""
        return parts

    def draw(self, parts: int, steps: int, rng: np.random.Generator) -> np.ndarray:
        """The parts in the order in which they are used, an integer array of shape (steps, parts)."""
        return rng.permuted(np.tile(np.arange(parts), (steps, 1)), axis=1)

    def step(self, field: Any, x: Sequence[Any], h: Any, arithmetic: Arithmetic) -> list[Any]:
        """The mean of an epoch over all orders of the parts, or over those of the sample."""
        parts = len(field.parts)
        move = partial(self.part_step, field, h=h, arithmetic=arithmetic)
        if self.samples is None:
            return _mean_over_orders(move, list(x), tuple(range(parts)), arithmetic)
        ends = []
        for drawn in self.draw(parts, self.samples, np.random.default_rng(self.seed)):
            for order in (drawn, drawn[::-1]):
                point = list(x)
                for part in order:
                    point = move(point, part=int(part))
                ends.append(point)
        return mean_of(ends, arithmetic)


def _mean_over_orders(
    move: Callable[..., list[Any]], x: list[Any], remaining: tuple[int, ...], arithmetic: Arithmetic
) -> list[Any]:
    """The mean end of all orders of the remaining parts; orders that begin alike share their beginning."""
    if not remaining:
        return x
    ends = []
    for part in remaining:
        rest = tuple(other for other in remaining if other != part)
        ends.append(_mean_over_orders(move, move(x, part=part), rest, arithmetic))
    return mean_of(ends, arithmetic)


def _is_integer(value: object, least: int) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= least
