"""Modified Hamiltonians: published ones, potentials of fields found without trees, drift."""

import numpy as np
import pytest
import sympy
from scipy.stats import linregress

import bea
from bea.modified import modified_hamiltonian
from bea.schemes import (
    RK4,
    ExplicitEuler,
    Gauss,
    Heun,
    ImplicitEuler,
    ImplicitMidpoint,
    LobattoIIIA,
    LobattoIIIB,
    RungeKutta,
    Trapezoidal,
)
from bea.series import FieldSeries, FlowSeries, bseries, pseries

p, q, h = sympy.symbols("p q h")
SYMPLECTIC_EULER = [ImplicitEuler(), ExplicitEuler()]
VERLET = [LobattoIIIB(2), Trapezoidal()]
PENDULUM = "p**2/2 - cos(q)"
GENERIC = p**3 / 3 + p**2 * q / 2 - p * q**2 + 2 * q**3 / 7 + p**2 * q**2 / 5 + p**2 / 2 + p * q


def field_of(H):
    return bea.VectorField([-sympy.diff(H, q), sympy.diff(H, p)], [p, q])


def potential(f):
    """The function with J⁻¹∇H = f, integrated along rays from the origin; f is a polynomial in p and q."""
    t = sympy.Symbol("t")
    power = (f[1] * p - f[0] * q).subs({p: t * p, q: t * q}, simultaneous=True) / t
    return sympy.expand(sympy.integrate(sympy.expand(power), (t, 0, 1)))


RING, P, Q, STEP = sympy.ring("p, q, h", sympy.QQ)


def truncated(e, order):
    """An element of the ring without its terms beyond h^{order+1}."""
    return RING.from_dict({m: c for m, c in e.items() if m[2] <= order + 1})


def replaced(e, new_p, new_q, order):
    """e at other p and q, truncated."""
    total = RING.zero
    for (i, j, k), c in e.items():
        term = STEP**k * c
        for factor in [new_p] * i + [new_q] * j:
            term = truncated(term * factor, order)
        total += term
    return total


def field_of_map(step, order):
    """The modified field of a map of polynomials in p, q and h: (1/h) Σ_j (−1)^{j+1}/j (Φ* − 1)^j (p, q)."""
    fields = []
    for x in (P, Q):
        total, difference = RING.zero, x
        for j in range(1, order + 2):
            difference = replaced(difference, *step, order) - difference
            total += difference * sympy.QQ((-1) ** (j + 1), j)
        fields.append(sympy.Poly(total.as_expr(), h))
    return [[e.coeff_monomial(h ** (k + 1)) for e in fields] for k in range(order + 1)]


def solved(function, start, order):
    """The fixed point of x = function(x), a power series in h."""
    x = start
    for _ in range(order + 1):
        x = truncated(function(x), order)
    return x


def symplectic_euler(H, order):
    """p⁺ = p − h H_q(p⁺, q), q⁺ = q + h H_p(p⁺, q)."""
    Hp, Hq = (RING.from_expr(H.diff(x)) for x in (p, q))
    new = solved(lambda x: P - STEP * replaced(Hq, x, Q, order), P, order)
    return new, truncated(Q + STEP * replaced(Hp, new, Q, order), order)


def verlet(H, order):
    """HLW (2006), VI.3: half a step of symplectic Euler, and half a step of its adjoint."""
    Hp, Hq = (RING.from_expr(H.diff(x)) for x in (p, q))
    half = STEP / 2
    between = solved(lambda x: P - half * replaced(Hq, x, Q, order), P, order)
    start = Q + half * replaced(Hp, between, Q, order)
    new = solved(lambda x: start + half * replaced(Hp, between, x, order), Q, order)
    return truncated(between - half * replaced(Hq, between, new, order), order), new


