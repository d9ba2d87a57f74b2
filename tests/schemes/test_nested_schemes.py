"""Schemes built on schemes: losses, clocks, names and randomness."""

import numpy as np
import pytest
import sympy

import bea
from bea.schemes import (
    GradientDescent,
    HeavyBall,
    LieTrotter,
    LinearMultistep,
    Lookahead,
    RandomShuffling,
    RungeKutta,
    WeightDecay,
    WithReplacement,
)

LINE = bea.Loss("x**2/2", variables="x")
SUM = bea.LossSum(["x**2", "(x - 1)**2"], variables="x")
x = sympy.Symbol("x")


@pytest.mark.parametrize("scheme", [WeightDecay(decay="1/10"), WeightDecay(decay="1/10", decoupled=False)])
def test_loss_with_weight_decay(scheme):
    """On x²/2 descent with decay λ is descent on (1 + λ)x²/2: E_0 + h E_1 with E_1 = ¼(1 + λ)²x²."""
    terms = bea.modified_equation(LINE, scheme, 1).loss.terms
    assert list(terms) == [sympy.Rational(11, 20) * x**2, sympy.Rational(121, 400) * x**2]


def test_loss_with_a_decay_without_a_value():
    loss = bea.Loss("(1 - a*b)**2 / 2", variables="a b")
    decay, a, b = sympy.symbols("decay a b")
    modified = bea.modified_equation(loss, WeightDecay(), 1).loss
    penalised = loss.expression + decay * (a**2 + b**2) / 2
    squared = sum(penalised.diff(v) ** 2 for v in (a, b)) / 4
    assert sympy.expand(modified.terms[0] - penalised) == 0
    assert sympy.expand(modified.terms[1] - squared) == 0


def test_modifying_integrator_on_a_clock_of_several_steps():
    """Lookahead by 2 steps with α = 1 is two steps of descent in the time 2h."""
    plain = bea.modifying_integrator(LINE, GradientDescent(), 2)
    twice = bea.modifying_integrator(LINE, Lookahead(GradientDescent(), 2, 1), 2)
    assert list(twice.terms) == list(plain.terms)
    with pytest.raises(ValueError, match="does not follow the field itself"):
        bea.modifying_integrator(LINE, Lookahead(GradientDescent(), 2, "1/2"), 2)
    with pytest.raises(ValueError, match="lie-trotter takes its parts one at a time"):
        bea.modifying_integrator(SUM, LieTrotter(GradientDescent()))


@pytest.mark.parametrize("inner", [RandomShuffling(), WithReplacement()])
def test_drawn_passes_inside_another_scheme_are_not_iterated(inner):
    with pytest.raises(ValueError, match="draws its passes at random, which cannot be iterated"):
        bea.iterate(SUM, WeightDecay(inner, "1/10"), [1.0], 0.01, 2)
    drawn = [bea.iterate(SUM, inner, [1.0], 0.01, 50, rng=seed).x[-1, 0] for seed in (0, 1, 0)]
    assert drawn[0] == drawn[2] != drawn[1]


def test_parameters_that_cancel_in_the_sum_keep_their_values():
    losses = bea.LossSum(["c*x**2", "x**2 - c*x**2"], variables="x", parameters={"c": 2})
    assert losses.parameters == {"c": 2}
    assert bea.slope(losses, LieTrotter(GradientDescent()), [1.0], order=1).agrees


def test_names_of_scheme_and_system():
    loss = bea.Loss("beta*x**2", variables="x")
    with pytest.raises(ValueError, match="'beta' is that of a parameter of both heavy-ball and the system"):
        bea.iterate(loss, HeavyBall(), [1.0], 0.1, 3, parameters={"beta": 0.5})
    with pytest.raises(ValueError, match="'beta' of heavy-ball has no value"):
        bea.slope(LINE, HeavyBall(), [1.0])
    with pytest.raises(ValueError, match="does not contract"):
        bea.slope(LINE, HeavyBall(), [1.0], order=1, parameters={"beta": 2})
    with pytest.raises(ValueError, match="'foo' is no parameter here"):
        bea.modified_equation(LINE, HeavyBall("1/2"), 1).memory([1.0], h=0.1, foo=3)


def test_step_maps_know_their_clock_and_their_memory():
    step = bea.StepMap(SUM, RandomShuffling(), sympy.Rational(1, 1000), bits=200)
    assert step.time == sympy.Rational(1, 500)
    seen = bea.observed_field(step, np.array([sympy.Rational(1, 2)], dtype=object), h=step.time, order=6)
    derived = bea.modified_equation(SUM, RandomShuffling(), order=5).field()([0.5], h=1e-3)
    assert float(seen[0]) == pytest.approx(float(derived[0]), rel=1e-12)
    with pytest.raises(ValueError, match="heavy-ball has a memory: call the map with x and a memory"):
        bea.StepMap(LINE, HeavyBall("1/2"), 0.01)([1.0])


@pytest.mark.parametrize("name", ["nan", "oo", "I"])
def test_names_that_are_no_numbers(name):
    for build in (
        lambda: HeavyBall(name),
        lambda: RungeKutta([[0, 0], [name, 0]], ["1/2", "1/2"]),
        lambda: LinearMultistep([-1, 1], [name, 0]),
    ):
        with pytest.raises(ValueError, match=f"must be a real number, .*{name} is neither"):
            build()


def test_bad_randomness_is_one_sentence():
    with pytest.raises(TypeError, match="rng must be a seed"):
        bea.iterate(SUM, RandomShuffling(), [1.0], 0.01, 2, rng="one")
