"""Compiled steps of schemes with memory, with implicit stages, and with parts drawn at random."""

import numpy as np
import pytest
import sympy

import bea
from bea.numerics import stepping
from bea.numerics.program import Program
from bea.numerics.step_source import loop_source
from bea.numerics.vector_steps import NotAlike, vector_source
from bea.schemes import HeavyBall
from bea.schemes.scheme import Scheme

LOSS = bea.Loss("(y - a*b)**2 / 2", variables="a b", parameters={"y": 0.6})


def gradient(x, y=0.6):
    return -(y - x[0] * x[1]) * x[::-1]


def heavy_ball(x, steps, h=1e-2, beta=0.9, y=0.6):
    rows, m = [x], np.zeros(2)
    for _ in range(steps):
        m = beta * m - gradient(x, y)
        x = x + h * m
        rows.append(x)
    return np.array(rows), m


class ImplicitMomentum(Scheme):
    """m ↦ m/2 + K with K = f(x + hK): the velocity takes the slope at the end of an implicit step."""

    name, vectors = "implicit-momentum", 1

    def update(self, field, x, memory, h, arithmetic):
        """One implicit stage."""
        (K,) = arithmetic.fixed_point(
            lambda K: [field([a + h * k for a, k in zip(x, K[0], strict=True)])], [field(x)]
        )
        half = arithmetic.number(sympy.Rational(1, 2))
        m = [half * old + k for old, k in zip(memory[0], K, strict=True)]
        return [a + h * b for a, b in zip(x, m, strict=True)], [m]


class Forgetful(Scheme):
    """A scalar memory that begins at one, and a step with roots of it."""

    name, scalars, initial_scalars = "forgetful", 1, (1,)

    def update(self, field, x, memory, h, arithmetic):
        """c ↦ c/4, x ↦ x + h f(x) √(1 + c)/(1 + c)."""
        (c,) = memory
        weight = arithmetic.power(1 + c, sympy.Rational(-1, 2)) * arithmetic.power(1 + c, sympy.Rational(0))
        x = [a + h * (f * weight) for a, f in zip(x, field(x), strict=True)]
        return x, [c * arithmetic.number(sympy.Rational(1, 4))]


