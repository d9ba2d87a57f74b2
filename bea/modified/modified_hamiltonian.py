r"""Modified Hamiltonians: the energy that a symplectic method keeps, from trees, without an integral.

For ṗ = −∂H/∂q, q̇ = ∂H/∂p a tree τ = [τ₁, …, τ_m] has, besides the elementary differential F(τ), the
elementary Hamiltonian H(τ) = H^{(m)}(F(τ₁), …, F(τ_m)). The components of the first are partial derivatives
of the second in which the F(τ_i) are kept fixed:

    F(τ) = J⁻¹ ∂H^{(m)}(F(τ₁), …, F(τ_m)).

Moving the root along an edge changes the sign of H(τ), and where the field with coefficients b is Hamiltonian
for every H, that of b(τ) too. All rootings of a free tree φ therefore have one value b(τ) H(τ), and by the
product rule the field of h^{n−1} belongs to the Hamiltonian Σ_φ b(φ)/σ(φ) H(φ) [1]_. As n/σ(φ) is the sum of
1/σ(τ) over the rootings of φ, free trees need not be found:

    H_{n−1} = (1/n) Σ_τ b(τ)/σ(τ) H(τ),     the sum over all rooted trees of order n.

In a P-series the field of a tree acts on p if its root has colour 0 and on q if it has colour 1, and H(τ)
does not depend on the colour of the root: the sum is over the trees with a root of colour 0 [2]_. If
H = T(p) + U(q), only trees in which neighbours have different colours count, with roots of both colours.

References
----------
.. [1] E. Hairer, C. Lubich and G. Wanner (2006), Geometric Numerical Integration, 2nd ed., Springer,
       Section IX.9.2.
.. [2] E. Hairer, C. Lubich and G. Wanner (2006), Geometric Numerical Integration, 2nd ed., Springer,
       Section IX.10.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import TYPE_CHECKING, Any

import sympy

from bea.modified.certainty import vanishes
from bea.modified.equation import working_ring
from bea.schemes.scheme import Scheme
from bea.series.trees import RootedTree
from bea.systems.expressions import STEP_SIZE, named_symbols
from bea.systems.loss import Loss

if TYPE_CHECKING:
    from bea.series.field_series import FieldSeries
    from bea.series.flow_series import FlowSeries

    #: A scheme, one for p and one for q, or the series of either.
    Method = Scheme | Sequence[Scheme] | FlowSeries | FieldSeries

__all__ = ["ModifiedHamiltonian", "modified_hamiltonian"]


@dataclass(frozen=True)
class ModifiedHamiltonian:
    """The modified Hamiltonian H + h H₁ + h² H₂ + … of a symplectic method, truncated.

    Returned by `modified_hamiltonian`; not made by hand.

    Attributes
    ----------
    p, q : tuple of sympy.Symbol
        The momenta and the positions.
    terms : tuple of sympy.Expr
        ``terms[k]`` is H_k, the coefficient of h**k; ``terms[0]`` is H itself.
    """

    p: tuple[sympy.Symbol, ...]
    q: tuple[sympy.Symbol, ...]
    terms: tuple[sympy.Expr, ...]

    @property
    def order(self) -> int:
        """The highest power of h."""
        return len(self.terms) - 1

    def truncate(self, order: int | None = None) -> sympy.Expr:
        """The modified Hamiltonian through h**order, all of it by default, in p, q and h.

        Raises
        ------
        ValueError
            If `order` is no power that is kept.
        """
        order = self.order if order is None else order
        if isinstance(order, bool) or not isinstance(order, Integral) or not 0 <= order <= self.order:
            raise ValueError(f"order must be an integer from 0 to {self.order}, not {order!r}")
        return sympy.Add(*(STEP_SIZE**k * term for k, term in enumerate(self.terms[: order + 1])))

    def _repr_latex_(self) -> str:
        text = sympy.latex(self.terms[0])
        for k, term in enumerate(self.terms):
            if k and term != 0:
                power = "h" if k == 1 else f"h^{{{k}}}"
                text += rf" + {power} \left({sympy.latex(term)}\right)"
        return rf"$\displaystyle \tilde H = {text} + O(h^{{{self.order + 1}}})$"


def modified_hamiltonian(
    hamiltonian: object,
    method: Method,
    order: int = 4,
    p: str | Sequence[str | sympy.Symbol] = "p",
    q: str | Sequence[str | sympy.Symbol] = "q",
) -> ModifiedHamiltonian:
    r"""The modified Hamiltonian of a symplectic method for ṗ = −∂H/∂q, q̇ = ∂H/∂p [1]_.

    In each step the method keeps H + h H₁ + … + h^k H_k up to O(h^{k+2}), and over long times, as long as its
    iterates stay in a compact set, up to O(h^{k+1}).

    Parameters
    ----------
    hamiltonian : str or sympy.Expr
        H. Text is parsed, never evaluated. Symbols that are no variables are parameters and stay symbols.
    method : Scheme, pair of Scheme, FlowSeries or FieldSeries
        A Runge–Kutta method; one for p and one for q; or the series of a method or its modified equation, of
        one colour or of two, with p of colour 0.
    order : int, optional
        The highest power of h that is kept.
    p, q : str or sequence of str or sympy.Symbol, optional
        The names of the momenta and of as many positions, such as ``"p1 p2"`` and ``"q1 q2"``.

    Returns
    -------
    ModifiedHamiltonian

    Raises
    ------
    TypeError
        If an argument is of another kind.
    ValueError
        If the method is not symplectic through that order, or not consistent; if the coefficients of a series
        are floats, or it is truncated too early; if H is not smooth, or names of symbols clash.

    Notes
    -----
    A pair of methods that is symplectic for separable Hamiltonians alone is accepted where H = T(p) + U(q).

    References
    ----------
    .. [1] E. Hairer, C. Lubich and G. Wanner (2006), Geometric Numerical Integration, 2nd ed., Springer,
           Sections IX.3, IX.8, IX.9.2 and IX.10.

    Examples
    --------
    The symplectic Euler method, implicit in p, keeps H − (h/2) H_p H_q + ⋯ .

    >>> from bea.modified import modified_hamiltonian
    >>> from bea.schemes import ExplicitEuler, ImplicitEuler, ImplicitMidpoint
    >>> modified_hamiltonian("p**2/2 - cos(q)", [ImplicitEuler(), ExplicitEuler()], order=1).terms
    (p**2/2 - cos(q), -p*sin(q)/2)
    >>> modified_hamiltonian("p**2/2 + q**2/2", ImplicitMidpoint(), order=2).terms[2]
    -p**2/24 - q**2/24
    """
    momenta, positions = _read_variables(hamiltonian, p, q)
    energy = Loss(hamiltonian, (*momenta, *positions))
    if isinstance(order, bool) or not isinstance(order, Integral) or order < 0:
        raise ValueError(f"order must be an integer, 0 or more, not {order!r}")
    series = _modified_field(method, int(order) + 1)
    separable = series.colours == 2 and _is_separable(energy)
    _require_symplectic(series, separable)
    weights = [_weights(series, n, separable) for n in range(2, series.order + 1)]
    constants = {weight for terms in weights for weight in terms.values()}
    elementary = _ElementaryHamiltonians(
        energy, sorted(constants, key=sympy.default_sort_key), series.colours
    )
    return ModifiedHamiltonian(
        momenta, positions, (energy.expression, *(elementary.combination(terms) for terms in weights))
    )


class _ElementaryHamiltonians:
    """The functions H(τ) and F(τ) of one Hamiltonian, as elements of a ring; each is computed once.

    What remains of H^{(m)} after some of the F(τ_i) have been put in is, with α the derivatives taken,

        D(α; τ₁, …, τ_m) = Σ_j F(τ₁)_j D(α + e_j; τ₂, …, τ_m),   D(α) = ∂^α H,

    so that H(τ) = D(0; τ₁, …, τ_m), and component j of F(τ) is ± D(e_i; τ₁, …, τ_m), x_i conjugate to x_j.
    """

    def __init__(self, energy: Loss, constants: list[sympy.Expr], colours: int) -> None:
        self.ring, _ = working_ring(energy, constants)
        self._half = energy.dimension // 2
        self._colours = colours
        self._nothing = (0,) * energy.dimension
        self._known: dict[tuple[tuple[int, ...], tuple[RootedTree, ...]], Any] = {
            (self._nothing, ()): self.ring.element(energy.expression)
        }

    def combination(self, weights: dict[RootedTree, sympy.Expr]) -> sympy.Expr:
        """Σ_τ w(τ) H(τ)."""
        total = self.ring.zero
        for tree, weight in weights.items():
            total = total + self.ring.element(weight) * self._contraction(self._nothing, tree.children)
        return self.ring.expression(self.ring.normal(total))

    def _differential(self, tree: RootedTree) -> list[tuple[int, Any]]:
        """The components j of F(τ) that need not vanish, with their values."""
        d = self._half
        parts = range(2) if self._colours == 1 else [tree.root_colour]
        found = []
        for j in (part * d + i for part in parts for i in range(d)):
            conjugate = _raised(self._nothing, (j + d) % (2 * d), 1)
            value = self._contraction(conjugate, tree.children)
            found.append((j, value if j >= d else -value))
        return found

    def _contraction(self, index: tuple[int, ...], trees: tuple[RootedTree, ...]) -> Any:
        """D(α; τ₁, …, τ_m)."""
        if (index, trees) not in self._known:
            value = self._summed(index, trees) if trees else self._derivative(index)
            self._known[index, trees] = self.ring.normal(value)
        return self._known[index, trees]

    def _summed(self, index: tuple[int, ...], trees: tuple[RootedTree, ...]) -> Any:
        if self._contraction(index, ()) == 0:
            return self.ring.zero
        first, *others = trees
        total = self.ring.zero
        for j, speed in self._differential(first):
            if speed != 0:
                total = total + speed * self._contraction(_raised(index, j, 1), tuple(others))
        return total

    def _derivative(self, index: tuple[int, ...]) -> Any:
        """∂^α H, from a derivative of one order less."""
        j = next(j for j, times in enumerate(index) if times)
        return self.ring.partial(self._contraction(_raised(index, j, -1), ()), j)


def _raised(index: tuple[int, ...], j: int, by: int) -> tuple[int, ...]:
    """The multi-index with `by` more in place j."""
    return (*index[:j], index[j] + by, *index[j + 1 :])


def _weights(series: FieldSeries, n: int, separable: bool) -> dict[RootedTree, sympy.Expr]:
    """The factors b(τ) / (n σ(τ)) of the trees that count, where they are not 0."""
    from bea.series.structure import alternating

    counts = alternating(series.tables, n) if separable else [True] * len(series.tables.numbers(n))
    return {
        tree: value / (n * tree.symmetry)
        for (tree, value), counted in zip(series.terms(n).items(), counts, strict=True)
        if counted and value != 0 and (separable or tree.root_colour == 0)
    }


# -- what is given ---------------------------------------------------------------------------------------


def _read_variables(
    hamiltonian: object, p: str | Sequence[str | sympy.Symbol], q: str | Sequence[str | sympy.Symbol]
) -> tuple[tuple[sympy.Symbol, ...], tuple[sympy.Symbol, ...]]:
    momenta = tuple(named_symbols(p, [hamiltonian], "p"))
    positions = tuple(named_symbols(q, [hamiltonian], "q"))
    if len(momenta) != len(positions):
        raise ValueError(
            f"there must be as many momenta p as positions q, not {len(momenta)} and {len(positions)}"
        )
    return momenta, positions


def _modified_field(method: object, order: int) -> FieldSeries:
    """The modified equation of a method, through trees of that order."""
    from bea.series import FieldSeries, FlowSeries, bseries, pseries
    from bea.series.floats import Floats

    if isinstance(method, Scheme):
        return bseries(method, order).log()
    if isinstance(method, FlowSeries | FieldSeries):
        if method.order < order:
            raise ValueError(
                f"the coefficient of h**{order - 1} belongs to trees of order {order}, "
                f"but the series is truncated after order {method.order}"
            )
        if isinstance(method.coefficients, Floats):
            raise ValueError(
                "a modified Hamiltonian is derived from exact or symbolic coefficients, not floats"
            )
        series = method.truncate(order)
        return series.log() if isinstance(series, FlowSeries) else series
    if isinstance(method, Sequence) and not isinstance(method, str) and len(method) == 2:
        return pseries(method, order).log()
    raise TypeError(
        f"the method must be a scheme, a pair of schemes for p and q, or a series, not {method!r}"
    )


def _is_separable(energy: Loss) -> bool:
    """Whether H = T(p) + U(q) for certain."""
    ring, _ = working_ring(energy, [])
    d, element = energy.dimension // 2, ring.element(energy.expression)
    slopes = [ring.partial(element, i) for i in range(d)]
    return all(vanishes(ring, ring.normal(ring.partial(s, d + j))) for s in slopes for j in range(d))


def _require_symplectic(series: FieldSeries, separable: bool) -> None:
    single = [series[RootedTree([1], [colour])] for colour in range(series.colours)]
    if any(value != 1 for value in single):
        raise ValueError(
            "a modified Hamiltonian begins with H itself, "
            f"but the coefficient of the single vertex is {', '.join(map(str, single))}"
        )
    reached = series.structure_order("symplectic", separable=separable)
    if reached < series.order:
        raise ValueError(
            f"the method is symplectic through trees of order {reached} only, and not {series.order}, "
            f"so there is no modified Hamiltonian beyond h**{reached - 1} that holds for every H"
        )
