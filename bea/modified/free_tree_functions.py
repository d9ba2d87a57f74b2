r"""Elementary scalar functions: modified losses from free trees, without an integral.

A free tree φ of n vertices stands for a function A(φ) of the variables of a loss E: put the k-th derivative
tensor of E on every vertex with k neighbours, and contract along the edges. So A is E for a single vertex,
∇E·∇E for an edge, and gᵀHg for the path of three, g and H being gradient and Hessian. With G(τ) the
elementary differentials of the field +∇E, cutting any edge into rooted trees u and v gives

    A(φ) = G(u) · G(v),

and by the product rule, which differentiates at each vertex in turn,

    ∇A(φ) = Σ_v G(φ rooted at the vertex v) = σ(φ) Σ_τ G(τ)/σ(τ),   the last sum over the rootings τ of φ.

As F(τ) = (−1)^n G(τ) for the field −∇E, coefficients b that agree on all rootings of each free tree make the
coefficient of h^{n−1} the gradient −∇E_{n−1} [1]_ with

    E_{n−1} = Σ_φ (−1)^{n+1} b(φ)/σ(φ) A(φ).

References
----------
.. [1] E. Hairer, C. Lubich and G. Wanner (2006), Geometric Numerical Integration, 2nd ed., Springer,
       Section IX.9.2, for elementary Hamiltonians.
"""

from __future__ import annotations

from numbers import Integral
from typing import TYPE_CHECKING, Any

import sympy

from bea.modified.elementary_differentials import ElementaryDifferentials, require_exact_series
from bea.modified.equation import working_ring
from bea.series.free_trees import FreeTree
from bea.series.trees import RootedTree
from bea.systems.loss import Loss

if TYPE_CHECKING:
    from bea.series.field_series import FieldSeries

__all__ = ["free_tree_function", "modified_loss_of_series"]


class _FreeTreeFunctions:
    """The functions A(φ) of one loss, as elements of a ring that holds some constants too."""

    def __init__(self, loss: Loss, constants: list[sympy.Expr]) -> None:
        self.ring, descent = working_ring(loss, constants)
        self._loss = self.ring.element(loss.expression)
        self._differentials = ElementaryDifferentials(self.ring, [-component for component in descent])

    def __call__(self, tree: FreeTree) -> Any:
        if tree.order == 1:
            return self._loss
        u, v = (self._differentials(part) for part in _halves(tree))
        return sum((a * b for a, b in zip(u, v, strict=True)), self.ring.zero)


def _halves(tree: FreeTree) -> tuple[RootedTree, RootedTree]:
    """The two parts on either side of an edge, so chosen that the larger part is small."""
    centre = min(tree.rootings, key=lambda rooting: max(child.order for child in rooting.children))
    branches = sorted(centre.children, key=lambda child: child.order)
    return RootedTree.from_children(branches[:-1]), branches[-1]


def free_tree_function(tree: FreeTree, loss: Loss) -> sympy.Expr:
    """The function A(φ) of a loss: its derivative tensors at the vertices, contracted along the edges.

    Parameters
    ----------
    tree : FreeTree
        φ, of one colour.
    loss : Loss

    Returns
    -------
    sympy.Expr

    Raises
    ------
    TypeError, ValueError
        If an argument is of another kind, the tree has vertices of several colours, the loss is not smooth,
        or it has a symbol named ``h``.

    Examples
    --------
    >>> import bea
    >>> from bea.modified import free_tree_function
    >>> from bea.series import FreeTree, RootedTree
    >>> loss = bea.Loss("a**2*b", variables="a b")
    >>> free_tree_function(FreeTree(RootedTree([1, 2])), loss)
    a**4 + 4*a**2*b**2
    """
    if not isinstance(tree, FreeTree):
        raise TypeError(f"a function of this kind belongs to a FreeTree, not to {tree!r}")
    if any(tree.representative.colours):
        raise ValueError(f"one loss has functions of free trees of one colour, not of {tree!r}")
    _require_loss(loss)
    functions = _FreeTreeFunctions(loss, [])
    return functions.ring.expression(functions.ring.normal(functions(tree)))


def modified_loss_of_series(series: FieldSeries, loss: Loss, k: int) -> sympy.Expr:
    """The coefficient E_k of h^k in the modified loss, where the series makes it a gradient for every loss.

    Parameters
    ----------
    series : FieldSeries
        With exact or symbolic coefficients, such as ``bseries(scheme, order).log()``.
    loss : Loss
    k : int
        From 0 to one less than the order of the series.

    Returns
    -------
    sympy.Expr
        E_k, whose constant is that of the free trees: every A(φ) but E itself vanishes where ∇E does.

    Raises
    ------
    TypeError
        If an argument is of another kind.
    ValueError
        If the rootings of a free tree have different coefficients, so that the coefficient of h^k is not a
        gradient for every loss; if the series has no order k + 1, its coefficients are floats, or its trees
        have several colours; if the loss is not smooth, or names of symbols clash.

    See Also
    --------
    ModifiedLoss : The part of any modified equation that is a gradient for one loss.

    Examples
    --------
    Gradient descent lowers E + (h/4)‖∇E‖²:

    >>> import bea
    >>> from bea.modified import modified_loss_of_series
    >>> from bea.schemes import ExplicitEuler
    >>> from bea.series import bseries
    >>> loss = bea.Loss("(1 - a*b)**2 / 2", variables="a b")
    >>> series = bseries(ExplicitEuler(), order=2).log()
    >>> modified_loss_of_series(series, loss, 1).factor()
    (a**2 + b**2)*(a*b - 1)**2/4
    """
    from bea.series.structure import free_tree_coefficients

    require_exact_series(series)
    _require_loss(loss)
    if isinstance(k, bool) or not isinstance(k, Integral) or not 0 <= k < series.order:
        raise ValueError(f"k must be an integer from 0 to {series.order - 1}, not {k!r}")
    weights = {
        tree: (-1) ** k * value / tree.symmetry
        for tree, value in free_tree_coefficients(series.terms(k + 1), k + 1).items()
    }
    functions = _FreeTreeFunctions(loss, list(weights.values()))
    ring = functions.ring
    total = sum((ring.element(weight) * functions(tree) for tree, weight in weights.items()), ring.zero)
    return ring.expression(ring.normal(total))


def _require_loss(loss: object) -> None:
    if not isinstance(loss, Loss):
        raise TypeError(f"functions of free trees belong to a Loss, not to a {type(loss).__name__}")
