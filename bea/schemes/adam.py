"""Adam, and Adam with decoupled weight decay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sympy

from bea.schemes.adaptive import divided_by_root, running_mean
from bea.schemes.parametric import ParametricScheme, constant
from bea.schemes.scheme import Arithmetic, Field, Memory
from bea.schemes.weight_decay import decayed
from bea.systems.expressions import Value

__all__ = ["Adam", "AdamW"]


@dataclass(frozen=True, repr=False)
class Adam(ParametricScheme):
    r"""Adam, with running means of the gradient and of its square [1]_.

    With f = −∇E, in every variable

        m ↦ β₁m + (1 − β₁)f(x),   v ↦ β₂v + (1 − β₂)f(x)²,   x ↦ x + h m/√(v + ε).

    This is the convention of the theory [2]_, [3]_ and the default here: ε is inside the root, where it keeps
    the method smooth, and m and v are used as they are. The algorithm as published, and as the libraries
    run it, is ``Adam(beta1, beta2, eps, inside=False, bias_correction=True)``: ε outside the root, and
    m/(1 − β₁ⁿ) and v/(1 − β₂ⁿ) in place of m and v in the n-th step.

    Parameters
    ----------
    beta1, beta2 : number, text or sympy.Expr, optional
        How much of the running means is kept; by default the symbols ``beta1`` and ``beta2``.
    eps : number, text or sympy.Expr, optional
        The ε in the denominator; by default the symbol ``eps``.
    inside : bool, default True
        Whether the denominator is √(v + ε), which is smooth, or √v + ε. The latter is not smooth where a
        component of the gradient vanishes; formulas then hold where none does, and write |f| as √(f²).
    bias_correction : bool, default False
        Whether the running means are divided by 1 − βⁿ. The factors c = βⁿ belong to the memory and die
        away, so the modified equation is the same with and without.

    Notes
    -----
    With g = ∇E, the modified equation is

    .. math:: \dot x_j = -\frac{1}{\sqrt{g_j^2+ε}} \Bigl( g_j + \frac h2 \Bigl( \frac{1+β_1}{1-β_1}
              - \frac{1+β_2}{1-β_2} + \frac{1+β_2}{1-β_2} \frac{ε}{g_j^2+ε} \Bigr)
              \partial_j \sum_i \sqrt{g_i^2+ε} \Bigr) + O(h^2).

    References
    ----------
    .. [1] D. P. Kingma and J. Ba (2015), Adam: a method for stochastic optimization, International Conference
           on Learning Representations, Algorithm 1.
    .. [2] C. Ma, L. Wu and W. E (2022), A qualitative study of the dynamic behavior for adaptive gradient
           algorithms, Proceedings of Machine Learning Research 145, 671–692.
    .. [3] M. D. Cattaneo, J. M. Klusowski and B. Shigida (2024), On the implicit bias of Adam, International
           Conference on Machine Learning.

    Examples
    --------
    >>> import bea
    >>> loss = bea.Loss("x**2 / 2", variables="x")
    >>> equation = bea.modified_equation(loss, bea.Adam("1/2", "1/2", 3), order=1)
    >>> equation.terms[0], equation.terms[1].applyfunc(lambda e: e.factor())
    (Matrix([[-x/sqrt(x**2 + 3)]]), Matrix([[-9*x/(2*(x**2 + 3)**2)]]))
    """

    beta1: Value | str = constant("beta1")
    beta2: Value | str = constant("beta2")
    eps: Value | str = constant("eps")
    inside: bool = True
    bias_correction: bool = False

    name, vectors = "adam", 2

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.bias_correction:
            object.__setattr__(self, "scalars", 2)
            object.__setattr__(self, "initial_scalars", (1, 1))

    def update(
        self, field: Field, x: Sequence[Any], memory: Memory, h: Any, arithmetic: Arithmetic
    ) -> tuple[list[Any], Memory]:
        """m ↦ β₁m + (1 − β₁)f, v ↦ β₂v + (1 − β₂)f², x ↦ x + h m/√(v + ε)."""
        m, v, *powers = memory
        f = field(x)
        m = running_mean(m, f, self.beta1, arithmetic)
        v = running_mean(v, [f_i * f_i for f_i in f], self.beta2, arithmetic)
        mean, square = m, v
        if self.bias_correction:
            powers = [c * arithmetic.number(b) for c, b in zip(powers, (self.beta1, self.beta2), strict=True)]
            mean, square = _unbiased(m, powers[0], arithmetic), _unbiased(v, powers[1], arithmetic)
        step = divided_by_root(mean, square, self.eps, self.inside, arithmetic)
        return [x_i + h * s_i for x_i, s_i in zip(x, step, strict=True)], [m, v, *powers]


def _unbiased(mean: Sequence[Any], c: Any, arithmetic: Arithmetic) -> list[Any]:
    """The running mean divided by 1 − c."""
    factor = arithmetic.power(arithmetic.number(sympy.S.One) - c, sympy.Integer(-1))
    return [value * factor for value in mean]


@dataclass(frozen=True, repr=False)
class AdamW(Adam):
    """Adam with decoupled weight decay, x ↦ (step of Adam from x) − hλx [1]_.

    It is ``WeightDecay(Adam(...), decay)`` under a name of its own. The published algorithm has
    ``inside=False`` and ``bias_correction=True``.

    Parameters
    ----------
    beta1, beta2, eps, inside, bias_correction
        As in `Adam`.
    decay : number, text or sympy.Expr, optional
        The rate λ of the decay; by default the symbol ``decay``.

    References
    ----------
    .. [1] I. Loshchilov and F. Hutter (2019), Decoupled weight decay regularization, International Conference
           on Learning Representations, Algorithm 2.

    Examples
    --------
    >>> import bea
    >>> loss = bea.Loss("x**2 / 2", variables="x")
    >>> bea.modified_equation(loss, bea.schemes.AdamW("9/10", "99/100", 1), order=0).terms[0]
    Matrix([[-decay*x - x/sqrt(x**2 + 1)]])
    """

    decay: Value | str = constant("decay")

    name = "adamw"

    def update(
        self, field: Field, x: Sequence[Any], memory: Memory, h: Any, arithmetic: Arithmetic
    ) -> tuple[list[Any], Memory]:
        """The step of Adam, less hλx."""
        end, memory = super().update(field, x, memory, h, arithmetic)
        return decayed(end, x, h, self.decay, arithmetic), memory
