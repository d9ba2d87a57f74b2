"""Every scheme that is no tableau: its modified equation against its own iterates, through h³.

Two routes, neither of which shares code with the derivation: the slope of the error of one step in arbitrary
precision, and the field observed from iterates whose memory has settled.
"""

from functools import cache

import numpy as np
import pytest
import sympy
from flint import arb, ctx

import bea
from bea.schemes import SCHEMES, RungeKutta, get_scheme

#: Values for the symbols of schemes: memories that are forgotten within some hundred steps.
VALUES = {
    "beta": "1/2", "beta1": "1/2", "beta2": "3/5", "eps": "1/5", "decay": "1/4", "alpha": "2/5",
}  # fmt: skip
ORDERS = range(4)
LOSS = bea.Loss("(3/5 - a*b)**2 / 2", variables="a b")
SUM = bea.LossSum(["(3/5 - a*b)**2 / 2", "(a - b**2)**2 / 3", "(a + 2*b - 1)**2 / 5"], variables="a b")
GAME = bea.Game(["a*b + a**3/3", "-a*b + b**4/5"], players=["a", "b"], rates=[1, "3/2"])
X0 = [1.2, 0.7]
NAMES = [name for name, scheme in SCHEMES.items() if not issubclass(scheme, RungeKutta)]


def concrete(name):
    scheme = get_scheme(name)
    own = {symbol.name: VALUES[symbol.name] for symbol in scheme.parameter_symbols}
    return scheme.with_parameters(**own) if own else scheme


def system_for(scheme):
    """The plainest system that the scheme accepts."""
    for system in (LOSS, SUM, GAME):
        try:
            scheme.require(len(system.field.parts))
        except ValueError:
            continue
        return GAME if "descent" in scheme.name and "alternating" in scheme.name else system
    raise AssertionError(f"no system for {scheme.name}")


@cache
def equation(name):
    scheme = concrete(name)
    return bea.modified_equation(system_for(scheme), scheme, max(ORDERS))


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("name", NAMES)
def test_slope_of_the_one_step_error(name, order):
    scheme = concrete(name)
    measured = bea.slope(system_for(scheme), scheme, X0, order=order, bits=300)
    assert measured.agrees, measured.message
    assert abs(measured.value - measured.predicted) < 0.05
    assert measured.predicted >= order + 2


@pytest.mark.parametrize("name", NAMES)
def test_control_a_term_that_is_off_by_half_lowers_the_slope(name):
    scheme, system = concrete(name), system_for(concrete(name))
    right = equation(name)
    order = next(k for k in range(4) if any(right.terms[k]) and k >= (scheme.order or 1))

    class Wrong:
        def field(self, order):
            h = sympy.Symbol("h")
            components = right.expressions(order) + h**order * right.terms[order] / 2
            return bea.VectorField(list(components), system.variables)

    measured = bea.slope(system, scheme, X0, order=order, bits=300, equation=Wrong())
    assert not measured.agrees
    assert measured.value == pytest.approx(order + 1, abs=0.05)


@pytest.mark.parametrize("name", [n for n in NAMES if get_scheme(n).has_memory])
def test_field_observed_from_settled_iterates(name):
    """Begun in the memory of the first step, the iterates settle; then their field is what was derived."""
    scheme, h, steps = concrete(name), sympy.Rational(1, 2000), 700
    system = system_for(scheme)
    step = bea.StepMap(system, scheme, h, bits=700)
    path, memory = bea.arbitrary.iterate_with_memory(system, scheme, X0, h, steps, bits=700)
    seen = bea.observed_field(step, path[-1], h=h, order=9, memory=memory)
    known = bea.arbitrary.evaluate(
        equation(name).field().components, system.variables, list(path[-1]), {"h": h}, bits=300
    )
    omitted = bea.arbitrary.evaluate(
        equation(name).field(2).components, system.variables, list(path[-1]), {"h": h}, bits=300
    )
    with ctx.workprec(700):
        error = max(float(abs(arb(s) - k)) for s, k in zip(seen, known, strict=True))
        control = max(float(abs(arb(s) - k)) for s, k in zip(seen, omitted, strict=True))
    assert error < 0.1 * control
    assert np.isfinite(error)
