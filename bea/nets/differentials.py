r"""Sums of elementary differentials of f = −∇E, by nested derivatives along curves.

The derivatives of E along a curve with x' = u, x'' = w are numbers, and their gradients

    −∇ d²E/dt² = f''(u,u) + f'(w),    −∇ d³E/dt³ = f'''(u,u,u) + 3f''(u,w) + …

with u and w held fixed are sums of elementary differentials. Each sum needs one such gradient, in which f' is
applied to a sum and comes for nothing.
"""

from __future__ import annotations

from functools import cached_property
from math import copysign, sqrt
from typing import Any

import jax
import jax.numpy as jnp

from bea.nets.coefficients import Coefficients
from bea.nets.pytrees import Loss, Pytree, add, scale

__all__ = ["differentials", "field_value"]


def differentials(loss: Loss, x: Pytree, coefficients: Coefficients) -> list[Pytree]:
    """The sum of elementary differentials at x for each power of h; see `Coefficients`."""
    order = len(coefficients) - 1
    at = _Differentials(loss, x)
    terms = [at.sum(f1=coefficients[0][0])]
    if order > 0:
        terms.append(at.sum(f2=coefficients[1][0]))
    if order == 2:
        bushy, tall = coefficients[2]
        terms.append(at.second(bushy, at.sum(f2=tall)))
    if order == 3:
        bushy, tall = coefficients[2]
        terms.append(at.sum(f11=bushy, f3=tall))
        cubic, mixed, below_bushy, below_tall = coefficients[3]
        terms.append(at.third(cubic, at.sum(f2=mixed), at.sum(f11=below_bushy, f3=below_tall)))
    return [at.zero if term is None else term for term in terms]


def field_value(loss: Loss, x: Pytree, coefficients: Coefficients, h: Any) -> Pytree:
    """Σ_k h^k (the sum of differentials for h^k) at x.

    Through h² it is the gradient of one number, c₀E ± d²E/dt² along a curve of which velocity and
    acceleration are the only vectors that have to be kept.
    """
    if len(coefficients) == 3 and coefficients[2][0] != 0:
        return _through_second_order(loss, x, coefficients, h)
    *lower, total = differentials(loss, x, coefficients)
    for term in reversed(lower):
        total = add(term, scale(h, total))
    return total


def _through_second_order(loss: Loss, x: Pytree, coefficients: Coefficients, h: Any) -> Pytree:
    (c,), (first,), (bushy, tall) = coefficients
    sign = copysign(1.0, bushy)
    f1, derivative = jax.linearize(lambda y: scale(-1, jax.grad(loss)(y)), x)
    f2 = derivative(f1)
    velocity = scale(h * sqrt(abs(bushy)), f1)
    acceleration = add(scale(sign * h * first, f1), scale(sign * h**2 * tall, f2))
    # The barrier ends the life of all that led here, which would otherwise be kept for the last derivative.
    x, u, w = jax.lax.optimization_barrier((x, velocity, acceleration))

    def number(x: Pytree) -> jax.Array:
        (value, _), (_, second) = jax.jvp(lambda y, v: jax.jvp(loss, (y,), (v,)), (x, u), (u, w))
        return -c * value - sign * second

    return jax.grad(number)(x)


class _Differentials:
    """The elementary differentials at x, each computed once and only if it is asked for.

    None stands for 0, so that nothing is computed with it.
    """

    def __init__(self, loss: Loss, x: Pytree) -> None:
        self.loss, self.x = loss, x
        self.f1, self._derivative = jax.linearize(lambda y: scale(-1, jax.grad(loss)(y)), x)

    @property
    def zero(self) -> Pytree:
        return jax.tree.map(jnp.zeros_like, self.x)

    @cached_property
    def f2(self) -> Pytree:
        """f'f."""
        return self._derivative(self.f1)

    @cached_property
    def f3(self) -> Pytree:
        """f'f'f."""
        return self._derivative(self.f2)

    @cached_property
    def f11(self) -> Pytree:
        """f''(f, f)."""
        return self.second(1.0, None)

    def sum(self, **factors: float) -> Pytree | None:
        """The sum of differentials with these factors."""
        total = None
        for name, c in factors.items():
            if c != 0:
                term = scale(c, getattr(self, name))
                total = term if total is None else add(total, term)
        return total

    def second(self, c: float, w: Pytree | None) -> Pytree | None:
        """c f''(f, f) + f'(w)."""
        if c == 0:
            return None if w is None else self._derivative(w)
        w = self._divided(w, c)
        return scale(-c, jax.grad(lambda x: _second(self.loss, x, self.f1, self.f1, w))(self.x))

    def third(self, c: float, v: Pytree | None, w: Pytree | None) -> Pytree | None:
        """c f'''(f, f, f) + f''(f, v) + f'(w)."""
        if c == 0 and v is None:
            return None if w is None else self._derivative(w)
        if c == 0:
            w = self._divided(w, 1.0)
            return scale(-1, jax.grad(lambda x: _second(self.loss, x, self.f1, v, w))(self.x))
        u, v, w = self.f1, self._divided(v, c), self._divided(w, c)

        def number(x: Pytree) -> jax.Array:
            return jax.jvp(lambda y, a: _second(self.loss, y, u, u, a), (x, v), (u, w))[1]

        return scale(-c, jax.grad(number)(self.x))

    def _divided(self, u: Pytree | None, c: float) -> Pytree:
        return self.zero if u is None else scale(1 / c, u)


def _second(loss: Loss, x: Pytree, u: Pytree, v: Pytree, w: Pytree) -> jax.Array:
    """E''(u, v) + E'(w): the derivative of E'(v) along x' = u, v' = w."""
    return jax.jvp(lambda y, a: jax.jvp(loss, (y,), (a,))[1], (x, v), (u, w))[1]
