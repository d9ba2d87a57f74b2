"""What methods with a step size for every variable have in common: running means, and division by a root."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy

from bea.schemes.scheme import Arithmetic

__all__ = ["divided_by_root", "running_mean"]

HALF = sympy.Rational(1, 2)


def running_mean(
    mean: Sequence[Any], new: Sequence[Any], beta: sympy.Expr, arithmetic: Arithmetic
) -> list[Any]:
    """β·mean + (1 − β)·new."""
    old_share, new_share = arithmetic.number(beta), arithmetic.number(1 - beta)
    return [old_share * a + new_share * b for a, b in zip(mean, new, strict=True)]


def divided_by_root(
    m: Sequence[Any], v: Sequence[Any], eps: sympy.Expr, inside: bool, arithmetic: Arithmetic
) -> list[Any]:
    """m/√(v + ε) with ε inside the root, or m/(√v + ε) with ε outside."""
    small = arithmetic.number(eps)
    if inside:
        factors = [arithmetic.power(v_i + small, -HALF) for v_i in v]
    else:
        roots = [arithmetic.power(v_i, HALF) for v_i in v]
        factors = [arithmetic.power(root + small, sympy.Integer(-1)) for root in roots]
    return [m_i * factor for m_i, factor in zip(m, factors, strict=True)]
