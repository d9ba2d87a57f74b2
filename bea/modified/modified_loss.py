r"""Modified losses: what part of a modified field is a gradient.

The field of h^k is split as

    f_k = −∇E_k + R_k   with   R_k(x) · (x − c) = 0,

c the origin of the coordinates unless another is asked for. The split exists and is unique for smooth fields
up to the constant in E_k (Poincaré's homotopy operator),

    E_k(x) = E_k(c) − ∫₀¹ f_k(c + t(x − c)) · (x − c) dt,

and R_k = 0 exactly where f_k is a gradient. The remainder does no work along rays from c.

The constant: with r_k the number such that ẏ = −y has the modified equation ẏ = −Σ r_k h^k y, and g, H the
gradient and Hessian of E, E_k(c) = ½ r_k gᵀ H^{k−1} g at c. This is the exact value when E is quadratic, and
when k = 1 and the field is r₁ H g it gives E₁ = ½ r₁ ‖∇E‖², which is (1/4)‖∇E‖² for gradient descent. For a
sum of losses whose parts the scheme uses one at a time, ½ Σ r_ij g_i·g_j takes its place at k = 1. Where
nothing of the kind is known, E_k(c) = 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import sympy

from bea.modified.certainty import vanishes
from bea.modified.description import loss_text
from bea.modified.flint_ring import FlintRing
from bea.modified.quadrature import antiderivative
from bea.modified.terms import Terms
from bea.systems.expressions import STEP_SIZE, Value, read_expression
from bea.systems.loss import Loss
from bea.systems.loss_sum import LossSum

__all__ = ["ModifiedLoss"]


class ModifiedLoss:
    """The modified loss E + h E₁ + h² E₂ + …, with the remainder that is no gradient.

    Attributes
    ----------
    terms : sequence of sympy.Expr
        ``terms[k]`` is E_k: the field's coefficient of h**k is −∇E_k + R_k.
    remainder : sequence of sympy.ImmutableMatrix of shape (d, 1)
        ``remainder[k]`` is R_k, the part that is no gradient, with R_k(x)·(x − c) = 0.
    origin : tuple of sympy.Expr
        The centre c of the decomposition.

    Notes
    -----
    Where a field is not polynomial, E_k for k ≥ 2 is given as a SymPy ``Integral`` over the ray from c to x,
    unless in one variable a closed form is at hand, as for Adam on a quadratic loss. The integral is right
    where the ray does not meet a singularity of the field.

    Examples
    --------
    >>> import bea
    >>> loss = bea.Loss("(1 - a*b)**2 / 2", variables="a b")
    >>> modified = bea.modified_equation(loss, bea.GradientDescent(), order=2).loss
    >>> [modified.is_exact(k) for k in range(3)]
    [True, True, False]
    """

    def __init__(
        self,
        loss: Loss,
        ring: Any,
        fields: Sequence[Sequence[Any]],
        rates: Sequence[dict[tuple[int, ...], sympy.Expr]],
        origin: Sequence[object] | None = None,
    ) -> None:
        self._loss = loss
        self._rates = rates
        self.origin = _read_origin(loss, origin)
        self._ring, self._fields = _with_room_for(self.origin, loss, ring, fields)
        self.terms = Terms(len(fields), self._gradient_part)
        self.remainder = Terms(len(fields), self._remainder)
        self._exact: dict[int, bool] = {}

    @property
    def variables(self) -> tuple[sympy.Symbol, ...]:
        """The variables of the loss."""
        return self._loss.variables

    @property
    def order(self) -> int:
        """The highest power of h."""
        return len(self._fields) - 1

    def is_exact(self, k: int) -> bool:
        """Whether the coefficient of h**k is a gradient, for all values of the parameters.

        This is a theorem for this loss: the antisymmetric part of the field's Jacobian is shown to vanish
        identically, or shown not to.

        Raises
        ------
        ValueError
            If `k` is no power that is kept, or neither can be shown.
        """
        self._check(k)
        if k not in self._exact:
            self._exact[k] = all(vanishes(self._ring, c) for _, _, c in self._curl(k))
        return self._exact[k]

    def truncate(self, order: int | None = None) -> Loss:
        """The modified loss through h**order as a Loss; h is its parameter ``"h"``.

        What is no gradient is left out: `is_exact` says where that matters.
        """
        order = self.order if order is None else order
        self._check(order, "order")
        expression = sum((STEP_SIZE**k * self.terms[k] for k in range(1, order + 1)), self.terms[0])
        absent = [STEP_SIZE.name, *(s.name for s in self._loss.parameter_symbols)]
        return Loss(expression, self._loss.variables, self._loss.parameters, absent=absent)

    def __call__(
        self,
        x: Sequence[float] | np.ndarray,
        /,
        parameters: Mapping[Any, object] | None = None,
        **values: Value,
    ) -> float:
        """The value at x of all terms together, those of `truncate`; give ``h``.

        Examples
        --------
        >>> import bea
        >>> loss = bea.Loss("x**2 / 2", variables="x")
        >>> bea.modified_equation(loss, bea.GradientDescent(), order=1).loss([2.0], h=0.1)
        2.1
        """
        return self._truncated(x, parameters, **values)

    @cached_property
    def _truncated(self) -> Loss:
        return self.truncate()

    def _check(self, k: int, name: str = "k") -> None:
        if isinstance(k, bool) or not isinstance(k, int) or not 0 <= k <= self.order:
            raise ValueError(f"{name} must be an integer from 0 to {self.order}, not {k!r}")

    def _curl(self, k: int) -> list[tuple[int, int, Any]]:
        """The entries (i, j, ∂_i f_j − ∂_j f_i) with i < j."""
        f, partial = self._fields[k], self._ring.partial
        return [
            (i, j, self._ring.normal(partial(f[j], i) - partial(f[i], j)))
            for j in range(len(f))
            for i in range(j)
        ]

    # -- the gradient part -----------------------------------------------------------------------------

    def _gradient_part(self, k: int) -> sympy.Expr:
        if all(f == 0 for f in self._fields[k]):
            return sympy.Integer(0)
        closed = self._quadratic_form(k)
        if closed is not None and (k == 0 or not self._is_polynomial(k)) and self._is_potential(closed, k):
            return self._closed_form(k, closed)
        if self._is_polynomial(k):
            shift = [self._ring.element(c) for c in self.origin]
            potential = self._ring.expression(self._ring.ray_integral(self._fields[k], shift))
            return self._constant(k) - potential
        self._require_finite_origin(k)
        if self._ring.dimension == 1:
            (v,), (c,) = self._loss.variables, self.origin
            closed_form = antiderivative(self._sympy_field(k)[0], v)
            if closed_form is not None:
                return self._constant(k) - (closed_form - closed_form.subs(v, c))
        ray, t = self._ray()
        work = sum(
            f.subs(ray, simultaneous=True) * z for f, z in zip(self._sympy_field(k), self._arm(), strict=True)
        )
        return self._constant(k) - sympy.Integral(work, (t, 0, 1))

    def _is_polynomial(self, k: int) -> bool:
        return isinstance(self._ring, FlintRing) and self._ring.is_polynomial(self._fields[k])

    def _is_potential(self, element: Any, k: int) -> bool:
        """Whether the field of h^k is minus the gradient of an element of the ring."""
        return all(
            vanishes(self._ring, f + self._ring.partial(element, i)) for i, f in enumerate(self._fields[k])
        )

    def _closed_form(self, k: int, element: Any) -> sympy.Expr:
        """An element as an expression; E itself, and multiples of it, as they were given."""
        if k == 0 and not self._parts and len(self._rates[0]) == 1:
            (rate,) = self._rates[0].values()
            return rate * self._loss.expression
        return self._ring.expression(self._ring.normal(element))

    @cached_property
    def _parts(self) -> tuple[Loss, ...]:
        """The losses whose sum this one is, where they are known."""
        return self._loss.parts if isinstance(self._loss, LossSum) else ()

    def _quadratic_form(self, k: int) -> Any:
        """E_k as it is for quadratic losses with Hessians that commute, as an element of the ring, or None.

        At h⁰ it is Σ r_i E_i, at h ½ Σ r_ij g_i·g_j, and for a simple loss ½ r_k gᵀ H^{k−1} g at h^k.
        """
        if k >= len(self._rates):
            return None
        ring = self._ring
        total = ring.zero
        for indices, rate in self._rates[k].items():
            form = self._form(k, [(self._parts or (self._loss,))[i] for i in indices])
            total = total + form * ring.element(rate)
        return total

    def _form(self, k: int, losses: list[Loss]) -> Any:
        """E at h⁰, else ½ g·H^{k−1} g'; with k > 1 both gradients and the Hessian are those of one loss."""
        ring = self._ring
        potentials = [ring.element(loss.expression) for loss in losses]
        if k == 0:
            return potentials[0]
        directions = range(ring.dimension)
        g, vector = ([ring.partial(e, i) for i in directions] for e in (potentials[0], potentials[-1]))
        for _ in range(k - 1):
            vector = [sum((ring.partial(e, j) * vector[j] for j in directions), ring.zero) for e in g]
        product = sum((a * b for a, b in zip(g, vector, strict=True)), ring.zero)
        return product * ring.rational(1, 2)

    def _constant(self, k: int) -> sympy.Expr:
        """E_k(c)."""
        form = self._quadratic_form(k)
        if form is None:
            return sympy.Integer(0)
        centre = dict(zip(self._loss.variables, self.origin, strict=True))
        return self._ring.expression(self._ring.normal(form)).subs(centre)

    # -- the remainder ---------------------------------------------------------------------------------

    def _remainder(self, k: int) -> sympy.ImmutableMatrix:
        d = self._ring.dimension
        if self.is_exact(k):
            return sympy.ImmutableMatrix.zeros(d, 1)
        if isinstance(self._ring, FlintRing) and self._ring.is_polynomial(self._fields[k]):
            potential = self._ring.element(self.terms[k])
            parts = [f + self._ring.partial(potential, i) for i, f in enumerate(self._fields[k])]
            return sympy.ImmutableMatrix([self._ring.expression(p) for p in parts])
        self._require_finite_origin(k)
        ray, t = self._ray()
        arm = self._arm()
        total = [sympy.Integer(0)] * d
        for i, j, c in self._curl(k):
            moment = t * self._ring.expression(c).subs(ray, simultaneous=True)
            total[j] += moment * arm[i]
            total[i] -= moment * arm[j]
        return sympy.ImmutableMatrix([sympy.Integral(v, (t, 0, 1)) for v in total])

    def _require_finite_origin(self, k: int) -> None:
        centre = dict(zip(self._loss.variables, self.origin, strict=True))
        for f in self._sympy_field(k):
            if f.subs(centre).has(sympy.nan, sympy.zoo, sympy.oo):
                raise ValueError(
                    f"the coefficient of h**{k} is singular at the origin of the decomposition, "
                    f"{self.origin}: use decompose(origin=...) with a regular point"
                )

    def _sympy_field(self, k: int) -> list[sympy.Expr]:
        return [self._ring.expression(f) for f in self._fields[k]]

    def _arm(self) -> list[sympy.Expr]:
        return [v - c for v, c in zip(self._loss.variables, self.origin, strict=True)]

    def _ray(self) -> tuple[dict[sympy.Symbol, sympy.Expr], sympy.Dummy]:
        t = sympy.Dummy("t")
        arm = zip(self._loss.variables, self.origin, self._arm(), strict=True)
        return {v: c + t * z for v, c, z in arm}, t

    def __repr__(self) -> str:
        return f"ModifiedLoss({self._loss!r}, order={self.order})"

    def __str__(self) -> str:
        return loss_text(self)

    def latex(self) -> str:
        """LaTeX of the modified loss, collected in powers of h."""
        text = sympy.latex(self.terms[0])
        for k in range(1, self.order + 1):
            if self.terms[k] != 0:
                power = "h" if k == 1 else f"h^{{{k}}}"
                text += rf" + {power} \left({sympy.latex(self.terms[k])}\right)"
        return rf"\tilde E = {text} + O(h^{{{self.order + 1}}})"

    def _latex(self, printer: object) -> str:
        return self.latex()

    def _repr_latex_(self) -> str:
        return rf"$\displaystyle {self.latex()}$"


def _read_origin(loss: Loss, origin: Sequence[object] | None) -> tuple[sympy.Expr, ...]:
    if origin is None:
        return (sympy.Integer(0),) * loss.dimension
    if isinstance(origin, str) or not isinstance(origin, Iterable):
        raise TypeError(f"origin must be a sequence of {loss.dimension} coordinates, not {origin!r}")
    centre = tuple(read_expression(c) for c in origin)
    if len(centre) != loss.dimension:
        raise ValueError(f"origin must have {loss.dimension} coordinates, not {len(centre)}")
    if any(c.free_symbols & set(loss.variables) for c in centre):
        raise ValueError("origin must not depend on the variables of the loss")
    return centre


def _with_room_for(
    origin: Sequence[sympy.Expr], loss: Loss, ring: Any, fields: Sequence[Sequence[Any]]
) -> tuple[Any, Sequence[Sequence[Any]]]:
    """The ring and the fields, in a larger ring where the origin has coordinates that are not rational."""
    if all(c.is_Rational for c in origin):
        return ring, fields
    expressions = [[ring.expression(f) for f in components] for components in fields]
    larger = type(ring)(loss.variables, [*(e for row in expressions for e in row), *origin])
    return larger, [[larger.element(e) for e in row] for row in expressions]