class TestPublished:
    def test_symplectic_euler_and_the_pendulum(self):
        """HLW (2006), Example IX.3.1 with the terms of H − (h/2) H_p H_q + (h²/12)(…)."""
        found = modified_hamiltonian(PENDULUM, SYMPLECTIC_EULER, order=3).terms
        sin, cos = sympy.sin(q), sympy.cos(q)
        expected = [p**2 / 2 - cos, -p * sin / 2, (sin**2 + p**2 * cos) / 12, -p * sin * cos / 12]
        assert [sympy.expand(a - b) for a, b in zip(found, expected, strict=True)] == [0, 0, 0, 0]

    def test_any_hamiltonian(self):
        """H − (h/2) H_p H_q + (h²/12)(H_pp H_q² + H_qq H_p² + 4 H_pq H_p H_q)."""
        H = sympy.Function("H")(p, q)
        found = modified_hamiltonian(H, SYMPLECTIC_EULER, order=2).terms
        Hp, Hq = H.diff(p), H.diff(q)
        second = (H.diff(p, p) * Hq**2 + H.diff(q, q) * Hp**2 + 4 * H.diff(p, q) * Hp * Hq) / 12
        assert sympy.expand(found[1] + Hp * Hq / 2) == 0
        assert sympy.expand(found[2] - second) == 0

    def test_verlet_and_any_separable_hamiltonian(self):
        """T + U + h² ((1/12) T_p U_qq T_p − (1/24) U_q T_pp U_q), kicks outside."""
        T, U = sympy.Function("T")(p), sympy.Function("U")(q)
        found = modified_hamiltonian(T + U, VERLET, order=3).terms
        expected = T.diff(p) ** 2 * U.diff(q, q) / 12 - U.diff(q) ** 2 * T.diff(p, p) / 24
        assert found[1] == found[3] == 0
        assert sympy.expand(found[2] - expected) == 0

    def test_the_midpoint_rule_and_the_oscillator(self):
        """The angle of one step is 2 arctan(h/2), so H̃ = (2/h) arctan(h/2) H."""
        H = p**2 / 2 + q**2 / 2
        series = sympy.series(2 * sympy.atan(h / 2) / h, h, 0, 8).removeO()
        found = modified_hamiltonian(H, ImplicitMidpoint(), order=7)
        assert sympy.expand(found.truncate() - series * H) == 0

    def test_symplectic_euler_and_the_oscillator(self):
        """p² + q² − h p q is kept exactly, and cos(angle) = 1 − h²/2."""
        factor = sympy.asin(h / 2) * 2 / h / sympy.sqrt(1 - h**2 / 4)
        exact = sympy.expand(sympy.series(factor, h, 0, 7).removeO() * (p**2 + q**2 - h * p * q) / 2)
        found = modified_hamiltonian("p**2/2 + q**2/2", SYMPLECTIC_EULER, order=6)
        assert all(sympy.expand(exact.coeff(h, k) - found.terms[k]) == 0 for k in range(7))


