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

from bea.modified.description import equation_text
from bea.modified.expansion import SeriesField, expand_step
from bea.modified.flint_ring import ZeroPowerError
from bea.modified.logarithm import exponential, logarithm
from bea.modified.memory import MemorySeries
from bea.modified.modified_loss import ModifiedLoss
from bea.modified.slow_manifold import memory_response, slow_manifold
from bea.modified.terms import Terms
from bea.modified.workspace import field_elements, part_elements, with_room, working_ring
from bea.schemes.rehearsal import explained
from bea.schemes.scheme import Scheme
from bea.systems.expressions import STEP_SIZE, Value
from bea.systems.game import Game
from bea.systems.loss import Loss
from bea.systems.split_field import SplitField
from bea.systems.system import System, as_field
from bea.systems.vector_field import VectorField

__all__ = ["ModifiedEquation", "modified_equation", "modifying_integrator", "working_ring"]


class ModifiedEquation:
    """The series f₀ + h f₁ + h² f₂ + …, truncated after h^order, with what is known of it.

    Returned by `modified_equation`, `modifying_integrator` and `evaluate_series`; not made by hand.

    Attributes
    ----------
    system : VectorField (also a SplitField), Loss (also a LossSum) or Game
    scheme : Scheme or FieldSeries
        Where the equation comes from.
    order : int
        The highest power of h that is kept.
    terms : sequence of sympy.ImmutableMatrix of shape (d, 1)
        ``terms[k]`` is the coefficient of h**k; ``terms[0]`` is the system's own field where the scheme is
        consistent with it, and what the scheme follows for small steps in any case.
    memory : MemorySeries
        The slow manifold, where the scheme has a memory: what it remembers at x.
    """

    def __init__(
        self,
        derive: Callable[..., ModifiedEquation],
        system: System,
        scheme: Any,
        ring: Any,
        elements: list[list[Any]],
        memory: list[list[Any]] | None = None,
    ) -> None:
        self.system = system
        self.scheme = scheme
        self.order = len(elements) - 1
        self.terms = Terms(len(elements), self._term)
        self._derive = derive
        self._ring = ring
        self._elements = elements
        self.memory = MemorySeries(system, ring, memory or [])

    def _term(self, k: int) -> sympy.ImmutableMatrix:
        if k == 0 and self._elements[0] == field_elements(self._ring, self.system):
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
            with np.errstate(all="ignore"):  # what is not finite is named below
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
            If the system is a vector field or a game and not a loss.
        """
        return self.decompose()

    def decompose(self, origin: Sequence[object] | None = None) -> ModifiedLoss:
        """The modified loss with `origin` as the centre of the decomposition (see `ModifiedLoss`)."""
        if isinstance(self.system, Game):
            raise TypeError(
                "this modified equation is of a game, which has no one loss: bea.discretization_drift tells "
                "the losses of its players"
            )
        if not isinstance(self.system, Loss):
            raise TypeError("only a loss has a modified loss; this modified equation is of a vector field")
        return ModifiedLoss(self.system, self._ring, self._elements, self._linear_rates(), origin)

    def _linear_rates(self) -> list[dict[tuple[int, ...], sympy.Expr]]:
        """What becomes of exponential decay: {(i, j): r, …} at h where ẏ = −Σ_i s_i y gets −h r s_i s_j y.

        The s_i stand for the parts of a sum, of which there is one in a simple loss. Empty where the decay
        does not stay linear. What has fewer factors, such as a decay of the weights themselves, is no
        matter of the loss.
        """
        y = sympy.Dummy("y")
        parts = len(as_field(self.system).parts)
        s = sympy.symbols(f"s:{max(parts, 1)}", cls=sympy.Dummy)
        decay = SplitField([[-s_i * y] for s_i in s], [y]) if parts else VectorField([-s[0] * y], [y])
        order = min(self.order, 1) if parts else self.order
        rates: list[dict[tuple[int, ...], sympy.Expr]] = []
        for term in self._derive(decay, self.scheme, order).terms:
            rate = sympy.cancel(-term[0] / y)
            if rate.has(y) or not rate.is_polynomial(*s):
                return []
            monomials = sympy.Poly(rate, *s).terms()
            rates.append({_factors(m): c for m, c in monomials if c != 0 and sum(m) == len(rates) + 1})
        return rates

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

    def _latex(self, printer: object) -> str:
        return self.latex()

    def _repr_latex_(self) -> str:
        return rf"$\displaystyle {self.latex()}$"

    def __str__(self) -> str:
        return equation_text(self, modifying=self._derive is modifying_integrator)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.system!r}, {self.scheme!r}, order={self.order})"


def _factors(powers: Sequence[int]) -> tuple[int, ...]:
    """The indices of the factors of a monomial: (1, 2) for s₀ s₁² is (0, 1, 1)."""
    return tuple(i for i, n in enumerate(powers) for _ in range(n))


def modified_equation(system: System, scheme: Scheme, order: int = 2) -> ModifiedEquation:
    """The differential equation ẋ = f₀ + h f₁ + … + h^order f_order that `scheme` follows.

    The step of the scheme is expanded in powers of h, and the logarithm of that map taken by Lie series. For
    a scheme with memory (momentum, Adam, a multistep method) it is the map on the slow manifold, on which the
    memory follows x: what remains when the memory has forgotten its start. Parameters
    of the system and symbols in a scheme stay symbolic. Polynomial, rational and elementary fields (exp,
    tanh, sqrt, …) are worked in sparse polynomial arithmetic, with exact rationals; undefined functions by
    SymPy.

    Parameters
    ----------
    system : VectorField (also a SplitField), Loss (also a LossSum) or Game
        For a loss, its gradient flow −∇E is what the scheme discretizes; for a game, simultaneous play.
    scheme : Scheme
    order : int, default 2
        The highest power of h that is kept.

    Returns
    -------
    ModifiedEquation

    Raises
    ------
    TypeError, ValueError
        If an argument is of another kind, the field is not smooth, the system has a symbol named ``h``, or
        the memory of the scheme does not contract, so that there is no equation in x alone, or the scheme
        divides by, or takes the root of, what vanishes identically.

    Notes
    -----
    The series is asymptotic: it diverges in general, and truncations are good for h·L ≪ 1, L the Lipschitz
    constant of f. `bea.slope` measures how good. Symbols in a scheme are taken to be such that its memory
    contracts, as |β| < 1 for the heavy ball.

    References
    ----------
    .. [1] E. Hairer, C. Lubich, G. Wanner, *Geometric Numerical Integration*, 2nd ed., Springer 2006,
       chapter IX.
    .. [2] D. G. T. Barrett, B. Dherin, "Implicit gradient regularization", ICLR 2021, theorem 3.1.
    .. [3] U. Kirchgraber, "Multi-step methods are essentially one-step methods", Numerische Mathematik 48
       (1986) 85-90.

    Examples
    --------
    >>> import bea
    >>> field = bea.VectorField(["y**2"], variables="y")
    >>> equation = bea.modified_equation(field, bea.schemes.ExplicitEuler(), order=4)
    >>> [term[0] for term in equation.terms]
    [y**2, -y**3, 3*y**4/2, -8*y**5/3, 31*y**6/6]
    """
    _check_kinds(scheme, order)
    parts = as_field(system).parts
    scheme.require(len(parts))
    with explained(scheme, len(parts)):
        response = memory_response(scheme, len(system.variables), len(parts)) if scheme.has_memory else []
    constants = [*scheme.constants, *dict.fromkeys(c for row in response for _, c in row)]

    def derive(ring: Any, components: list[Any]) -> ModifiedEquation:
        field = SeriesField(ring, [components], part_elements(ring, system))
        if scheme.has_memory:
            slow = slow_manifold(ring, scheme, field, order + 1, response)
            fields, memory = slow.fields, slow.memory
        else:
            fields, memory = logarithm(ring, expand_step(ring, scheme, field, order + 1)), []
        share = ring.rational(1, scheme.duration(len(parts)))
        fields = [[c * share for c in components] for components in fields]
        return ModifiedEquation(modified_equation, system, scheme, ring, fields, memory)

    try:
        with explained(scheme, len(parts)):
            return with_room(system, constants, derive)
    except ZeroPowerError as error:
        raise ValueError(_no_expansion(system, scheme, error)) from error


def _no_expansion(system: System, scheme: Scheme, error: ZeroPowerError) -> str:
    """Why the step of a scheme has no expansion, with the first variable that the system does not move."""
    field = as_field(system)
    still = [v for v, c in zip(field.variables, field.components, strict=True) if sympy.expand(c) == 0]
    cause = f"the system does not move the variable {still[0].name!r}, and {error}" if still else str(error)
    return f"the step of {scheme.name} cannot be expanded in powers of h: {cause}"


def modifying_integrator(system: System, scheme: Scheme, order: int = 2) -> ModifiedEquation:
    """The field ẋ = f + h f₁ + … to which `scheme` must be applied so as to follow ẋ = f itself.

    With the terms through h^order the scheme has order ``order + 1`` for the system.

    Parameters
    ----------
    system : VectorField or Loss
    scheme : Scheme
        One without memory, that takes the field as a whole.
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
    _check_kinds(scheme, order)
    try:
        scheme.require(0)
    except ValueError:
        raise ValueError(
            f"a modifying integrator is one field for the whole system, and {scheme.name} takes its parts "
            "one at a time"
        ) from None
    if scheme.has_memory:
        raise ValueError(
            f"a modifying integrator is known for schemes without memory, and {scheme.name} has one"
        )

    def derive(ring: Any, components: list[Any]) -> ModifiedEquation:
        fields = [components]
        nothing = [ring.zero] * ring.dimension
        time = ring.rational(scheme.duration(0))
        flow = exponential(ring, [[c * time for c in components], *[nothing] * order])
        share = ring.rational(1, scheme.duration(0))
        for k in range(1, order + 2):
            step = expand_step(ring, scheme, SeriesField(ring, fields), k)[-1]
            missing = [ring.normal((e - s) * share) for e, s in zip(flow[k - 1], step, strict=True)]
            if k > 1:
                fields.append(missing)
            elif any(m != 0 for m in missing):
                raise ValueError(
                    f"{scheme.name} does not follow the field itself for small steps, so that there is no "
                    "field on which it would be exact"
                )
        return ModifiedEquation(modifying_integrator, system, scheme, ring, fields)

    with explained(scheme, 0):
        return with_room(system, scheme.constants, derive)


def _check_kinds(scheme: Scheme, order: int) -> None:
    if isinstance(scheme, type) and issubclass(scheme, Scheme):
        raise TypeError(f"scheme must be an instance: write {scheme.__name__}() with its parentheses")
    if not isinstance(scheme, Scheme):
        raise TypeError(f"scheme must be a bea scheme, not {type(scheme).__name__}")
    if isinstance(order, bool) or not isinstance(order, Integral):
        raise TypeError(f"order must be an integer, not {type(order).__name__}")
    if order < 0:
        raise ValueError(f"order must be 0 or more, not {order}")
