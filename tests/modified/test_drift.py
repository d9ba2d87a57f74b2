"""The drift of games apart by players: published formulas, brackets written out, losses of players."""

import pytest
import sympy

import bea
from bea.schemes import RK4, Adam, AlternatingDescent, HeavyBall, Heun, SimultaneousDescent, WeightDecay

PHI, THETA = sympy.symbols("a b"), sympy.symbols("c d")
V = (*PHI, *THETA)
a, b, c, d = V
L1 = a**2 * c + b * c * d + a * b**3 + c**2 / 2
L2 = a * b * d + c**2 * d * a + b * c + d**3
ALPHA, LAM = sympy.symbols("alpha lam")


def game(first, second, rates=(ALPHA, LAM)):
    return bea.Game([first, second], players=["a b", "c d"], rates=rates)


def gradient(expression, variables):
    return sympy.Matrix([expression.diff(v) for v in variables])


def formulas(first, second, alternating=False):
    """Pieces at h for each player: the self term and the interaction of Rosca et al. on the joint clock."""
    f, g = -gradient(first, PHI), -gradient(second, THETA)
    sign = -1 if alternating else 1
    return {
        (0, (0, 0)): -ALPHA * ALPHA / 2 * f.jacobian(PHI) * f,
        (0, (0, 1)): -ALPHA * LAM / 2 * f.jacobian(THETA) * g,
        (1, (0, 1)): -sign * LAM * ALPHA / 2 * g.jacobian(PHI) * f,
        (1, (1, 1)): -LAM * LAM / 2 * g.jacobian(THETA) * g,
    }


def zero(matrix):
    return sympy.Matrix(matrix).expand().is_zero_matrix


@pytest.mark.parametrize("alternating", [False, True])
@pytest.mark.parametrize("second", [L2, -L1, L1], ids=["general", "zero-sum", "common"])
def test_pieces_at_h_are_the_published_ones(alternating, second):
    scheme = AlternatingDescent() if alternating else SimultaneousDescent()
    drift = bea.discretization_drift(game(L1, second), scheme)
    for (player, movers), known in formulas(L1, second, alternating).items():
        assert zero(drift.pieces(player)[movers] - known)
    for player in (0, 1):
        own, mixed = (player, player), (0, 1)
        assert zero(drift.self_term(player) - formulas(L1, second, alternating)[player, own])
        assert zero(drift.interaction(player) - formulas(L1, second, alternating)[player, mixed])


def test_control_the_two_plays_differ_in_one_sign():
    drift = bea.discretization_drift(game(L1, L2), AlternatingDescent())
    assert not zero(drift.interaction(1) - formulas(L1, L2)[1, (0, 1)])
    assert zero(drift.interaction(0) - formulas(L1, L2)[0, (0, 1)])
    reversed_play = bea.discretization_drift(game(L1, L2), AlternatingDescent(sequence=(1, 0)))
    assert zero(reversed_play.interaction(1) - formulas(L1, L2)[1, (0, 1)])
    assert zero(reversed_play.interaction(0) + formulas(L1, L2)[0, (0, 1)])


@pytest.mark.parametrize("scheme", [SimultaneousDescent(), AlternatingDescent(), Heun(), HeavyBall("1/3")])
def test_the_pieces_add_up_to_the_modified_equation(scheme):
    players = game(L1, L2, rates=(1, "3/2"))
    drift = bea.discretization_drift(players, scheme, order=2)
    equation = bea.modified_equation(players, scheme, order=2)
    for k in range(3):
        assert zero(drift.terms[k] - equation.terms[k])
        for player, rows in ((0, [0, 1]), (1, [2, 3])):
            split = drift.self_term(player, k) + drift.interaction(player, k)
            assert zero(split - sympy.Matrix(equation.terms[k])[rows, :])
            assert all(len(m) == k + 1 for m in drift.pieces(player, k))


