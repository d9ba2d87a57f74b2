"""Integrals of one variable in closed form, where a substitution gives them."""

from __future__ import annotations

import sympy

__all__ = ["antiderivative"]


def antiderivative(f: sympy.Expr, x: sympy.Symbol) -> sympy.Expr | None:
    """∫ f dx for f = Σ P(x) s(x)^q with polynomials P and one quadratic s(x), by substituting s, or None.

    Such are the fields of Adam and its kin on a quadratic loss, with s = g² + ε. About the vertex of s, f
    must be odd: then f dx is a sum of powers of s times ds, for which no other function is needed than the
    logarithm.

    Examples
    --------
    >>> import sympy
    >>> x, eps = sympy.symbols("x eps")
    >>> antiderivative(x / sympy.sqrt(x**2 + eps), x)
    sqrt(eps + x**2)
    """
    bases = {power.base for power in f.atoms(sympy.Pow) if _is_radical(power, x)}
    if len(bases) != 1:
        return None
    (s,) = bases
    if not s.is_polynomial(x) or sympy.degree(s, x) != 2:
        return None
    u, y = sympy.symbols("u y", cls=sympy.Dummy)
    a, b, _ = sympy.Poly(s, x).all_coeffs()
    least = s.subs(x, -b / (2 * a))
    integral = sympy.S.Zero
    for q, factor in _by_powers(f, s, x).items():
        if not factor.is_polynomial(x):
            return None
        for (n,), coefficient in sympy.Poly(factor.subs(x, y - b / (2 * a)), y).terms():
            if n % 2 == 0:
                return None
            # y dy = ds/(2a) and y² = (s − s(vertex))/a
            moved = sympy.expand(((u - least) / a) ** (n // 2))
            for (m,), c in sympy.Poly(moved, u).terms():
                integral += coefficient * c / (2 * a) * _integrated_power(s, q + m)
    return sympy.factor_terms(integral)


def _is_radical(e: sympy.Expr, x: sympy.Symbol) -> bool:
    """Whether e is a power of something with x that is no polynomial."""
    return isinstance(e, sympy.Pow) and e.base.has(x) and not (e.exp.is_Integer and e.exp > 0)


def _by_powers(f: sympy.Expr, s: sympy.Expr, x: sympy.Symbol) -> dict[sympy.Expr, sympy.Expr]:
    """{q: what stands before s^q} for f = Σ … s^q."""
    u = sympy.Dummy("u")
    factors: dict[sympy.Expr, sympy.Expr] = {}
    for summand in sympy.Add.make_args(f):
        constant, rest = summand.as_independent(x, as_Add=False)
        named = rest.replace(lambda e: _is_radical(e, x), lambda e: u**e.exp)
        for share in sympy.Add.make_args(sympy.expand(named)):
            factor, power = share.as_independent(u, as_Add=False)
            q = sympy.S.Zero if power == 1 else power.as_base_exp()[1]
            factors[q] = factors.get(q, sympy.S.Zero) + constant * factor
    return factors


def _integrated_power(s: sympy.Expr, q: sympy.Expr) -> sympy.Expr:
    """∫ s^q ds."""
    return sympy.log(s) if q == -1 else s ** (q + 1) / (q + 1)
