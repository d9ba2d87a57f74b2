r"""Denominators that are known before any coefficient is: proven bounds for the operations of the algebra.

Let a and b be coefficients on rooted trees. Their convolution (a * b)(τ) = Σ a(P) b(R) runs over all ways to
cut τ into a part R at its root, perhaps empty, and the forest P above it, with a(P) = Π_{τ'∈P} a(τ'). It is
the law of composition [1]_, and as power series in a − ε, where ε is 1 on the empty tree and 0 elsewhere,

    a⁻¹ = Σ_j (−1)^j (a − ε)^{*j},        log a = Σ_{j≥1} ((−1)^{j+1}/j) (a − ε)^{*j},
    a^λ = Σ_j binom(λ, j) (a − ε)^{*j},   exp b = Σ_j b^{*j} / j!.

**Lemma.** (a − ε)^{*j}(τ) is a sum of products a(τ₁) ⋯ a(τ_m), m ≥ j, where τ₁, …, τ_m are the trees into
which τ falls when m − 1 of its edges are cut; and b^{*j}(τ) is a sum of such products with m = j.

*Proof.* The j-fold convolution is a sum over ways to share out the vertices of τ among j forests, each tree
of which is connected in τ, of the product of the values at the forests. At a forest a is the product over
its trees, and a − ε vanishes if the forest is empty, so there are at least j trees. A field b vanishes also
on forests of two trees or more, so each forest is one tree. ∎

Therefore, if D_k a(τ) is an integer for all trees of order k, and L_{n,m} is the least common multiple of
D_{k_1} ⋯ D_{k_m} over all k_1 + ⋯ + k_m = n, then at order n the lcm over m of L_{n,m} clears the
denominators of (a − ε)^{*j}, and the lcm over m of lcm(1, …, m) L_{n,m} those of log a. In particular, if
every a(τ) q^{|τ|} is an integer, then lcm(1, …, n) qⁿ does. Substitution, which puts b(τ₁) ⋯ b(τ_m) beside a
coefficient of order m [2]_, is bounded alike. All this holds for the integers ℤ[θ] of a number field as it
does for ℤ.

References
----------
.. [1] E. Hairer, C. Lubich and G. Wanner (2006), Geometric Numerical Integration, 2nd ed., Springer,
       Section III.1.4.
.. [2] P. Chartier, E. Hairer and G. Vilmart (2010), Algebraic structures of B-series, Foundations of
       Computational Mathematics 10, 407–427.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from math import factorial, lcm

__all__ = [
    "Denominators",
    "composition_bound",
    "exponential_bound",
    "inverse_bound",
    "lie_bound",
    "logarithm_bound",
    "power_bound",
    "substitution_bound",
    "substitution_inverse_bound",
]

#: For each order n = 0, 1, 2, … a positive integer that makes integers of all coefficients of that order.
Denominators = Sequence[int]


def _append_parts(L: list[dict[int, int]], D: Denominators) -> None:
    """Append to L_0, …, L_{n−1} the dictionary of all L_{n,m} with m ≥ 2, and then m = 1 if D_n is known."""
    n = len(L)
    row = {m: lcm(*(D[k] * L[n - k][m - 1] for k in range(1, n - m + 2))) for m in range(2, n + 1)}
    L.append({1: D[n], **row} if n < len(D) else row)


def _parts(D: Denominators) -> list[dict[int, int]]:
    """L_{n,m} as ``L[n][m]``, from n = 0 to the highest order; there is only the empty sum for n = 0."""
    L: list[dict[int, int]] = [{}]
    while len(L) < len(D):
        _append_parts(L, D)
    return L


def _bound(D: Denominators, factor: Callable[[int], int]) -> list[int]:
    """For each order n the lcm over m of factor(m) L_{n,m}."""
    return [lcm(*(factor(m) * value for m, value in row.items())) for row in _parts(D)]


def inverse_bound(a: Denominators) -> list[int]:
    """Denominators of the inverse of a flow."""
    return _bound(a, lambda m: 1)


def logarithm_bound(a: Denominators) -> list[int]:
    """Denominators of the logarithm of a flow.

    Examples
    --------
    The explicit Euler method has the coefficients 1, 0, 0, ….

    >>> from bea.series.denominators import logarithm_bound
    >>> logarithm_bound([1, 1, 1, 1, 1])
    [1, 1, 2, 6, 12]
    """
    return _bound(a, lambda m: lcm(*range(1, m + 1)))


def power_bound(a: Denominators, exponent: Fraction | None, denominator: int) -> list[int]:
    """Denominators of a power of a flow, whose exponent is rational or else in ℤ[θ] over a denominator."""
    if exponent is None:
        return _bound(a, lambda m: denominator**m * factorial(m))
    binomials = [Fraction(1)]
    while len(binomials) < len(a):
        j = len(binomials)
        binomials.append(binomials[-1] * (exponent - j + 1) / j)
    return _bound(a, lambda m: lcm(*(binomial.denominator for binomial in binomials[: m + 1])))


def exponential_bound(b: Denominators) -> list[int]:
    """Denominators of the flow of a field."""
    return _bound(b, factorial)


def composition_bound(a: Denominators, c: Denominators) -> list[int]:
    """Denominators of c after the flow a."""
    forest = inverse_bound(a)
    return [lcm(*(forest[n - k] * c[k] for k in range(n + 1))) for n in range(len(c))]


def lie_bound(b: Denominators, c: Denominators) -> list[int]:
    """Denominators of the Lie derivative of c along the field b."""
    return [lcm(*(b[k] * c[n - k] for k in range(n + 1))) for n in range(len(c))]


def substitution_bound(b: Denominators, a: Denominators) -> list[int]:
    """Denominators of a with the field b in the place of f."""
    return _bound(b, lambda m: a[m])


def substitution_inverse_bound(a: Denominators, target: Denominators) -> list[int]:
    """Denominators of the field b with b ⋆ a = target, for a method a that is consistent, a(•) = 1."""
    b, L = [1], [dict[int, int]()]
    for n in range(1, len(a)):
        _append_parts(L, b)
        b.append(lcm(target[n], *(a[m] * value for m, value in L[n].items())))
        L[n][1] = b[n]
    return b
