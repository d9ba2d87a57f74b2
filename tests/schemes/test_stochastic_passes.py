"""Passes over minibatches against all orders written out in high precision, and against closed forms."""

from itertools import permutations

import mpmath
import numpy as np
import pytest
import sympy

import bea
from bea.schemes import (
    CyclicDescent,
    ExplicitMidpoint,
    GradientDescent,
    RandomShuffling,
    WithReplacement,
)

BATCHES = bea.LossSum(
    ["(a*b - 1)**2 / 2", "(a - 2*b)**2 / 2 + a", "(a**2 - b)**2 / 4", "a*b**2"], variables="a b"
)
GRADIENTS = (
    lambda a, b: ((a * b - 1) * b, (a * b - 1) * a),
    lambda a, b: (a - 2 * b + 1, -2 * (a - 2 * b)),
    lambda a, b: ((a * a - b) * a, -(a * a - b) / 2),
    lambda a, b: (b * b, 2 * a * b),
)
POINT = (sympy.Rational(3, 2), sympy.Rational(1, 3))


def pass_over(x, order, h):
    """One epoch of gradient descent."""
    a, b = x
    for k in order:
        u, v = GRADIENTS[k](a, b)
        a, b = a - h * u, b - h * v
    return np.array([a, b], dtype=object)


def mean_epoch(x, h, parts=4):
    orders = list(permutations(range(parts)))
    return sum(pass_over(x, order, h) for order in orders) / len(orders)


def mean_update(x, h, parts=4):
    return sum(pass_over(x, [k], h) for k in range(parts)) / parts


@pytest.fixture
def point():
    """The point in 120 digits, for the time of the test."""
    with mpmath.workdps(120):
        yield np.array([mpmath.mpf(int(v.p)) / int(v.q) for v in POINT], dtype=object)


def at_point(expressions, h):
    values = {**dict(zip(BATCHES.variables, POINT, strict=True)), sympy.Symbol("h"): h}
    return [mpmath.mpf(int(e.p)) / int(e.q) for e in sympy.Matrix(expressions).subs(values)]


def sum_of_squared_gradients(losses):
    return sum(part.expression.diff(v) ** 2 for part in losses.parts for v in losses.variables)


# -- against iterates --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scheme", "step", "duration"),
    [
        (RandomShuffling(), mean_epoch, 4),
        (CyclicDescent(), lambda x, h: pass_over(x, (0, 1, 2, 3), h), 4),
        (CyclicDescent(sequence=(2, 0, 3, 1)), lambda x, h: pass_over(x, (2, 0, 3, 1), h), 4),
        (WithReplacement(), mean_update, 1),
    ],
)
def test_the_derived_field_is_the_observed_one(scheme, step, duration, point):
    h = mpmath.mpf(10) ** -8
    observed = bea.observed_field(lambda x: step(x, h), point, h, order=4) / duration
    derived = bea.modified_equation(BATCHES, scheme, order=3).expressions()
    for seen, known in zip(observed, at_point(derived, sympy.Rational(1, 10**8)), strict=True):
        assert abs(seen - known) < mpmath.mpf(10) ** -26


def test_iterates_are_those_of_the_mean_map(point):
    path = bea.arbitrary.iterate(BATCHES, RandomShuffling(), POINT, "1/50", steps=2, bits=200)
    x = point
    for row in path[1:]:
        x = mean_epoch(x, mpmath.mpf(1) / 50)
        for seen, known in zip(row, x, strict=True):
            assert abs(mpmath.mpf(seen.str(60, radius=False)) - known) < mpmath.mpf(10) ** -56


# -- modified losses ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", [RandomShuffling(), RandomShuffling(samples=1, seed=5)])
@pytest.mark.parametrize(
    "losses",
    [
        BATCHES,
        bea.LossSum(["(x - 1)**2", "(x - 2*y)**2 / 2 + 3", "y**2 - x"], variables="x y"),
        bea.LossSum(["exp(x)", "tanh(x*y)"], variables="x y"),
    ],
)
def test_the_loss_of_shuffling_with_its_constant(scheme, losses):
    modified = bea.modified_equation(losses, scheme, order=1).loss
    m = len(losses.parts)
    assert sympy.simplify(modified.terms[0] - losses.expression / m) == 0
    assert sympy.simplify(modified.terms[1] - sum_of_squared_gradients(losses) / (4 * m)) == 0
    assert modified.is_exact(1)


def test_with_replacement_there_is_the_gradient_of_the_mean_alone():
    modified = bea.modified_equation(BATCHES, WithReplacement(), order=1).loss
    mean = BATCHES.expression / 4
    squared = sum(mean.diff(v) ** 2 for v in BATCHES.variables)
    assert sympy.expand(modified.terms[0] - mean) == 0
    assert sympy.expand(modified.terms[1] - squared / 4) == 0
    assert sympy.expand(modified.terms[1] - sum_of_squared_gradients(BATCHES) / 16) != 0


def test_a_fixed_order_differs_by_commutators():
    fixed = bea.modified_equation(BATCHES, CyclicDescent(), order=1)
    shuffled = bea.modified_equation(BATCHES, RandomShuffling(), order=1)
    v = BATCHES.variables
    g = [sympy.Matrix([part.expression.diff(x) for x in v]) for part in BATCHES.parts]
    H = [gradient.jacobian(v) for gradient in g]
    commutators = sympy.zeros(2, 1)
    for k in range(4):
        for j in range(k):
            commutators += (H[k] * g[j] - H[j] * g[k]) / 8
    assert (fixed.terms[1] - shuffled.terms[1] - commutators).expand().is_zero_matrix
    assert not (fixed.terms[1] - shuffled.terms[1]).expand().is_zero_matrix
    assert not fixed.loss.is_exact(1)


