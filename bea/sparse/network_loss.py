"""The training loss of a diagonal network on a problem, for everything that takes a loss."""

from __future__ import annotations

from bea.sparse.network import read_depth, read_signed
from bea.sparse.problems import Problem
from bea.systems.catalogue.diagonal_network import diagonal_network
from bea.systems.loss import Loss

__all__ = ["loss"]


def loss(problem: Problem, depth: int = 2, signed: bool = True) -> Loss:
    """The loss (1/n)‖Xw − y‖², without a factor ½, of w = uᴺ − vᴺ or w = uᴺ, as a `Loss`.

    With it modified equations, flows and the set of zero loss of the network are those of any loss; its
    iterates by `GradientDescent` are those of `descend`.

    Parameters
    ----------
    problem : Problem
    depth : int, optional
        The depth N ≥ 2.
    signed : bool, optional
        If false, w = uᴺ, without v.

    Returns
    -------
    Loss
        In u1, …, up, v1, …, vp, or u1, …, up.

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described, or if the network cannot fit the outputs exactly, as is the rule
        with noise and n > p: its loss has no zero then.

    Examples
    --------
    >>> import bea
    >>> data = bea.sparse.Problem([[1, 2]], [3])
    >>> bea.sparse.loss(data, depth=2).expression
    (u1**2 + 2*u2**2 - v1**2 - 2*v2**2 - 3)**2
    >>> run = bea.sparse.descend(data, depth=2, alpha=0.1, step_size=0.01, steps=50)
    >>> path = bea.iterate(bea.sparse.loss(data), bea.GradientDescent(), [0.1] * 4, 0.01, 50)
    >>> float(abs(path.x[-1] - [*run.u, *run.v]).max()) < 1e-14
    True
    """
    if not isinstance(problem, Problem):
        raise TypeError(f"problem must be a Problem, such as Problem(X, y), not {type(problem).__name__}")
    return diagonal_network(problem.X, problem.y, read_depth(depth), read_signed(signed))
