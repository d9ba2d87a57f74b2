"""The two-parameter model of Barrett and Dherin, on whose hyperbola of minima flatness and norm agree."""

from __future__ import annotations

from bea.systems.expressions import Value
from bea.systems.loss import Loss

__all__ = ["two_parameter"]


def two_parameter(x: Value = 1, y: Value = 0.6) -> Loss:
    r"""The loss E(a, b) = ½ (y − a b x)² of one product a b fitted to one datum.

    Parameters
    ----------
    x, y : number, optional
        Input and output. Both stay symbols of the loss; these are their values.

    Returns
    -------
    Loss
        In the variables a, b. Its zero-loss set is the hyperbola a b = y/x, which for y = 0 degenerates to
        the two axes, singular where they cross.

    Raises
    ------
    ValueError
        If x is zero: then no product fits y, or every product does.

    Notes
    -----
    The gradient flow conserves a² − b². On the hyperbola the trace of the Hessian is x² (a² + b²).

    References
    ----------
    .. [1] D. G. T. Barrett and B. Dherin, "Implicit gradient regularization", International Conference on
       Learning Representations, 2021.

    Examples
    --------
    >>> from bea import catalogue
    >>> loss = catalogue.two_parameter()
    >>> loss.expression
    (-a*b*x + y)**2/2
    >>> loss.zero_loss_set.contains([2.0, 0.3])
    True
    """
    if x == 0:
        raise ValueError("x must not be 0: then no product fits y, or every product does")
    parameters = {"x": x, "y": y}
    return Loss.from_residuals(["y - a*b*x"], "a b", parameters, description="the hyperbola a b = y/x")
