"""Lookahead, around any scheme."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any

from bea.schemes.parametric import constant
from bea.schemes.scheme import Arithmetic, Field, Memory
from bea.schemes.wrapper import Wrapper
from bea.systems.expressions import Value

__all__ = ["Lookahead"]


@dataclass(frozen=True, repr=False)
class Lookahead(Wrapper):
    """Lookahead: k steps of an inner scheme, then back to a point on the way from where they began [1]_.

    From x the inner scheme goes to y in k steps; the next x is x + α(y − x). What the inner scheme remembers
    is carried on. One step of Lookahead takes the time kh, so its field begins with α times that of the inner
    scheme.

    Parameters
    ----------
    scheme : Scheme, optional
        The inner scheme; by default gradient descent.
    steps : int, default 5
        The number k of inner steps.
    alpha : number, text or sympy.Expr, optional
        The part α of the way; by default the symbol ``alpha``.

    Raises
    ------
    TypeError, ValueError
        If `scheme` is no scheme, `steps` is not a positive integer, or alpha cannot be read.

    References
    ----------
    .. [1] M. R. Zhang, J. Lucas, G. Hinton and J. Ba (2019), Lookahead optimizer: k steps forward, 1 step
           back, Advances in Neural Information Processing Systems 32, Algorithm 1.

    Examples
    --------
    >>> import bea
    >>> loss = bea.Loss("x**2 / 2", variables="x")
    >>> scheme = bea.schemes.Lookahead(bea.GradientDescent(), steps=2, alpha="1/2")
    >>> bea.modified_equation(loss, scheme, order=1).field()
    VectorField([-x/2], variables='x')
    """

    steps: int = 5
    alpha: Value | str = constant("alpha")

    name = "lookahead"

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.steps, bool) or not isinstance(self.steps, Integral) or self.steps < 1:
            raise ValueError(f"the steps of Lookahead must be an integer, 1 or more, not {self.steps!r}")
        object.__setattr__(self, "steps", int(self.steps))

    def duration(self, parts: int) -> int:
        """As many step sizes of time as the inner steps take together."""
        return self.steps * self.scheme.duration(parts)

    def update(
        self, field: Field, x: Sequence[Any], memory: Memory, h: Any, arithmetic: Arithmetic
    ) -> tuple[list[Any], Memory]:
        """k inner steps from x to y, then x ↦ x + α(y − x)."""
        y: Sequence[Any] = x
        for _ in range(self.steps):
            y, memory = self.scheme.update(field, y, memory, h, arithmetic)
        alpha = arithmetic.number(self.alpha)
        return [x_i + alpha * (y_i - x_i) for x_i, y_i in zip(x, y, strict=True)], memory
