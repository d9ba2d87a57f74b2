"""Modified equations by sparse polynomials beside the same sums by `sympy.expand`."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from comparison import Row, medians


def euler_on_the_two_parameter_loss() -> Iterator[Row]:
    """The logarithm of Euler's map on ½(1 − ab)² through h⁸ and h¹².

    Ours is the public call, from the loss to all coefficients; the peer runs the same recurrence on SymPy
    expressions and starts from the finished field.
    """
    import bea
    from bea.modified.logarithm import logarithm
    from bea.modified.sympy_ring import SympyRing

    scheme = bea.GradientDescent()

    def ours(order: int) -> None:
        bea.modified_equation(bea.Loss("(1 - a*b)**2 / 2", variables="a b"), scheme, order)

    def by_expansion(order: int) -> None:
        field = bea.Loss("(1 - a*b)**2 / 2", variables="a b").field
        ring = SympyRing(field.variables, field.components)
        nothing = [ring.zero] * 2
        logarithm(ring, [[ring.element(c) for c in field.components], *[nothing] * order])

    for order, wanted, rounds in ((8, 20.0, 9), (12, 20.0, 3)):
        names = f"modified equation, h^{order}", "sympy.expand"
        runs = partial(ours, order), partial(by_expansion, order)
        seconds = medians(dict(zip(names, runs, strict=True)), rounds)
        yield Row(*names, *seconds.values(), wanted)


SECTION = (euler_on_the_two_parameter_loss,)