def test_higher_orders_by_nested_brackets():
    """f₃ of Euler is f''(f, f)/12 + f'f'f/3; with marks, player by player."""
    drift = bea.discretization_drift(game(L1, L2, rates=(1, 1)), SimultaneousDescent(), order=2)
    fields = [
        sympy.Matrix([*-gradient(L1, PHI), 0, 0]),
        sympy.Matrix([0, 0, *-gradient(L2, THETA)]),
    ]

    def along(column, direction):
        return column.jacobian(V) * direction

    def second(column, u, w):
        return sympy.Matrix([sum(e.diff(x, y) * u[i] * w[j] for i, x in enumerate(V) for j, y in enumerate(V))
                             for e in column])  # fmt: skip

    total = {}
    for i in (0, 1):
        for j in (0, 1):
            for k in (0, 1):
                term = second(fields[i], fields[j], fields[k]) / 12
                term += along(fields[i], along(fields[j], fields[k])) / 3
                key = tuple(sorted((i, j, k)))
                total[key] = total.get(key, sympy.zeros(4, 1)) + term
    for player, rows in ((0, [0, 1]), (1, [2, 3])):
        pieces = drift.pieces(player, 2)
        for key, known in total.items():
            assert zero(pieces.get(key, sympy.zeros(2, 1)) - known[rows, :])


class TestLossesOfPlayers:
    def test_zero_sum_regularizers_have_opposite_signs(self):
        drift = bea.discretization_drift(game(L1, -L1), SimultaneousDescent())
        own, other = gradient(L1, PHI), gradient(L1, THETA)
        assert sympy.expand(drift.regularizer(0, 0) - ALPHA / 4 * own.dot(own)) == 0
        assert sympy.expand(drift.regularizer(0, 1) + LAM / 4 * other.dot(other)) == 0
        assert sympy.expand(drift.regularizer(1, 1) - LAM / 4 * other.dot(other)) == 0
        assert sympy.expand(drift.regularizer(1, 0) + ALPHA / 4 * own.dot(own)) == 0

    def test_alternating_turns_the_sign_of_the_second_player(self):
        drift = bea.discretization_drift(game(L1, -L1), AlternatingDescent())
        own = gradient(L1, PHI)
        assert sympy.expand(drift.regularizer(1, 0) - ALPHA / 4 * own.dot(own)) == 0

    def test_the_modified_loss_is_a_potential_in_the_own_variables(self):
        players = game(L1, -L1)
        drift = bea.discretization_drift(players, SimultaneousDescent(), order=2)
        for i, rate in enumerate(players.rates):
            loss, own = drift.loss(i), players.players[i]
            assert loss.terms[0] == players.losses[i]
            assert loss.is_exact(1)
            rows = [players.variables.index(v) for v in own]
            assert zero(rate * gradient(loss.terms[1], own) + sympy.Matrix(drift.terms[1])[rows, :])
            for k in range(3):
                part = -rate * gradient(loss.terms[k], own) + rate * sympy.Matrix(loss.remainder[k])
                assert zero(part - sympy.Matrix(drift.terms[k])[rows, :])

    def test_a_general_game_has_no_modified_loss(self):
        drift = bea.discretization_drift(game(L1, L2), SimultaneousDescent())
        f, g = -gradient(L1, PHI), -gradient(L2, THETA)
        curl = (f.jacobian(THETA) * g).jacobian(PHI)
        assert not zero(curl - curl.T)
        assert not drift.loss(0).is_exact(1)
        assert drift.regularizer(0, 1) is None
        assert drift.regularizer(0, 0) is not None

    def test_a_player_with_one_variable_always_has_one(self):
        players = bea.Game(["x**3*y**2 + x", "x**2*y - y**4"], players=["x", "y"])
        drift = bea.discretization_drift(players, SimultaneousDescent())
        x, y = players.variables
        assert drift.loss(0).is_exact(1)
        piece = drift.pieces(0)[0, 1][0]
        assert sympy.expand(drift.regularizer(0, 1).diff(x) + piece) == 0
        assert sympy.expand(piece + players.losses[0].diff(x, y) * players.losses[1].diff(y) / 2) == 0

    def test_elementary_losses(self):
        drift = bea.discretization_drift(bea.catalogue.dirac_gan(), SimultaneousDescent())
        theta, psi = drift.game.variables
        loss = drift.game.losses[0]
        for i, own in enumerate((theta, psi)):
            other = psi if own is theta else theta
            for known, found in ((own, drift.regularizer(i, i)), (other, drift.regularizer(i, 1 - i))):
                sign = 1 if known is own else -1
                assert sympy.simplify(found - sign * loss.diff(known) ** 2 / 4) == 0