class TestMemory:
    def test_iterates_are_those_of_a_plain_loop(self):
        rows, m = heavy_ball(np.array([2.8, 1.5]), 300)
        path = bea.iterate(LOSS, HeavyBall(0.9), [2.8, 1.5], step_size=1e-2, steps=300)
        np.testing.assert_allclose(path.x, rows, rtol=1e-12)
        np.testing.assert_allclose(path.memory, m, rtol=1e-10)

    @pytest.mark.parametrize("record_every", [1, 7, 300, 1000])
    def test_records(self, record_every):
        rows, _ = heavy_ball(np.array([2.8, 1.5]), 300)
        path = bea.iterate(LOSS, HeavyBall(0.9), [2.8, 1.5], 1e-2, 300, record_every=record_every)
        wanted = [*range(0, 301, record_every)]
        wanted += [300] if wanted[-1] != 300 else []
        np.testing.assert_allclose(path.x, rows[wanted], rtol=1e-12)
        np.testing.assert_allclose(path.t, 1e-2 * np.array(wanted))

    def test_goes_on_from_a_memory(self):
        first = bea.iterate(LOSS, HeavyBall(0.9), [2.8, 1.5], 1e-2, 100)
        second = bea.iterate(LOSS, HeavyBall(0.9), first.x[-1], 1e-2, 200, memory=first.memory)
        whole = bea.iterate(LOSS, HeavyBall(0.9), [2.8, 1.5], 1e-2, 300)
        assert np.array_equal(second.x[-1], whole.x[-1])

    def test_symbols_of_the_scheme_take_values_from_parameters(self):
        given = bea.iterate(LOSS, HeavyBall(), [2.8, 1.5], 1e-2, 50, parameters={"beta": 0.3, "y": 2})
        rows, _ = heavy_ball(np.array([2.8, 1.5]), 50, beta=0.3, y=2)
        np.testing.assert_allclose(given.x, rows, rtol=1e-12)
        assert given.parameters == {"beta": 0.3, "y": 2.0}
        with pytest.raises(ValueError, match="'beta' of heavy-ball has no value"):
            bea.iterate(LOSS, HeavyBall(), [2.8, 1.5], 1e-2, 50)

    def test_a_sweep_over_constants_compiles_once(self):
        bea.iterate(LOSS, HeavyBall(0.5), [1, 1], 1e-2, 1)
        before = len(stepping._plans)
        for b in (0.1, 0.2, 0.3):
            bea.iterate(LOSS, HeavyBall(b), [1, 1], 1e-2, 1)
        assert len(stepping._plans) == before

    def test_divergence_is_told(self):
        with pytest.warns(RuntimeWarning, match="diverged"):
            path = bea.iterate(LOSS, HeavyBall(1.5), [2.8, 1.5], step_size=1.0, steps=100)
        assert not path.success
        assert np.isfinite(path.x).all()
        assert np.isfinite(path.memory).all()
        assert len(path.x) == path.diverged_at

    def test_bad_memory_is_refused(self):
        with pytest.raises(ValueError, match=r"memory must have shape \(2,\), not \(1,\)"):
            bea.iterate(LOSS, HeavyBall(0.5), [1, 1], 1e-2, 1, memory=[1.0])
        with pytest.raises(ValueError, match="memory must be a sequence of 2 numbers"):
            bea.arbitrary.iterate(LOSS, HeavyBall("1/2"), [1, 1], "1/100", 1, memory=[1])

    def test_slow_start_has_no_transient(self):
        equation = bea.modified_equation(LOSS, HeavyBall(0.5), order=3)
        memory = equation.memory([1.3, 0.7], h=1e-3)
        path = bea.iterate(LOSS, HeavyBall(0.5), [1.3, 0.7], 1e-3, 400, memory="slow")
        assert np.array_equal(
            path.x, bea.iterate(LOSS, HeavyBall(0.5), [1.3, 0.7], 1e-3, 400, memory=memory).x
        )
        flow = bea.flow(equation.field(), [1.3, 0.7], (0, 0.4), {"h": 1e-3}).y[:, -1]
        at_rest = bea.iterate(LOSS, HeavyBall(0.5), [1.3, 0.7], 1e-3, 400)
        assert abs(path.x[-1] - flow).max() < 1e-8
        assert abs(at_rest.x[-1] - flow).max() > 1e-4

    def test_slow_start_beyond_the_expansion_is_told(self):
        with pytest.warns(RuntimeWarning, match="terms of the memory grow at h = 0.01"):
            bea.iterate(LOSS, HeavyBall(0.5), [2.8, 3.5], 1e-2, 1, memory="slow")
        with pytest.raises(ValueError, match="numbers or the word 'slow', not 'fast'"):
            bea.iterate(LOSS, HeavyBall(0.5), [2.8, 3.5], 1e-2, 1, memory="fast")

    def test_scalars_and_powers(self):
        path = bea.iterate(LOSS, Forgetful(), [2.8, 1.5], 1e-2, 3)
        x, c = np.array([2.8, 1.5]), 1.0
        for _ in range(3):
            x, c = x - 1e-2 * gradient(x) / np.sqrt(1 + c), c / 4
        np.testing.assert_allclose(path.x[-1], x, rtol=1e-14)
        assert path.memory == [1 / 64]


class TestImplicit:
    def test_against_arbitrary_precision(self):
        path = bea.iterate(LOSS, ImplicitMomentum(), [1.3, 0.4], step_size=0.2, steps=20)
        exact = bea.arbitrary.iterate(LOSS, ImplicitMomentum(), [1.3, 0.4], "1/5", 20, {"y": "3/5"})
        np.testing.assert_allclose(path.x, exact.astype(float), rtol=1e-13)

    def test_where_there_is_no_solution_the_run_stops(self):
        """K = 1 + (x + hK)² has no real solution for large h."""
        field = bea.VectorField(["1 + x**2"], variables="x")
        with pytest.warns(RuntimeWarning, match="stages of step 1 could not be solved"):
            path = bea.iterate(field, ImplicitMomentum(), [1.0], step_size=10.0, steps=5)
        assert path.steps_made == 0


class Mixing(Scheme):
    """Descend along the direction of the field alone, which mixes its components, with a velocity."""

    name, vectors = "mixing", 1

    def update(self, field, x, memory, h, arithmetic):
        """m ↦ m/2 + f/√(1 + ‖f‖²)."""
        f = field(x)
        scale = arithmetic.power(sum((v * v for v in f[1:]), f[0] * f[0]) + 1, sympy.Rational(-1, 2))
        half = arithmetic.number(sympy.Rational(1, 2))
        m = [half * old + v * scale for old, v in zip(memory[0], f, strict=True)]
        return [a + h * b for a, b in zip(x, m, strict=True)], [m]


