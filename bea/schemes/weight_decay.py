"""Weight decay, for any scheme."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sympy

from bea.schemes.parametric import constant
from bea.schemes.scheme import Arithmetic, Field, Memory
from bea.schemes.wrapper import Wrapper
from bea.systems.expressions import Value

__all__ = ["WeightDecay", "decayed"]


@dataclass(frozen=True, repr=False)
class WeightDecay(Wrapper):
    """Weight decay around any scheme, decoupled from its step or as part of the field [1]_, [2]_.

    Decoupled decay subtracts hλx from what the scheme makes of x. Coupled decay lets the scheme step along
    f(x) − λx, which for a loss is the penalty λ‖x‖²/2. For gradient descent the two are one; for schemes with
    momentum or a step size for every variable they are not.

    Parameters
    ----------
    scheme : Scheme, optional
        By default gradient descent.
    decay : number, text or sympy.Expr, optional
        The rate λ; by default the symbol ``decay``.
    decoupled : bool, default True

    Raises
    ------
    TypeError, ValueError
        If `scheme` is no scheme, or the decay cannot be read.

    Notes
    -----
    Coupled decay belongs to the whole field. A scheme that steps along the parts of a system one at a time
    takes decoupled decay only.

    References
    ----------
    .. [1] S. J. Hanson and L. Y. Pratt (1988), Comparing biases for minimal network construction with
           back-propagation, Advances in Neural Information Processing Systems 1, 177–185.
    .. [2] I. Loshchilov and F. Hutter (2019), Decoupled weight decay regularization, International Conference
           on Learning Representations, Section 2.

    Examples
    --------
    >>> import bea
    >>> loss = bea.Loss("x**2 / 2", variables="x")
    >>> for decoupled in (True, False):
    ...     scheme = bea.schemes.WeightDecay(bea.HeavyBall("1/2"), "1/10", decoupled)
    ...     bea.modified_equation(loss, scheme, order=0).terms[0]
    Matrix([[-21*x/10]])
    Matrix([[-11*x/5]])
    """

    decay: Value | str = constant("decay")
    decoupled: bool = True

    name = "weight-decay"

    def require(self, parts: int) -> None:
        """Refuse what the inner scheme refuses; coupled decay leaves it no parts."""
        self.scheme.require(parts if self.decoupled else 0)

    def duration(self, parts: int) -> int:
        """As many step sizes of time as the inner scheme takes."""
        return self.scheme.duration(parts if self.decoupled else 0)

    def start(self, field: Field, x: Sequence[Any], h: Any, arithmetic: Arithmetic) -> list[Any]:
        """The memory with which the inner scheme starts."""
        return self.scheme.start(self._inner_field(field, arithmetic), x, h, arithmetic)

    def update(
        self, field: Field, x: Sequence[Any], memory: Memory, h: Any, arithmetic: Arithmetic
    ) -> tuple[list[Any], Memory]:
        """A step of the inner scheme, less hλx or along f − λx."""
        end, memory = self.scheme.update(self._inner_field(field, arithmetic), x, memory, h, arithmetic)
        return decayed(end, x, h, self.decay, arithmetic) if self.decoupled else end, memory

    def _inner_field(self, field: Field, arithmetic: Arithmetic) -> Field:
        return field if self.decoupled else _DecayingField(field, arithmetic.number(self.decay))


class _DecayingField:
    """The field f(x) − λx, as a whole."""

    parts: tuple[Field, ...] = ()

    def __init__(self, field: Field, decay: Any) -> None:
        self._field, self._decay = field, decay

    def __call__(self, x: Sequence[Any]) -> list[Any]:
        return [f_i - self._decay * x_i for f_i, x_i in zip(self._field(x), x, strict=True)]

    def flow(self, x: Sequence[Any], t: Any) -> list[Any]:
        """Refuse: the exact flow is that of another system."""
        raise ValueError(
            "coupled weight decay is not for schemes that follow the exact flow: use decoupled=True, "
            "or add the penalty to the system"
        )


def decayed(
    end: Sequence[Any], x: Sequence[Any], h: Any, decay: sympy.Expr, arithmetic: Arithmetic
) -> list[Any]:
    """The end of a step from x, less hλx."""
    share = h * arithmetic.number(decay)
    return [e_i - share * x_i for e_i, x_i in zip(end, x, strict=True)]
