"""B-series of schemes with memory: beside the logarithm of Lie series and beside elementary weights."""

from itertools import product

import pytest
import sympy

import bea
from bea.series import bseries
from bea.series.momentum import slow_series

S = bea.schemes
BETA = sympy.Symbol("beta")
FIELD = bea.VectorField(["a*b + b**2/2", "a**2/3 - b"], variables="a b")
MOMENTUM = [
    bea.HeavyBall(),
    bea.HeavyBall("-2/3"),
    bea.Nesterov(),
    S.OptimisticGradient(),
    S.Lookahead(bea.HeavyBall("1/2"), steps=2),
    S.LinearMultistep([0, -1, 1], ["-1/2", "3/2", 0]),
    S.LinearMultistep(["1/3", "-4/3", 1], [0, 0, "2/3"]),
]


def differential(tree, components, variables):
    """F(τ) = f^(m)(F(τ₁), …, F(τ_m)), by differentiation of expressions."""
    branches = [differential(child, components, variables) for child in tree.children]
    columns = range(len(variables))
    return [
        sympy.Add(
            *(
                (sympy.diff(c, *(variables[j] for j in places)) if places else c)
                * sympy.prod(branch[j] for branch, j in zip(branches, places, strict=True))
                for places in product(columns, repeat=len(branches))
            )
        )
        for c in components
    ]


@pytest.mark.parametrize("scheme", MOMENTUM, ids=repr)
def test_it_is_the_modified_equation(scheme):
    order = 3
    modified = slow_series(scheme, order + 1).log()
    equation = bea.modified_equation(FIELD, scheme, order=order)
    for k in range(order + 1):
        total = sympy.zeros(2, 1)
        for tree, c in modified.terms(k + 1).items():
            value = differential(tree, list(FIELD.components), list(FIELD.variables))
            total += sympy.Matrix(value) * c / (tree.symmetry * scheme.duration(0))
        assert (total - equation.terms[k]).applyfunc(sympy.cancel) == sympy.zeros(2, 1)


def test_the_published_terms_of_momentum():
    heavy, nesterov = (slow_series(scheme, 2).log() for scheme in (bea.HeavyBall(), bea.Nesterov()))
    single, pair = bea.RootedTree([1]), bea.RootedTree([1, 2])
    for series, factor in ((heavy, 1 + BETA), (nesterov, 1 - BETA + 2 * BETA**2)):
        assert sympy.cancel(series[single] - 1 / (1 - BETA)) == 0
        assert sympy.cancel(series[pair] + factor / (2 * (1 - BETA) ** 3)) == 0
    assert sympy.cancel(heavy[pair] + (1 - BETA) / (2 * (1 - BETA) ** 3)) != 0


@pytest.mark.parametrize(
    "scheme", [S.RK4(), S.Gauss(2), S.ImplicitMidpoint(), bea.GradientDescent()], ids=repr
)
def test_runge_kutta_methods_have_their_elementary_weights(scheme):
    assert slow_series(scheme, 5) == bseries(scheme, 5)


def test_no_momentum_is_gradient_descent():
    assert slow_series(bea.HeavyBall(0), 5) == bseries(bea.GradientDescent(), 5)
    assert slow_series(bea.HeavyBall("1/100"), 5) != bseries(bea.GradientDescent(), 5)


class TestRefused:
    @pytest.mark.parametrize("scheme", [bea.Adam(), S.RMSProp(), S.WeightDecay()], ids=repr)
    def test_no_series(self, scheme):
        with pytest.raises(TypeError, match="B-series"):
            slow_series(scheme)

    def test_no_contraction(self):
        with pytest.raises(ValueError, match="does not contract"):
            slow_series(bea.HeavyBall("-1"))

    def test_parts(self):
        with pytest.raises(ValueError, match="parts of a system"):
            slow_series(bea.Strang())

    def test_classes_and_orders(self):
        with pytest.raises(TypeError, match="class HeavyBall"):
            slow_series(bea.HeavyBall)
        with pytest.raises(ValueError, match="order"):
            slow_series(bea.HeavyBall(), 0)
