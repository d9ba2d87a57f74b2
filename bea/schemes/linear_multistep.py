"""Linear multistep methods."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy

from bea.schemes.embedded import DormandPrince5
from bea.schemes.parametric import require_numbers
from bea.schemes.scheme import Arithmetic, Field, Memory, Scheme
from bea.systems.expressions import STEP_SIZE, Value, read_expression

__all__ = ["LinearMultistep"]


class LinearMultistep(Scheme):
    r"""A linear multistep method Σ_j α_j x_{n+j} = h Σ_j β_j f(x_{n+j}), j = 0, …, k [1]_.

    It remembers displacements d_i = (x_{n+i} − x_{n+i−1})/h and values of f, as many as it needs: since the
    α_j sum to 0, the rule is Σ_i a_i d_i = Σ_j β_j f(x_{n+j}) with a_i = α_i + … + α_k. The memory contracts
    where the roots of ρ(ζ) = Σ_j α_j ζ^j other than 1 lie inside the unit circle; then the method follows a
    differential equation in x alone, that of its underlying one-step method [2]_.

    Parameters
    ----------
    alpha, beta : sequences of k + 1 numbers, texts or sympy.Expr
        The coefficients from that of the oldest value to that of the newest. The method is explicit where the
        last β is 0.

    Attributes
    ----------
    alpha, beta : tuple of sympy.Expr
        The coefficients, divided by the last α.
    order : int or None
        The classical order; None where the coefficients have symbols.
    is_explicit : bool
    parameter_symbols : tuple of sympy.Symbol

    Raises
    ------
    ValueError, TypeError
        If there are not k + 1 ≥ 2 coefficients of each kind, one cannot be read or contains h, the last α is
        0, or the method is not consistent, which means Σ α_j = 0 and Σ j α_j = Σ β_j ≠ 0.

    Notes
    -----
    The first values are computed backwards from x by a Runge–Kutta method of order 5, so that methods through
    order 6 lose nothing at the start. Methods are equal when their coefficients are.

    References
    ----------
    .. [1] E. Hairer, S. P. Nørsett and G. Wanner (1993), Solving Ordinary Differential Equations I,
           2nd ed., Springer, Section III.2, Equation (2.1).
    .. [2] U. Kirchgraber (1986), Multi-step methods are essentially one-step methods, Numerische Mathematik
           48, 85–90.

    Examples
    --------
    >>> import bea
    >>> adams = bea.schemes.LinearMultistep([0, -1, 1], ["-1/2", "3/2", 0])
    >>> adams.order, adams.error_constant
    (2, 5/12)
    >>> field = bea.VectorField(["y**2"], variables="y")
    >>> [term[0] for term in bea.modified_equation(field, adams, order=2).terms]
    [y**2, 0, -5*y**4/2]
    """

    def __init__(self, alpha: Sequence[Value | str], beta: Sequence[Value | str]) -> None:
        alphas, betas = _read(alpha, "alpha"), _read(beta, "beta")
        if len(alphas) != len(betas) or len(alphas) < 2:
            raise ValueError(
                "alpha and beta must have one length, 2 or more, "
                f"but they have the lengths {len(alphas)} and {len(betas)}"
            )
        if sympy.simplify(alphas[-1]) == 0:
            raise ValueError("the last alpha, that of the newest value, must not be 0")
        self.alpha = tuple(sympy.cancel(a / alphas[-1]) for a in alphas)
        self.beta = tuple(sympy.cancel(b / alphas[-1]) for b in betas)
        self.name = self.name or "linear-multistep"
        self._require_consistency()
        self.is_explicit: bool = self.beta[-1] == 0
        self.order = None if self.parameter_symbols else self._classical_order()

        k = len(self.alpha) - 1
        #: The weights in d_k = Σ β_j f_{n+j} − Σ a_i d_i of what is remembered, the newest first.
        self._of_displacements = _without_end(
            [sympy.cancel(-sympy.Add(*self.alpha[i:])) for i in range(k - 1, 0, -1)]
        )
        self._of_values = _without_end([self.beta[j] for j in range(k - 2, -1, -1)])
        self._of_present, self._of_next = self.beta[k - 1], self.beta[k]
        self.vectors = len(self._of_displacements) + len(self._of_values)

    def _require_consistency(self) -> None:
        slope = sympy.Add(*(j * a for j, a in enumerate(self.alpha)))
        if sympy.simplify(sympy.Add(*self.alpha)) != 0:
            raise ValueError(f"alpha must sum to 0, but it sums to {sympy.Add(*self.alpha)}")
        if sympy.simplify(slope - sympy.Add(*self.beta)) != 0 or sympy.simplify(slope) == 0:
            raise ValueError(
                "Σ j alpha[j] and Σ beta[j] must be equal and not 0, "
                f"but with the last alpha as 1 they are {slope} and {sympy.Add(*self.beta)}"
            )

    def _defect(self, q: int) -> sympy.Expr:
        """Σ_j (α_j j^q − q β_j j^{q−1}), which vanishes for q = 0, …, p where the order is p."""
        nodes = range(len(self.alpha))
        left = (a * sympy.Integer(j) ** q for j, a in zip(nodes, self.alpha, strict=True))
        right = (q * b * sympy.Integer(j) ** (q - 1) for j, b in zip(nodes, self.beta, strict=True))
        return sympy.simplify(sympy.Add(*left) - sympy.Add(*right))

    def _classical_order(self) -> int:
        p = 1
        while self._defect(p + 1) == 0:
            p += 1
        return p

    @property
    def error_constant(self) -> sympy.Expr:
        """C with which the method follows ẋ = f − C h^p d^p f/dt^p + …, p its order.

        Raises
        ------
        ValueError
            If the coefficients have symbols, so that the order is not known.

        References
        ----------
        E. Hairer, S. P. Nørsett and G. Wanner (1993), Equation (III.2.13).
        """
        if self.order is None:
            raise ValueError(f"the order of {self!r} depends on the values of its parameters")
        q = self.order + 1
        return self._defect(q) / (sympy.factorial(q) * sympy.Add(*self.beta))

    @property
    def constants(self) -> tuple[sympy.Expr, ...]:
        """The weights of what is remembered and of the present and next values of f, each once."""
        weights = (*self._of_displacements, *self._of_values, self._of_present, self._of_next)
        return tuple(dict.fromkeys(w for w in weights if w != 0))

    @property
    def parameter_symbols(self) -> tuple[sympy.Symbol, ...]:
        """The free symbols of the coefficients, sorted by name."""
        free = set().union(*(c.free_symbols for c in (*self.alpha, *self.beta)))
        return tuple(sorted(free, key=lambda s: s.name))

    def with_parameters(self, **values: object) -> LinearMultistep:
        """The same method with values, or other exact expressions, for symbols in its coefficients.

        Raises
        ------
        ValueError
            If a name is none of its symbols, or the method is none at these values.
        """
        symbols = {s.name: s for s in self.parameter_symbols}
        for name in values:
            if name not in symbols:
                raise ValueError(
                    f"{name!r} is no parameter of {self.name}; its parameters are {sorted(symbols) or 'none'}"
                )
        replacement = {symbols[name]: read_expression(value) for name, value in values.items()}
        alpha, beta = ([c.xreplace(replacement) for c in cs] for cs in (self.alpha, self.beta))
        return LinearMultistep(alpha, beta)

    def start(self, field: Field, x: Sequence[Any], h: Any, arithmetic: Arithmetic) -> list[Any]:
        """Displacements and values of f before x, by the method of Dormand and Prince run backwards."""
        lengths = len(self._of_displacements), len(self._of_values)
        back, over_h = h * arithmetic.number(sympy.Integer(-1)), arithmetic.power(h, sympy.Integer(-1))
        displacements, values = [], []
        for _ in range(max(lengths)):
            before = DormandPrince5().step(field, x, back, arithmetic)
            displacements.append([(a - b) * over_h for a, b in zip(x, before, strict=True)])
            values.append(field(before))
            x = before
        return [*displacements[: lengths[0]], *values[: lengths[1]]]

    def step(self, field: Field, x: Sequence[Any], h: Any, arithmetic: Arithmetic) -> list[Any]:
        """One step of a method that remembers nothing."""
        end, _ = self.update(field, x, [], h, arithmetic)
        return end

    def update(
        self, field: Field, x: Sequence[Any], memory: Memory, h: Any, arithmetic: Arithmetic
    ) -> tuple[list[Any], Memory]:
        """d_k = Σ β_j f_{n+j} − Σ a_i d_i, x ↦ x + h d_k; what is remembered moves up by one."""
        count = len(self._of_displacements)
        displacements, values = list(memory[:count]), list(memory[count:])
        present = field(x)
        known = _combination(
            [self._of_present, *self._of_displacements, *self._of_values],
            [present, *displacements, *values],
            arithmetic,
        )
        newest = known if self.is_explicit else self._solved(field, x, known, present, h, arithmetic)
        end = [x_i + h * d_i for x_i, d_i in zip(x, newest, strict=True)]
        return end, [*[newest, *displacements][:count], *[present, *values][: len(values)]]

    def _solved(
        self,
        field: Field,
        x: Sequence[Any],
        known: list[Any],
        present: list[Any],
        h: Any,
        arithmetic: Arithmetic,
    ) -> list[Any]:
        """The solution d of d = known + β_k f(x + h d)."""
        weight = arithmetic.number(self._of_next)

        def image(K: list[list[Any]]) -> list[list[Any]]:
            ahead = field([x_i + h * d_i for x_i, d_i in zip(x, K[0], strict=True)])
            return [[c + weight * f_i for c, f_i in zip(known, ahead, strict=True)]]

        return arithmetic.fixed_point(image, [present])[0]

    def __repr__(self) -> str:
        coefficients = (list(map(str, c)) for c in (self.alpha, self.beta))
        return "LinearMultistep({}, {})".format(*coefficients)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LinearMultistep) and (self.alpha, self.beta) == (other.alpha, other.beta)

    def __hash__(self) -> int:
        return hash((self.alpha, self.beta))


def _read(coefficients: Sequence[Value | str], name: str) -> list[sympy.Expr]:
    """The coefficients as exact expressions."""
    if isinstance(coefficients, str) or not isinstance(coefficients, Sequence):
        raise TypeError(f"{name} must be a sequence of coefficients, such as [-1, 1], not {coefficients!r}")
    read = []
    for value in coefficients:
        try:
            read.append(read_expression(value))
        except (TypeError, ValueError) as error:
            raise type(error)(f"the coefficient {value!r} of {name} cannot be read: {error}") from None
        require_numbers(read[-1], f"a coefficient of {name}")
        if read[-1].is_finite is False or read[-1].is_real is False:
            raise ValueError(f"the coefficients of {name} must be real and finite, not {read[-1]}")
        if STEP_SIZE in read[-1].free_symbols:
            raise ValueError(f"the coefficients of {name} cannot contain {STEP_SIZE}, which is the step size")
    return read


def _without_end(weights: list[sympy.Expr]) -> list[sympy.Expr]:
    """The weights through the last that is not 0."""
    while weights and weights[-1] == 0:
        weights = weights[:-1]
    return weights


def _combination(
    weights: Sequence[sympy.Expr], vectors: Sequence[Sequence[Any]], arithmetic: Arithmetic
) -> list[Any]:
    """Σ_i weights_i vectors_i."""
    total = [arithmetic.number(sympy.S.Zero)] * len(vectors[0])
    for weight, vector in zip(weights, vectors, strict=True):
        if weight != 0:
            c = arithmetic.number(weight)
            total = [t + c * v for t, v in zip(total, vector, strict=True)]
    return total