def test_three_players_name_who_moved():
    players = bea.Game(["x*y", "y*z", "z*x"], players=["x", "y", "z"])
    drift = bea.discretization_drift(players, AlternatingDescent())
    x, y, z = players.variables
    # x: −h/2 ∂_y(−y) · (−z); nobody moved before
    assert drift.pieces(0) == {(0, 1): sympy.ImmutableMatrix([-z / 2])}
    # y: nothing of x in −z; z moves after
    assert drift.pieces(1) == {(1, 2): sympy.ImmutableMatrix([-x / 2])}
    # z: x moved before, so the sign is turned
    assert drift.pieces(2) == {(0, 2): sympy.ImmutableMatrix([y / 2])}


def test_runge_kutta_play_has_no_drift_below_its_order():
    drift = bea.discretization_drift(bea.catalogue.bilinear_game(), RK4(), order=4)
    assert [drift.pieces(0, k) for k in (1, 2, 3)] == [{}, {}, {}]
    assert drift.pieces(0, 4)


def test_text_and_latex():
    drift = bea.discretization_drift(bea.Game(["x*y", "-x*y"], ["x", "y"]), SimultaneousDescent())
    assert str(drift).splitlines()[:2] == ["player 0 (x)", "  h^1  with player 1: [x/2]"]
    assert r"\underbrace{\left(\frac{x}{2}\right)}_{0\,1}" in drift.latex()
    assert drift._repr_latex_().startswith("$")
    assert "DiscretizationDrift(Game(" in repr(drift)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: bea.discretization_drift(bea.Loss("x**2", "x"), Heun()), TypeError, "not of a Loss"),
        (lambda: bea.discretization_drift(game(L1, L2), Adam()), ValueError, "adam at h.0 is no polynomial"),
        (lambda: bea.discretization_drift(game(L1, L2), Heun()).pieces(2), ValueError, "from 0 to 1, not 2"),
        (lambda: bea.discretization_drift(game(L1, L2), Heun()).pieces(0, 2), ValueError, "power of h"),
        (lambda: bea.discretization_drift(game(L1, L2), Heun()).loss("a"), ValueError, "the player must be"),
    ],
)
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_what_no_player_moves_is_told_apart():
    """Decay alone is x ↦ (1 − hd)x, with the rate log(1 − hd)/h = −d − hd²/2 − …"""
    d, h, x = sympy.symbols("d h x")
    decaying = WeightDecay(SimultaneousDescent(), "d")
    drift = bea.discretization_drift(bea.Game(["x*y + x**2", "-x*y"], ["x", "y"]), decaying, order=2)
    rate = sympy.series(sympy.log(1 - h * d) / h, h, 0, 3).removeO()
    for k in (1, 2):
        alone = drift.pieces(0, k)[()]
        assert sympy.expand(alone[0] - rate.coeff(h, k) * x) == 0
        assert not drift.self_term(0, k).equals(drift.self_term(0, k) + alone)
        assert zero(drift.self_term(0, k) + drift.interaction(0, k) + alone - drift.terms[k][:1, :])
    assert "  h^1  no moves: [-d**2*x/2]" in str(drift).splitlines()
    assert r"_{\text{no moves}}" in drift.latex()
    assert () not in bea.discretization_drift(drift.game, SimultaneousDescent()).pieces(0)
