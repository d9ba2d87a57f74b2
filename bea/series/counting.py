"""How many rooted trees there are."""

from __future__ import annotations

from numbers import Integral

__all__ = ["count_trees", "require_order"]


def count_trees(order: int, colours: int = 1) -> int:
    r"""The number of rooted trees of that order.

    Parameters
    ----------
    order : int
        The number of vertices, 1 or more.
    colours : int, optional
        In how many colours each vertex can come.

    Returns
    -------
    int

    Raises
    ------
    ValueError
        If the order or the number of colours is not positive.

    Notes
    -----
    The generating function T(x) = K x exp(Σ_i T(xⁱ)/i) for K colours [1]_, [2]_ gives
    n T_{n+1} = Σ_{k=1}^{n} (Σ_{d|k} d T_d) T_{n−k+1}.

    References
    ----------
    .. [1] A. Cayley (1857), On the theory of the analytical forms called trees, Philosophical Magazine 13,
           172–176.
    .. [2] E. Hairer, C. Lubich and G. Wanner (2006), Geometric Numerical Integration, 2nd ed., Springer,
           Sections III.1, and III.2 for two colours.

    Examples
    --------
    >>> from bea.series import count_trees
    >>> [count_trees(n) for n in range(1, 11)]
    [1, 1, 2, 4, 9, 20, 48, 115, 286, 719]
    >>> [count_trees(n, colours=2) for n in range(1, 7)]
    [2, 4, 14, 52, 214, 916]
    """
    require_order(order)
    if not isinstance(colours, Integral) or colours < 1:
        raise ValueError(f"the number of colours must be a positive integer, not {colours!r}")
    counts, weights = [0, int(colours)], [0]
    for n in range(1, order):
        weights.append(sum(d * counts[d] for d in range(1, n + 1) if n % d == 0))
        counts.append(sum(weights[k] * counts[n - k + 1] for k in range(1, n + 1)) // n)
    return counts[order]


def require_order(order: int) -> None:
    """Refuse an order that is no positive integer."""
    if not isinstance(order, Integral) or isinstance(order, bool) or order < 1:
        raise ValueError(f"the order must be a positive integer, not {order!r}")
