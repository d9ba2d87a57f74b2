"""The modified field of a scheme as numbers: the coefficients of its elementary differentials."""

from __future__ import annotations

from functools import lru_cache

from bea.schemes.scheme import Scheme
from bea.series import bseries

__all__ = ["MAX_ORDER", "Coefficients", "field_coefficients"]

#: The highest power of h for which the elementary differentials are written out.
MAX_ORDER = 3

#: For each power of h the factors c(τ)/σ(τ) of the trees τ with one vertex more, in the order of
#: `bea.rooted_trees`: f | f'f | f''(f,f), f'f'f | f'''(f,f,f), f''(f'f,f), f'f''(f,f), f'f'f'f.
Coefficients = tuple[tuple[float, ...], ...]


def field_coefficients(scheme: Scheme, order: int) -> Coefficients:
    """The factors of the elementary differentials in the modified field, exact until they become floats.

    Raises
    ------
    TypeError
        If `scheme` is no scheme, or one without a B-series, such as Adam.
    ValueError
        If the order is not 0, 1, 2 or 3, a constant of the scheme is a symbol, or its memory does not
        contract.

    Examples
    --------
    >>> import bea
    >>> from bea.nets.coefficients import field_coefficients
    >>> field_coefficients(bea.HeavyBall(beta="1/2"), order=1)
    ((2.0,), (-6.0,))
    """
    if isinstance(order, bool) or not isinstance(order, int) or not 0 <= order <= MAX_ORDER:
        raise ValueError(f"order, the highest power of h, must be 0, 1, 2 or 3, not {order!r}")
    if not isinstance(scheme, Scheme):
        given = f"the class {scheme.__name__}" if isinstance(scheme, type) else repr(scheme)
        raise TypeError(f"the scheme must be an instance, such as bea.GradientDescent(), not {given}")
    if scheme.parameter_symbols:
        symbol = scheme.parameter_symbols[0]
        raise ValueError(
            f"{scheme.name} needs numbers, but {symbol} is a symbol: "
            f"give it a value, such as scheme.with_parameters({symbol}=0.9)"
        )
    return _coefficients(scheme, order)


@lru_cache(maxsize=128)
def _coefficients(scheme: Scheme, order: int) -> Coefficients:
    modified = bseries(scheme, order=order + 1).log()
    duration = scheme.duration(0)
    return tuple(
        tuple(float(c / (tree.symmetry * duration)) for tree, c in modified.terms(n).items())
        for n in range(1, order + 2)
    )