class TestPotentialsFoundWithoutTrees:
    @pytest.mark.parametrize("scheme", [ImplicitMidpoint(), Gauss(2)], ids=lambda s: s.name)
    def test_of_the_lie_series(self, scheme):
        terms = bea.modified_equation(field_of(GENERIC), scheme, 4).terms
        found = modified_hamiltonian(GENERIC, scheme, 4).terms
        assert [sympy.expand(a - potential(f)) for a, f in zip(found, terms, strict=True)] == [0] * 5

    @pytest.mark.parametrize(("pair", "step"), [(SYMPLECTIC_EULER, symplectic_euler), (VERLET, verlet)])
    @pytest.mark.parametrize("H", [p**2 * q / 2 + p**2 / 2 + q**2 + p * q, p**2 / 2 + q**3 / 3])
    def test_of_the_logarithm_of_a_map(self, pair, step, H):
        fields = field_of_map(step(H, 2), 2)
        found = modified_hamiltonian(H, pair, 2).terms
        assert [sympy.expand(a - potential(f)) for a, f in zip(found, fields, strict=True)] == [0] * 3

    def test_in_four_variables(self):
        names = sympy.symbols("p1 p2 q1 q2")
        p1, p2, q1, q2 = names
        H = p1**2 / 2 + p2**2 * q1 / 2 + q1**2 * q2 - q2**3 / 3 + p1 * q2
        field = bea.VectorField([-H.diff(q1), -H.diff(q2), H.diff(p1), H.diff(p2)], names)
        terms = bea.modified_equation(field, Gauss(1), 4).terms
        for k, energy in enumerate(modified_hamiltonian(H, Gauss(1), 4, "p1 p2", "q1 q2").terms):
            gradient = [-energy.diff(q1), -energy.diff(q2), energy.diff(p1), energy.diff(p2)]
            assert sympy.expand(sympy.Matrix(gradient) - terms[k]) == sympy.zeros(4, 1)

    def test_one_method_for_both_variables_is_the_same_as_its_b_series(self):
        for H in (GENERIC, "p**2/2 + q**4"):
            pair = modified_hamiltonian(H, [Gauss(2), Gauss(2)], 4).terms
            assert pair == modified_hamiltonian(H, Gauss(2), 4).terms

    def test_control_a_wrong_potential_is_noticed(self):
        terms = bea.modified_equation(field_of(GENERIC), ImplicitMidpoint(), 2).terms
        assert sympy.expand(potential(terms[2]) + modified_hamiltonian(GENERIC, Gauss(1), 2).terms[2]) != 0


def euler_step(x, y, step):
    x = x - step * np.sin(y)
    return x, y + step * x


def verlet_step(x, y, step):
    x = x - step / 2 * np.sin(y)
    y = y + step * x
    return x - step / 2 * np.sin(y), y


class TestConservation:
    @staticmethod
    def drift(step, function, sizes):
        """The largest change of a function of p, q and h over a time of 10, for each step size."""
        evaluate = sympy.lambdify((p, q, h), function, "numpy")
        found = []
        for size in sizes:
            x, y = 0.3, 1.2
            start = evaluate(x, y, size)
            changes = []
            for _ in range(round(10 / size)):
                x, y = step(x, y, size)
                changes.append(abs(evaluate(x, y, size) - start))
            found.append(max(changes))
        return found

    @pytest.mark.parametrize(
        ("pair", "step", "k", "slope"),
        [(SYMPLECTIC_EULER, euler_step, k, k + 1) for k in range(5)]
        + [(VERLET, verlet_step, k, k + 2) for k in (0, 2, 4)],
    )
    def test_the_iterates_keep_it_to_the_next_power(self, pair, step, k, slope):
        """A Verlet step is symmetric, so the term of h^{k+1} vanishes for even k."""
        sizes = np.geomspace(0.03, 0.3, 7)
        truncated = modified_hamiltonian(PENDULUM, pair, k).truncate()
        fit = linregress(np.log(sizes), np.log(self.drift(step, truncated, sizes)))
        assert abs(fit.slope - slope) < 0.15
        assert fit.stderr < 0.05

    def test_control_with_the_wrong_sign_it_is_kept_no_better_than_the_energy(self):
        energy = modified_hamiltonian(PENDULUM, VERLET, 2)
        wrong = energy.terms[0] - h**2 * energy.terms[2]
        sizes = np.geomspace(0.03, 0.3, 7)
        fit = linregress(np.log(sizes), np.log(self.drift(verlet_step, wrong, sizes)))
        assert abs(fit.slope - 2) < 0.15


