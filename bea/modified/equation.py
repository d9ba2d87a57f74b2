"""Modified equations: the differential equation that a discrete algorithm follows, to any order."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import pairwise
from numbers import Integral
from typing import Any

import numpy as np
import sympy

from bea.modified.expansion import expand_step, series_field
from bea.modified.flint_ring import FlintRing, NotElementaryError
from bea.modified.logarithm import exponential, logarithm
from bea.modified.modified_loss import ModifiedLoss
from bea.modified.sympy_ring import SympyRing
from bea.modified.terms import Terms
from bea.schemes.scheme import Scheme
from bea.systems.expressions import STEP_SIZE, Value, require_smooth
from bea.systems.loss import Loss, as_field
from bea.systems.vector_field import VectorField

__all__ = ["ModifiedEquation", "modified_equation", "modifying_integrator", "working_ring"]


class ModifiedEquation:
    """The series f + h f₁ + h² f₂ + …, truncated after h^order, with what is known of it.

    Returned by `modified_equation`, `modifying_integrator` and `evaluate_series`; not made by hand.

    Attributes
    ----------
    system : VectorField or Loss
    scheme : Scheme or FieldSeries
        Where the equation comes from.
    order : int
        The highest power of h that is kept.
    terms : sequence of sympy.ImmutableMatrix of shape (d, 1)
        ``terms[k]`` is the coefficient of h**k; ``terms[0]`` is the system's own field.
    """

    def __init__(
        self,
        derive: Callable[..., ModifiedEquation],
        system: VectorField | Loss,
        scheme: Any,
        ring: Any,
        elements: list[list[Any]],
    ) -> None:
        self.system = system
        self.scheme = scheme
        self.order = len(elements) - 1
        self.terms = Terms(len(elements), self._term)
        self._derive = derive
        self._ring = ring
        self._elements = elements

    def _term(self, k: int) -> sympy.ImmutableMatrix:
        if k == 0:
            return sympy.ImmutableMatrix(as_field(self.system).components)
        return sympy.ImmutableMatrix([self._ring.expression(e) for e in self._elements[k]])

    def expressions(self, order: int | None = None) -> sympy.Matrix:
        """The field truncated after h**order, a SymPy matrix of shape (d, 1) in the variables and h."""
        order = self._checked(order)
        return sympy.Matrix(sum((STEP_SIZE**k * self.terms[k] for k in range(1, order + 1)), self.terms[0]))

    def field(self, order: int | None = None) -> VectorField:
        """The field truncated after h**order (all terms by default); h is its parameter ``"h"``.

        Examples
        --------
        >>> import bea
        >>> field = bea.VectorField(["y**2"], variables="y")
        >>> equation = bea.modified_equation(field, bea.schemes.ExplicitEuler(), order=4)
        >>> equation.field(1)
        VectorField([-h*y**3 + y**2], variables='y')
        """
        names = [STEP_SIZE.name, *(s.name for s in self.system.parameter_symbols)]
        components = list(self.expressions(order))
        return VectorField(components, self.system.variables, self.system.parameters, absent=names)

    def term_sizes(self, x: Sequence[float], /, **parameters: Value) -> list[float]:
        """The Euclidean norms ‖f_k(x)‖ of all coefficients at a point."""
        sizes = []
        known = {**self.system.parameters, **parameters}
        names = {s.name for term in self.terms for s in term.free_symbols}
        names |= {STEP_SIZE.name, *(s.name for s in self.system.parameter_symbols)}
        for k, term in enumerate(self.terms):
            part = VectorField(list(term), self.system.variables, known, absent=names)
            sizes.append(float(np.linalg.norm(part(x))))
            if not math.isfinite(sizes[-1]):
                raise ValueError(f"the coefficient of h**{k} is not finite at {list(x)}")
        return sizes

    def step_size_limit(self, x: Sequence[float], /, **parameters: Value) -> float:
        """The step size up to which the terms h^k f_k(x) do not grow from one to the next.

        Below it, every kept term is smaller than the one before, and the first one left out is a fair
        measure of the error; above it, the series no longer says what the scheme does at `x`. A vanishing
        term says nothing and is passed over; with fewer than two terms the limit is infinite.

        Parameters
        ----------
        x : array_like, shape (d,)
        **parameters : float
            Values for parameters that have none, or other ones.

        Examples
        --------
        For ẏ = −λy under Euler's method the terms are −λ(hλ)^k/(k + 1), so the limit is at least 1/λ.

        >>> import bea
        >>> field = bea.VectorField(["-10*y"], variables="y")
        >>> bea.modified_equation(field, bea.schemes.ExplicitEuler(), order=3).step_size_limit([1.0])
        0.13333333333333333
        """
        sizes = [(k, s) for k, s in enumerate(self.term_sizes(x, **parameters)) if s > 0]
        ratios = [(s / t) ** (1 / (m - k)) for (k, s), (m, t) in pairwise(sizes)]
        return min(ratios, default=math.inf)

    @cached_property
    def loss(self) -> ModifiedLoss:
        """The modified loss, with the part of every term that is no gradient told apart.

        Raises
        ------
        TypeError
            If the system is a vector field and not a loss.
        """
        return self.decompose()

    def decompose(self, origin: Sequence[object] | None = None) -> ModifiedLoss:
        """The modified loss with `origin` as the centre of the decomposition (see `ModifiedLoss`)."""
        if not isinstance(self.system, Loss):
            raise TypeError("only a loss has a modified loss; this modified equation is of a vector field")
        return ModifiedLoss(self.system, self._ring, self._elements, self._linear_rates(), origin)

    def _linear_rates(self) -> list[sympy.Expr]:
        """The numbers r_k for which ẏ = −y is given the equation ẏ = −Σ_k r_k h^k y."""
        y = sympy.Dummy("y")
        decay = VectorField([-y], [y])
        return [-term[0].coeff(y) for term in self._derive(decay, self.scheme, self.order).terms]

    def _checked(self, order: int | None) -> int:
        if order is None:
            return self.order
        if not isinstance(order, int) or not 0 <= order <= self.order:
            raise ValueError(f"order must be an integer from 0 to {self.order}, not {order!r}")
        return order

    def latex(self, order: int | None = None) -> str:
        r"""LaTeX of the equation, one line a variable, collected in powers of h."""
        order = self._checked(order)
        rows = []
        for i, variable in enumerate(self.system.variables):
            row = sympy.latex(self.terms[0][i])
            for k in range(1, order + 1):
                if (term := self.terms[k][i]) != 0:
                    power = "h" if k == 1 else f"h^{{{k}}}"
                    row += rf" + {power} \left({sympy.latex(term)}\right)"
            rows.append(rf"\dot{{{sympy.latex(variable)}}} &= {row} + O(h^{{{order + 1}}})")
        return "\\begin{aligned}" + r" \\ ".join(rows) + "\\end{aligned}"

    def _repr_latex_(self) -> str:
        return rf"$\displaystyle {self.latex()}$"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.system!r}, {self.scheme!r}, order={self.order})"


def modified_equation(system: VectorField | Loss, scheme: Scheme, order: int = 2) -> ModifiedEquation:
    """The differential equation ẋ = f + h f₁ + … + h^order f_order that `scheme` follows.

    The step of the scheme is expanded in powers of h, and the logarithm of that map taken by Lie series.
    Parameters of the system and symbols in a tableau stay symbolic. Polynomial, rational and elementary
    fields (exp, tanh, sqrt, …) are worked in sparse polynomial arithmetic, with exact rationals; undefined
    functions by SymPy.

    Parameters
    ----------
    system : VectorField or Loss
        For a loss, its gradient flow −∇E is what the scheme discretizes.
    scheme : Scheme
    order : int, default 2
        The highest power of h that is kept.

    Returns
    -------
    ModifiedEquation

    Raises
    ------
    TypeError, ValueError
        If an argument is of another kind, the field is not smooth, or the system has a symbol named ``h``.

    Notes
    -----
    The series is asymptotic: it diverges in general, and truncations are good for h·L ≪ 1, L the Lipschitz
    constant of f. `bea.slope` measures how good.

    References
    ----------
    .. [1] E. Hairer, C. Lubich, G. Wanner, *Geometric Numerical Integration*, 2nd ed., Springer 2006,
       chapter IX.
    .. [2] D. G. T. Barrett, B. Dherin, "Implicit gradient regularization", ICLR 2021, theorem 3.1.

    Examples
    --------
    >>> import bea
    >>> field = bea.VectorField(["y**2"], variables="y")
    >>> equation = bea.modified_equation(field, bea.schemes.ExplicitEuler(), order=4)
    >>> [term[0] for term in equation.terms]
    [y**2, -y**3, 3*y**4/2, -8*y**5/3, 31*y**6/6]
    """
    ring, elements = _prepare(system, scheme, order)
    displacement = expand_step(ring, scheme, series_field(ring, [elements], order + 1), order + 1)
    return ModifiedEquation(modified_equation, system, scheme, ring, logarithm(ring, displacement))


def modifying_integrator(system: VectorField | Loss, scheme: Scheme, order: int = 2) -> ModifiedEquation:
    """The field ẋ = f + h f₁ + … to which `scheme` must be applied so as to follow ẋ = f itself.

    With the terms through h^order the scheme has order ``order + 1`` for the system.

    Parameters
    ----------
    system : VectorField or Loss
    scheme : Scheme
    order : int, default 2
        The highest power of h that is kept.

    Returns
    -------
    ModifiedEquation

    Raises
    ------
    TypeError, ValueError
        As in `modified_equation`.

    References
    ----------
    .. [1] P. Chartier, E. Hairer, G. Vilmart, "Numerical integrators based on modified differential
       equations", Mathematics of Computation 76 (2007) 1941-1953.

    Examples
    --------
    >>> import bea
    >>> field = bea.VectorField(["y**2"], variables="y")
    >>> equation = bea.modifying_integrator(field, bea.schemes.ExplicitEuler(), order=3)
    >>> [term[0] for term in equation.terms]
    [y**2, y**3, y**4, y**5]
    """
    ring, elements = _prepare(system, scheme, order)
    fields = [elements]
    nothing = [ring.zero] * ring.dimension
    flow = exponential(ring, [elements, *[nothing] * order])
    for k in range(2, order + 2):
        step = expand_step(ring, scheme, series_field(ring, fields, k), k)[-1]
        fields.append([ring.normal(e - s) for e, s in zip(flow[k - 1], step, strict=True)])
    return ModifiedEquation(modifying_integrator, system, scheme, ring, fields)


def _prepare(system: VectorField | Loss, scheme: Scheme, order: int) -> tuple[Any, list[Any]]:
    """The ring in which the checked system is worked, and the components of its field there."""
    _check_kinds(scheme, order)
    return working_ring(system, scheme.constants)


def working_ring(system: VectorField | Loss, constants: Sequence[sympy.Expr]) -> tuple[Any, list[Any]]:
    """The ring that holds a system and the constants of a method, and the components of its field there.

    Raises
    ------
    TypeError, ValueError
        If the system is of another kind or not smooth, or the names of symbols clash.
    """
    sources = [system.expression] if isinstance(system, Loss) else as_field(system).components
    _check_names(system.variables, sources, constants)
    require_smooth(sources, "the system of a modified equation")
    ring: Any
    try:
        ring = FlintRing(system.variables, [*sources, *constants])
    except NotElementaryError:
        ring = SympyRing(system.variables, [*sources, *constants])
    if isinstance(system, Loss):
        potential = ring.element(system.expression)
        return ring, [-ring.partial(potential, i) for i in range(ring.dimension)]
    return ring, [ring.element(c) for c in sources]


def _check_kinds(scheme: Scheme, order: int) -> None:
    if isinstance(scheme, type) and issubclass(scheme, Scheme):
        raise TypeError(f"scheme must be an instance: write {scheme.__name__}() with its parentheses")
    if not isinstance(scheme, Scheme):
        raise TypeError(f"scheme must be a bea scheme, not {type(scheme).__name__}")
    if isinstance(order, bool) or not isinstance(order, Integral):
        raise TypeError(f"order must be an integer, not {type(order).__name__}")
    if order < 0:
        raise ValueError(f"order must be 0 or more, not {order}")


def _check_names(
    variables: Sequence[sympy.Symbol], sources: Sequence[sympy.Expr], constants: Sequence[sympy.Expr]
) -> None:
    """Refuse a symbol h of the user's, and a parameter of the scheme that the system has, too."""
    own = {v.name for v in variables}.union(*({s.name for s in e.free_symbols} for e in sources))
    others = {s.name for c in constants for s in c.free_symbols}
    if STEP_SIZE.name in own | others:
        raise ValueError("the symbol h is the step size of the modified equation: rename yours")
    if own & others:
        raise ValueError(
            f"the scheme's parameter {min(own & others)!r} is also a symbol of the system: rename one"
        )