class Lopsided(Scheme):
    """A velocity in the first component alone."""

    name, vectors = "lopsided", 1

    def update(self, field, x, memory, h, arithmetic):
        """m₁ ↦ m₁/2 + f₁, the others f."""
        f, half = field(x), arithmetic.number(sympy.Rational(1, 2))
        m = [half * memory[0][0] + f[0], *f[1:]]
        return [a + h * b for a, b in zip(x, m, strict=True)], [m]


class TwoCalls(Scheme):
    """A velocity, a scalar, and the field at two points: everything that a loop has to carry."""

    name, vectors, scalars = "two-calls", 1, 1

    def update(self, field, x, memory, h, arithmetic):
        """k = f(x), l = f(x + hk/2), m ↦ m/4 + h k l c, c ↦ c/2 + 1."""
        m, c = memory
        k = field(x)
        half = arithmetic.number(sympy.Rational(1, 2))
        l = field([a + h * half * b for a, b in zip(x, k, strict=True)])
        m = [half * half * old + h * (u * v * c) for old, u, v in zip(m, k, l, strict=True)]
        return [a + h * (u + v) for a, u, v in zip(x, l, m, strict=True)], [m, half * c + 1]


def chain(n):
    names = [f"x{i}" for i in range(n)]
    components = [f"-x{i}**3 + x{(i + 1) % n} - x{i}*x{(i - 1) % n}*{i + 1}/100" for i in range(n)]
    return bea.VectorField(components, variables=names)


def chain_values(x):
    return -(x**3) + np.roll(x, -1) - x * np.roll(x, 1) * (np.arange(x.size) + 1) / 100


class TestLargeSystems:
    """Where the field is called, against plain loops in NumPy."""

    n = 400
    field = chain(n)

    def iterated(self, scheme, rule, memory):
        x = np.linspace(-1, 1, self.n)
        path = bea.iterate(self.field, scheme, x, step_size=1e-2, steps=30, record_every=10)
        assert path.x.shape == (4, self.n)
        for _ in range(30):
            x, memory = rule(x, memory)
        np.testing.assert_allclose(path.x[-1], x, rtol=1e-11, atol=1e-14)

    def test_momentum(self):
        def rule(x, m):
            m = 0.8 * m + chain_values(x)
            return x + 1e-2 * m, m

        self.iterated(HeavyBall(0.8), rule, np.zeros(self.n))
        assert "call(a0" in vector_source(HeavyBall("4/5"), self.field)

    def test_two_calls_a_velocity_and_a_scalar(self):
        def rule(x, memory):
            m, c = memory
            k = chain_values(x)
            l = chain_values(x + 5e-3 * k)
            m = m / 4 + 1e-2 * k * l * c
            return x + 1e-2 * (l + m), (m, c / 2 + 1)

        self.iterated(TwoCalls(), rule, (np.zeros(self.n), 0.0))
        assert vector_source(TwoCalls(), self.field).count("call(a0") == 2

    def test_components_that_mix_are_copied(self):
        def rule(x, m):
            f = chain_values(x)
            m = m / 2 + f / np.sqrt(1 + f @ f)
            return x + 1e-2 * m, m

        self.iterated(Mixing(), rule, np.zeros(self.n))

    def test_components_that_differ_are_copied(self):
        def rule(x, m):
            f = chain_values(x)
            m = np.concatenate([[m[0] / 2 + f[0]], f[1:]])
            return x + 1e-2 * m, m

        self.iterated(Lopsided(), rule, np.zeros(self.n))

    @pytest.mark.parametrize("scheme", [Mixing(), Lopsided(), ImplicitMomentum()])
    def test_control_unlike_components_are_noticed(self, scheme):
        with pytest.raises(NotAlike):
            vector_source(scheme, self.field)

    def test_native_source_is_called(self):
        rng = np.random.default_rng(3)
        X, y = rng.standard_normal((20, 30)), rng.standard_normal(20)
        loss = bea.catalogue.diagonal_network(X, y, depth=2)
        x0 = np.full(loss.dimension, 0.1)
        path = bea.iterate(loss, HeavyBall(0.5), x0, step_size=1e-2, steps=50)
        u, m = x0.copy(), np.zeros_like(x0)
        for _ in range(50):
            m = 0.5 * m + loss.field(u)
            u = u + 1e-2 * m
        np.testing.assert_allclose(path.x[-1], u, rtol=1e-10)


def test_loop_assigns_all_of_the_state_at_once():
    """A swap: each component becomes the other."""
    a, b, h = sympy.symbols("a b h")
    program = Program([b, a], [a, b, h])
    assert "r0, r1 = r1, r0" in loop_source(program, 2)