class TestWhatIsAccepted:
    def test_series_and_fields(self):
        expected = modified_hamiltonian(PENDULUM, ImplicitMidpoint(), 2).terms
        flow = bseries(ImplicitMidpoint(), 5)
        assert modified_hamiltonian(PENDULUM, flow, 2).terms == expected
        assert modified_hamiltonian(PENDULUM, flow.log(), 2).terms == expected
        pair = modified_hamiltonian(PENDULUM, SYMPLECTIC_EULER, 2).terms
        assert modified_hamiltonian(PENDULUM, pseries(SYMPLECTIC_EULER, 4), 2).terms == pair != expected

    def test_parameters_stay_symbols(self):
        m, k = sympy.symbols("m k")
        found = modified_hamiltonian("p**2/(2*m) + k*q**2/2", ImplicitMidpoint(), 2).terms[2]
        assert sympy.simplify(found + k / m * (p**2 / (2 * m) + k * q**2 / 2) / 12) == 0

    def test_symmetric_pair_for_separable_hamiltonians_only(self):
        half = sympy.Rational(1, 2)
        pair = [RungeKutta([[half, 0], [half, 0]], [half, half]), Heun()]
        assert (
            modified_hamiltonian(PENDULUM, pair, 4).terms == modified_hamiltonian(PENDULUM, VERLET, 4).terms
        )
        with pytest.raises(ValueError, match="symplectic through trees of order 2 only"):
            modified_hamiltonian(GENERIC, pair, 4)

    def test_methods_of_high_order(self):
        pair = [LobattoIIIA(3), LobattoIIIB(3)]
        terms = modified_hamiltonian(PENDULUM, pair, 4).terms
        assert terms[1] == terms[2] == terms[3] == 0 != terms[4]

    def test_truncation(self):
        found = modified_hamiltonian(PENDULUM, SYMPLECTIC_EULER, 2)
        assert found.order == 2
        assert found.truncate(1) == found.terms[0] + h * found.terms[1]
        with pytest.raises(ValueError, match="from 0 to 2"):
            found.truncate(3)

    def test_latex(self):
        text = modified_hamiltonian(PENDULUM, VERLET, 3)._repr_latex_()
        assert r"\tilde H" in text
        assert "h^{2}" in text
        assert "h^{3}" not in text


class TestRefused:
    @pytest.mark.parametrize(
        ("method", "reached"),
        [(ExplicitEuler(), 1), (RK4(), 4), ([ExplicitEuler(), ExplicitEuler()], 1), (Trapezoidal(), 2)],
    )
    def test_methods_that_are_not_symplectic(self, method, reached):
        with pytest.raises(ValueError, match=f"symplectic through trees of order {reached} only, and not 5"):
            modified_hamiltonian(PENDULUM, method, 4)

    def test_through_their_order_all_methods_are(self):
        assert modified_hamiltonian(PENDULUM, RK4(), 3).terms[1:] == (0, 0, 0)

    @pytest.mark.parametrize(
        ("arguments", "error", "sentence"),
        [
            ((PENDULUM, "verlet"), TypeError, "a pair of schemes"),
            ((PENDULUM, [RK4()]), TypeError, "a pair of schemes"),
            ((PENDULUM, Gauss(1), -1), ValueError, "0 or more"),
            ((PENDULUM, Gauss(1), 1.5), ValueError, "0 or more"),
            ((PENDULUM, bseries(Gauss(1), 3), 3), ValueError, "truncated after order 3"),
            ((PENDULUM, bseries(Gauss(1), 3).as_floats(), 2), ValueError, "not floats"),
            ((PENDULUM, FieldSeries.original(3) * 2, 2), ValueError, "begins with H itself"),
            ((PENDULUM, FlowSeries.identity(3), 2), ValueError, "begins with H itself"),
            ((PENDULUM, Gauss(1), 2, "p r", "q"), ValueError, "as many momenta"),
            (("p**2 + abs(q)", Gauss(1), 2), ValueError, "bs"),
            (("p**2 + h*q", Gauss(1), 2), ValueError, "h"),
        ],
    )
    def test_bad_input(self, arguments, error, sentence):
        with pytest.raises(error, match=sentence):
            modified_hamiltonian(*arguments)
