r"""Elementary differentials: from the coefficients of a B-series to a field that can be read.

The elementary differential of a tree τ = [τ₁, …, τ_m] is F(τ) = f^{(m)}(F(τ₁), …, F(τ_m)), in components

    F(τ) = Σ_{j₁, …, j_m} ∂_{j₁} ⋯ ∂_{j_m} f · F(τ₁)_{j₁} ⋯ F(τ_m)_{j_m}.

The sums are taken one after the other. What remains of f^{(m)} after the first of them belongs to a
multi-index α of derivatives taken and to the trees not yet used,

    D(α; τ₁, …, τ_m) = Σ_j F(τ₁)_j D(α + e_j; τ₂, …, τ_m),   D(α) = ∂^α f,   F(τ) = D(0; τ₁, …, τ_m),

and each of these vectors is computed once, however many trees share it.

References
----------
.. [1] E. Hairer, C. Lubich and G. Wanner (2006), Geometric Numerical Integration, 2nd ed., Springer,
       Section III.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sympy

from bea.modified.equation import ModifiedEquation, working_ring
from bea.modified.shared_differentials import shared_equation
from bea.series.trees import RootedTree
from bea.systems.loss import Loss
from bea.systems.vector_field import VectorField

if TYPE_CHECKING:
    from bea.series.field_series import FieldSeries

__all__ = ["ElementaryDifferentials", "elementary_differential", "evaluate_series", "require_exact_series"]


class ElementaryDifferentials:
    """The elementary differentials of one field, as vectors of ring elements; each is computed once.

    Parameters
    ----------
    ring : FlintRing or SympyRing
    components : list of d ring elements
        The field f.
    """

    def __init__(self, ring: Any, components: list[Any]) -> None:
        self.ring = ring
        self._zero = [ring.zero] * ring.dimension
        self._contractions: dict[tuple[tuple[int, ...], tuple[RootedTree, ...]], list[Any]] = {
            ((0,) * ring.dimension, ()): list(components)
        }

    def __call__(self, tree: RootedTree) -> list[Any]:
        """F(τ), a list of d ring elements, for a tree that is not empty and has one colour."""
        return self._contraction((0,) * self.ring.dimension, tree.children)

    def _contraction(self, index: tuple[int, ...], trees: tuple[RootedTree, ...]) -> list[Any]:
        """D(α; τ₁, …, τ_m)."""
        if (index, trees) not in self._contractions:
            value = self._summed(index, trees) if trees else self._derivative(index)
            self._contractions[index, trees] = [self.ring.normal(component) for component in value]
        return self._contractions[index, trees]

    def _summed(self, index: tuple[int, ...], trees: tuple[RootedTree, ...]) -> list[Any]:
        if all(component == 0 for component in self._contraction(index, ())):
            return self._zero
        first, *others = trees
        total = self._zero
        for j, speed in enumerate(self(first)):
            if speed != 0:
                part = self._contraction(_raised(index, j, 1), tuple(others))
                total = [t + speed * c for t, c in zip(total, part, strict=True)]
        return total

    def _derivative(self, index: tuple[int, ...]) -> list[Any]:
        """∂^α f, from a derivative of one order less."""
        j = next(j for j, times in enumerate(index) if times)
        return [self.ring.partial(c, j) for c in self._contraction(_raised(index, j, -1), ())]


def _raised(index: tuple[int, ...], j: int, by: int) -> tuple[int, ...]:
    """The multi-index with `by` more in place j."""
    return (*index[:j], index[j] + by, *index[j + 1 :])


def elementary_differential(tree: RootedTree, system: VectorField | Loss) -> sympy.ImmutableMatrix:
    """The elementary differential F(τ) of a system as functions of its variables.

    Parameters
    ----------
    tree : RootedTree
        τ, of one colour. The elementary differential of the empty tree is the identity.
    system : VectorField or Loss
        The field f; for a loss, its gradient flow −∇E.

    Returns
    -------
    sympy.ImmutableMatrix of shape (d, 1)

    Raises
    ------
    TypeError, ValueError
        If an argument is of another kind, the tree has vertices of several colours, the field is not smooth,
        or the system has a symbol named ``h``.

    Examples
    --------
    >>> import bea
    >>> from bea.modified import elementary_differential
    >>> from bea.series import RootedTree
    >>> field = bea.VectorField(["q", "-sin(q)"], variables="q p")
    >>> elementary_differential(RootedTree([1, 2, 2]), field)
    Matrix([
    [          0],
    [q**2*sin(q)]])
    """
    if not isinstance(tree, RootedTree):
        raise TypeError(f"an elementary differential belongs to a RootedTree, not to {tree!r}")
    if any(tree.colours):
        raise ValueError(f"one field has elementary differentials of trees of one colour, not of {tree!r}")
    ring, components = working_ring(system, [])
    if not tree.order:
        return sympy.ImmutableMatrix(system.variables)
    return sympy.ImmutableMatrix(
        [ring.expression(component) for component in ElementaryDifferentials(ring, components)(tree)]
    )


def evaluate_series(
    series: FieldSeries, system: VectorField | Loss, expanded: bool = True
) -> ModifiedEquation:
    r"""The field f̃ = Σ_τ h^{|τ|−1} b(τ)/σ(τ) F(τ) of a series for a given system.

    Parameters
    ----------
    series : FieldSeries
        Exact or symbolic coefficients b(τ), that of the single vertex being 1, as in the modified equation of
        every consistent method.
    system : VectorField or Loss
        The field f; for a loss, its gradient flow −∇E.
    expanded : bool, default True
        Whether the terms are multiplied out. If not, they are expressions that share their parts: thousands
        of operations instead of hundreds of thousands for a network of tanh units, derived and compiled in
        proportion. They are meant for numbers, from `~bea.modified.ModifiedEquation.field`, not for reading.

    Returns
    -------
    ModifiedEquation
        Through h^{n−1}, if the series is truncated after order n.

    Raises
    ------
    TypeError
        If the series or the system is of another kind.
    ValueError
        If the coefficients are floats, the series is one on trees of several colours, or does not begin with
        f; if the field is not smooth, or names of symbols clash.

    See Also
    --------
    modified_equation : The same for a scheme, by Lie series instead of trees.

    Notes
    -----
    The terms that are not expanded come from Taylor-mode differentiation [1]_ of the components of f along
    the elementary differentials of smaller trees. For each tree their size is that of f, times a factor that
    depends on the order alone, whatever the dimension. What SymPy does with such expressions (``expand``,
    ``latex``, ``subs``, ``free_symbols``) visits a shared part as often as it occurs. The field made of them
    does not: it is evaluated, compiled and differentiated part by part. The modified loss and its remainders
    are formulas in normal form, so asking for them multiplies the terms out after all.

    References
    ----------
    .. [1] A. Griewank and A. Walther (2008), Evaluating Derivatives, 2nd ed., SIAM, Chapter 13.

    Examples
    --------
    >>> import bea
    >>> from bea.modified import evaluate_series
    >>> from bea.schemes import SecondOrder
    >>> from bea.series import bseries
    >>> field = bea.VectorField(["y**2"], variables="y")
    >>> equation = evaluate_series(bseries(SecondOrder(), order=3).log(), field)
    >>> equation.expressions()
    Matrix([[h**2*(alpha*y**4/2 - y**4) + y**2]])

    A field in six variables with tanh in it, for simulations:

    >>> loss = bea.catalogue.tanh_network()
    >>> series = bseries(bea.GradientDescent(), order=3).log()
    >>> field = evaluate_series(series, loss, expanded=False).field()
    >>> field([0.5, -0.5, 1.0, 1.0, 0.0, 0.1], h=0.01).round(6)
    array([ 0.254062,  0.255349,  0.069924, -0.070271,  0.011265, -0.000575])
    """
    require_exact_series(series)
    single = series[RootedTree([1])]
    if single != 1:
        raise ValueError(
            f"a modified equation begins with f itself, but the coefficient of the single vertex is {single}"
        )
    weights = [
        {tree: value / tree.symmetry for tree, value in series.terms(n).items() if value != 0}
        for n in range(1, series.order + 1)
    ]
    if not expanded:
        return shared_equation(_derive, system, series, weights)
    constants = {weight for terms in weights for weight in terms.values()}
    ring, components = working_ring(system, sorted(constants, key=sympy.default_sort_key))
    differentials = ElementaryDifferentials(ring, components)
    elements = []
    for terms in weights:
        total = [ring.zero] * ring.dimension
        for tree, weight in terms.items():
            factor = ring.element(weight)
            total = [t + factor * c for t, c in zip(total, differentials(tree), strict=True)]
        elements.append([ring.normal(t) for t in total])
    return ModifiedEquation(_derive, system, series, ring, elements)


def _derive(system: VectorField | Loss, series: FieldSeries, order: int) -> ModifiedEquation:
    """The equation of another system."""
    return evaluate_series(series.truncate(order + 1), system)


def require_exact_series(series: object) -> None:
    """Refuse what is no `FieldSeries` with exact or symbolic coefficients on trees of one colour."""
    from bea.series import FieldSeries

    if not isinstance(series, FieldSeries):
        hint = ": take its log()" if hasattr(series, "log") else ""
        raise TypeError(f"the series must be a FieldSeries, not a {type(series).__name__}{hint}")
    if series.colours > 1:
        raise ValueError(f"one field has a series on trees of one colour, not of {series.colours}")
    if isinstance(series[RootedTree([1])], float):
        raise ValueError("a field is derived from exact or symbolic coefficients, and these are floats")
