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


def gradient_descent_on_a_network() -> Iterator[Row]:
    """The field through h² on six variables with tanh in it, with shared parts and multiplied out.

    Each is derived from the loss; the remark compares the programs that a compiler has to treat.
    """
    import bea
    from bea.numerics.program import Program
    from bea.series import bseries

    scheme = bea.GradientDescent()

    def ours() -> bea.VectorField:
        series = bseries(scheme, order=3).log()
        return bea.evaluate_series(series, bea.catalogue.tanh_network(), expanded=False).field()

    def multiplied_out() -> bea.VectorField:
        return bea.modified_equation(bea.catalogue.tanh_network(), scheme, order=2).field()

    names = "field of a network, h^2", "multiplied out"
    seconds = medians(dict(zip(names, (ours, multiplied_out), strict=True)), 3)
    few, many = (
        Program(f.components, [*f.variables, *f.parameter_symbols]).size for f in (ours(), multiplied_out())
    )
    yield Row(*names, *seconds.values(), 5.0, f"{few} operations, not {many}")


SECTION = (euler_on_the_two_parameter_loss, gradient_descent_on_a_network)