def test_the_mean_of_an_order_and_its_reverse_needs_no_commutators():
    fields = [
        bea.modified_equation(BATCHES, CyclicDescent(sequence=order), order=1).terms[1]
        for order in ((2, 0, 3, 1), (1, 3, 0, 2))
    ]
    shuffled = bea.modified_equation(BATCHES, RandomShuffling(), order=1).terms[1]
    assert ((fields[0] + fields[1]) / 2 - shuffled).expand().is_zero_matrix


def test_exact_flows_in_a_random_order_have_another_regulariser():
    """The mean of exp(A)exp(B) over both orders: E₁ is not a quarter of the mean squared gradient."""
    losses = bea.LossSum(["x**2 / 2", "(x - y)**2 / 2"], variables="x y")
    equation = bea.modified_equation(losses, RandomShuffling(inner=None), order=1)
    assert all(term == 0 for term in equation.terms[1].expand())


def test_inner_schemes_of_second_order_leave_no_term_at_h():
    equation = bea.modified_equation(BATCHES, RandomShuffling(inner=ExplicitMidpoint()), order=1)
    assert equation.terms[1].expand().is_zero_matrix


# -- sampling ----------------------------------------------------------------------------------------------


def test_samples_converge_to_the_mean_over_all_orders():
    def step(scheme):
        path = bea.arbitrary.iterate(BATCHES, scheme, POINT, "1/20", steps=1, bits=80)
        return np.array([float(value) for value in path[1]])

    exact = step(RandomShuffling())
    errors = [
        np.mean([np.abs(step(RandomShuffling(samples=n, seed=s)) - exact).max() for s in range(8)])
        for n in (2, 32, 512)
    ]
    assert errors[0] > 2 * errors[1] > 4 * errors[2] > 0
    assert step(RandomShuffling(samples=3, seed=1)).tolist() != step(RandomShuffling(samples=3)).tolist()


def test_a_sampled_mean_says_so():
    sampled = RandomShuffling(samples=10, seed=3)
    assert sampled.is_sampled
    assert not RandomShuffling().is_sampled
    assert "samples=10, seed=3" in repr(sampled)


# -- draws -------------------------------------------------------------------------------------------------


class TestDraws:
    def test_every_epoch_of_shuffling_is_a_permutation_and_all_occur(self):
        drawn = RandomShuffling().draw(3, 6000, np.random.default_rng(0))
        assert drawn.shape == (6000, 3)
        assert np.issubdtype(drawn.dtype, np.integer)
        orders, counts = np.unique(drawn, axis=0, return_counts=True)
        assert sorted(map(tuple, orders)) == list(permutations(range(3)))
        assert np.sum((counts - 1000) ** 2 / 1000) < 20.5  # χ² with 5 degrees of freedom, 99.9 %

    def test_with_replacement_all_parts_occur_alike(self):
        drawn = WithReplacement().draw(5, 10_000, np.random.default_rng(0))
        assert drawn.shape == (10_000, 1)
        counts = np.bincount(drawn[:, 0], minlength=5)
        assert np.sum((counts - 2000) ** 2 / 2000) < 18.5  # χ² with 4 degrees of freedom, 99.9 %

    def test_a_fixed_order_is_repeated(self):
        drawn = CyclicDescent(sequence=(1, 2, 0)).draw(3, 2, np.random.default_rng(0))
        assert drawn.tolist() == [[1, 2, 0], [1, 2, 0]]

    @pytest.mark.parametrize("scheme", [RandomShuffling(), WithReplacement()])
    def test_draws_depend_on_the_seed_alone(self, scheme):
        whole = scheme.draw(5, 20, np.random.default_rng(1))
        rng = np.random.default_rng(1)
        pieces = np.vstack([scheme.draw(5, n, rng) for n in (3, 17)])
        assert (whole == pieces).all()
        assert (whole != scheme.draw(5, 20, np.random.default_rng(2))).any()

    def test_one_update_with_one_part(self):
        class Field:
            parts = (lambda x: [-3 * x[0]], lambda x: [-5 * x[0]])

        assert RandomShuffling().part_step(Field, [2.0], 0.1, Floats(), 1) == [1.0]


class Floats:
    def number(self, constant):
        return float(constant)


# -- what is refused ---------------------------------------------------------------------------------------


def test_too_many_parts_for_all_orders():
    losses = bea.LossSum([f"(x - {k})**2" for k in range(7)], "x")
    with pytest.raises(ValueError, match=r"at most 6 parts, and there are 7: pass samples="):
        bea.modified_equation(losses, RandomShuffling())
    sampled = bea.modified_equation(losses, RandomShuffling(samples=2), order=1).loss
    assert sympy.expand(sampled.terms[1] - sum_of_squared_gradients(losses) / 28) == 0


@pytest.mark.parametrize("samples", [0, -1, 2.5, True, "many"])
def test_samples_are_refused(samples):
    with pytest.raises(ValueError, match="samples must be an integer, 1 or more"):
        RandomShuffling(samples=samples)


@pytest.mark.parametrize("scheme", [CyclicDescent(), RandomShuffling(), WithReplacement()])
def test_a_system_without_parts_is_refused(scheme):
    with pytest.raises(ValueError, match=f"{scheme.name} steps along the parts of a system"):
        bea.modified_equation(bea.Loss("x**2", "x"), scheme)


def test_one_part_is_descent_itself():
    loss = bea.LossSum(["(a*b - 1)**2"], "a b")
    plain = bea.modified_equation(loss.parts[0], GradientDescent(), order=3)
    for scheme in (CyclicDescent(), RandomShuffling(), WithReplacement()):
        terms = bea.modified_equation(loss, scheme, order=3).terms
        assert [t.expand() for t in terms] == [t.expand() for t in plain.terms]
