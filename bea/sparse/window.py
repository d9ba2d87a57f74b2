"""The early-stopping window: between the support being found and the rest growing up."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from bea.sparse.kernels import watch
from bea.sparse.network import (
    Group,
    compress,
    read_alpha,
    read_depth,
    read_records,
    read_signed,
    smaller_step,
)
from bea.sparse.problems import Problem, read_positive

__all__ = ["Window", "early_stopping_window"]

RULES = ("absolute", "signed")


@dataclass(frozen=True)
class Window:
    """The window in which to stop.

    Attributes
    ----------
    start : int or None
        The first iterate that is near w* on the support; None if no iterate was.
    stop : int or None
        The first iterate that is large off the support; None if no iterate was.
    width : int or None
        stop − start, negative if the rest grows first; None if an end was not found.
    steps_made : int
        How many steps were made; both ends found, no more are.
    diverged_at : int or None
        The first iterate that diverged.
    rule : str
    tolerance, threshold : float
        What near and large mean.
    depth, steps, alpha, step_size
        The arguments.
    """

    start: int | None
    stop: int | None
    steps_made: int
    diverged_at: int | None
    rule: str
    tolerance: float
    threshold: float
    depth: int
    steps: int
    alpha: float
    step_size: float

    @property
    def width(self) -> int | None:
        """stop − start."""
        return None if self.start is None or self.stop is None else self.stop - self.start


def early_stopping_window(
    X: ArrayLike,
    y: ArrayLike,
    w_star: ArrayLike,
    *,
    depth: int,
    alpha: float | None = None,
    initial_scale: float | None = None,
    step_size: float,
    steps: int,
    rule: str = "absolute",
    signed: bool = True,
    tolerance: float = 0.1,
    threshold: float | None = None,
) -> Window:
    """When gradient descent on a diagonal network has found the support, and when it begins to overfit.

    The window starts at the first iterate with max |w_j − w*_j| < 0.1 over the support, and stops at the
    first one at which the rest exceeds α^(N/4): its max |w_j| by the absolute rule, its max w_j by the signed
    rule.

    Parameters
    ----------
    X, y, w_star : array_like
        The data, as for `Problem`.
    depth, alpha, initial_scale, step_size, signed
        As for `descend`.
    steps : int
        The most steps to make.
    rule : {"absolute", "signed"}, optional
        Whether negative weights off the support stop the window. The absolute rule is the one of the
        theorem; scripts that compare w_j itself follow the signed rule, which never stops earlier.
    tolerance : float, optional
        What is near on the support.
    threshold : float, optional
        What is large off the support, by default α^(N/4).

    Returns
    -------
    Window

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described, if w* has no zero or no other entry, or if the threshold is left
        to α ≥ 1, for which α^(N/4) is no small number.

    Warns
    -----
    RuntimeWarning
        If the iterates diverge before both ends are found: it names a step size that was tried and works.

    References
    ----------
    .. [1] J. Li, T. V. Nguyen, C. Hegde and R. K. W. Wong, "Implicit sparse regularization: the impact of
       depth and early stopping", Advances in Neural Information Processing Systems, 2021.

    Examples
    --------
    >>> import bea
    >>> data = bea.sparse.problem(60, 100, signal=[1, 1, 1], noise=0.5)
    >>> window = bea.sparse.early_stopping_window(
    ...     data.X, data.y, data.w_star, depth=2, alpha=0.005, step_size=0.01, steps=3000)
    >>> window.start < window.stop
    True
    """
    data, N = Problem(np.asarray(X), np.asarray(y), np.asarray(w_star)), read_depth(depth)
    signed = read_signed(signed)
    if rule not in RULES:
        raise ValueError(f"rule must be one of {', '.join(RULES)}, not {rule!r}")
    order = np.argsort(~data.support, kind="stable")
    k = int(data.support.sum())
    if not 0 < k < data.p:
        raise ValueError("w_star must have entries that are zero and entries that are not")
    start = read_alpha(alpha, initial_scale, N)
    if start.ndim:
        raise TypeError("alpha and initial_scale must be one number")
    if threshold is None and start >= 1:
        raise ValueError(f"alpha^(depth/4) bounds nothing for alpha = {start:g} ≥ 1; give threshold=")
    large = float(start ** (N / 4)) if threshold is None else read_positive(threshold, "threshold")
    near, eta = read_positive(tolerance, "tolerance"), read_positive(step_size, "step_size")
    steps, recorder = read_records(data, steps, [], "linear", [])
    whole = compress(data.X[:, order], data.y[None])
    group = Group(whole, N, signed, start[None], np.array([eta]), recorder)
    found = _watch(group, data.truth[order], k, (near, large), rule == "signed", steps)
    window = Window(
        start=found[0],
        stop=found[1],
        steps_made=int(group.clock[0]),
        diverged_at=None if group.diverged[0] < 0 else int(group.diverged[0]),
        rule=rule,
        tolerance=near,
        threshold=large,
        depth=N,
        steps=steps,
        alpha=float(start),
        step_size=eta,
    )
    if window.diverged_at is not None:
        remedy = smaller_step(whole, N, signed, start, eta, steps, window.diverged_at)
        warnings.warn(
            f"the iterates diverged at iterate {window.diverged_at}; {remedy}", RuntimeWarning, stacklevel=2
        )
    return window


def _watch(
    group: Group, w_star: np.ndarray, k: int, levels: tuple[float, float], signed_rule: bool, steps: int
) -> list[int | None]:
    """Both ends of the window, chunk by chunk, so that an interrupt is heard."""
    found = np.full(2, -1)
    while True:
        last = min(int(group.clock[0]) + group.chunk, steps)
        watch(
            group.network, group.state, group.work, group.diverged, w_star, k, levels, signed_rule, found,
            group.clock, last,
        )  # fmt: skip
        if group.clock[0] < last or last == steps or (found >= 0).all():
            return [None if t < 0 else int(t) for t in found]
