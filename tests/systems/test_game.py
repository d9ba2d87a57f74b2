"""Games, the fields of consensus and symplectic adjustment, and the catalogue of games."""

import inspect
import math
import pickle

import numpy as np
import pytest
import sympy
from scipy.linalg import expm
from scipy.special import expit

import bea
from bea.systems import catalogue
from bea.systems.catalogue import CATALOGUE, GAMES

THREE = bea.Game(
    ["x**2*y + z*x + w**2*x", "x*y**3 - z*y", "sin(z)*x + y*z**2"],
    players=["x w", "y", "z"],
    rates=[1, "1/2", 2],
)
RATES = np.array([1, 1, 0.5, 2])


def slopes(x, epsilon=1e-5):
    """Minus the rates times the own gradients, by central differences of the losses written out again."""
    losses = [
        lambda x, w, y, z: x**2 * y + z * x + w**2 * x,
        lambda x, w, y, z: x * y**3 - z * y,
        lambda x, w, y, z: math.sin(z) * x + y * z**2,
    ]
    value = np.zeros(4)
    for i, owner in enumerate((0, 0, 1, 2)):
        e = epsilon * np.eye(4)[i]
        value[i] = -RATES[i] * (losses[owner](*(x + e)) - losses[owner](*(x - e))) / (2 * epsilon)
    return value


def numerical_jacobian(function, x, epsilon=1e-4):
    steps = epsilon * np.eye(len(x))
    return np.array([(function(x + e) - function(x - e)) / (2 * epsilon) for e in steps]).T


X = np.array([0.7, -0.4, 0.9, 0.3])


def test_the_field_is_every_players_own_descent():
    np.testing.assert_allclose(THREE.field(X), slopes(X), atol=1e-9)
    assert [sum(c != 0 for c in part.components) for part in THREE.field.parts] == [2, 1, 1]


def test_consensus_against_differences():
    v, J = -slopes(X), -numerical_jacobian(slopes, X)
    np.testing.assert_allclose(THREE.consensus("3/10")(X), -v - 0.3 * J.T @ v, atol=1e-6)
    assert not np.allclose(THREE.consensus("3/10")(X), -v - 0.3 * J @ v, atol=1e-2)


def test_consensus_descends_the_square_of_the_moves():
    """γJᵀv is the gradient of γ‖v‖²/2."""
    descent = THREE.consensus(1)(X) - THREE.field(X)
    square = numerical_jacobian(lambda x: np.array([slopes(x) @ slopes(x) / 2]), X)[0]
    np.testing.assert_allclose(descent, -square, atol=1e-6)


@pytest.mark.parametrize("align", [False, True])
@pytest.mark.parametrize("x", [X, -X, np.array([1.0, 2.0, -3.0, 0.5])])
def test_symplectic_adjustment_against_differences(align, x):
    v, J = -slopes(x), -numerical_jacobian(slopes, x)
    adjustment = (J - J.T).T @ v / 2
    sign = np.sign((v @ J.T @ v) * (adjustment @ J.T @ v) / 4 + 0.1) if align else 1
    field = THREE.symplectic_gradient_adjustment("2/5", align=align)
    np.testing.assert_allclose(field(x), -v - 0.4 * sign * adjustment, rtol=1e-6, atol=1e-6)


def test_alignment_takes_both_signs():
    rng = np.random.default_rng(0)
    plain, aligned = (THREE.symplectic_gradient_adjustment(1, align=a) for a in (False, True))
    points = rng.standard_normal((30, 4))
    same = {bool(np.allclose(plain(x), aligned(x))) for x in points}
    assert same == {True, False}


def test_adjusted_fields_keep_the_players_and_the_parameters():
    game = catalogue.quadratic_game(curvature=2)
    for field in (game.consensus(), game.symplectic_gradient_adjustment()):
        assert len(field.parts) == 2
        assert field.parts[0].components[1] == 0
        assert {s.name for s in field.parameter_symbols} - {"a", "b", "c"} in ({"gamma"}, {"lam"})
        assert field.parameters["a"] == 2
    path = bea.iterate(game.consensus("1/2"), bea.AlternatingDescent(), [1.0, 1.0], 0.05, 400)
    assert np.abs(path.x[-1]).max() < 1e-6


def test_a_strength_does_not_depend_on_the_variables():
    for name in ("consensus", "symplectic_gradient_adjustment"):
        with pytest.raises(ValueError, match="must not depend on the variables, as x does"):
            getattr(THREE, name)("x")


# -- the catalogue -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", GAMES)
def test_every_game_of_the_catalogue(name):
    game = GAMES[name]()
    assert isinstance(game, bea.Game)
    assert len(game.players) == 2
    assert pickle.loads(pickle.dumps(game)) == game
    assert all(p.default is not p.empty for p in inspect.signature(GAMES[name]).parameters.values())
    assert getattr(catalogue, name) is GAMES[name]
    assert name not in CATALOGUE
    drift = bea.discretization_drift(game, bea.AlternatingDescent())
    assert all(drift.loss(i).is_exact(0) for i in (0, 1))


def test_bilinear_game_turns_round():
    flow = bea.flow(catalogue.bilinear_game(2).field, [1.0, 0.0], (0.0, 0.8))
    np.testing.assert_allclose(flow.y[:, -1], [math.cos(1.6), math.sin(1.6)], atol=1e-8)


@pytest.mark.parametrize("kind", ["standard", "wasserstein", "non-saturating"])
def test_dirac_gan_against_its_definition(kind):
    """f′(t) is 1 for Wasserstein, and the logistic function of −t else."""
    game = catalogue.dirac_gan(kind, penalty=0.3)
    theta, psi = 0.8, -1.7
    slope = 1.0 if kind == "wasserstein" else expit(-psi * theta)
    own = expit(psi * theta) if kind == "non-saturating" else slope
    np.testing.assert_allclose(game.field([theta, psi]), [-own * psi, slope * theta - 0.3 * psi], rtol=1e-12)


@pytest.mark.parametrize(("kind", "slope"), [("standard", 0.5), ("wasserstein", 1.0)])
@pytest.mark.parametrize("penalty", [0.0, 0.6, 3.0])
def test_eigenvalues_of_the_dirac_gan(kind, slope, penalty):
    game = catalogue.dirac_gan(kind, penalty)
    J = game.field.jacobian.subs({**dict.fromkeys(game.variables, 0), "gamma": penalty})
    root = np.sqrt(complex(penalty**2 / 4 - slope**2))
    known = np.poly([-penalty / 2 - root, -penalty / 2 + root])
    np.testing.assert_allclose(np.poly(np.array(J.tolist(), dtype=float)), known, atol=1e-12)


def test_quadratic_game_against_the_exponential_of_its_matrix():
    game = catalogue.quadratic_game(curvature=0.5, agreement=0.2, conflict=1.5)
    A = np.array([[-0.5, -1.7], [1.3, -0.5]])
    flow = bea.flow(game.field, [1.0, 2.0], (0.0, 1.0))
    np.testing.assert_allclose(flow.y[:, -1], expm(A) @ [1, 2], atol=1e-7)


def test_gaussian_gan_against_a_sample():
    """The closed form of V beside the mean of D over data less that over the generator."""
    rng = np.random.default_rng(0)
    z = rng.standard_normal(400_000)
    m, s, v, w, mu, sigma = 0.3, 0.6, -0.7, 0.4, 1.0, 1.5
    game = catalogue.gaussian_gan(mu, sigma)
    values = dict(zip(("m", "s", "v", "w", "mu", "sigma"), (m, s, v, w, mu, sigma), strict=True))
    known = float(game.losses[0].subs(values))

    def D(x):
        return v * x + w * x**2

    difference = D(mu + sigma * z) - D(m + s * z)
    assert abs(difference.mean() - known) < 5 * difference.std() / math.sqrt(len(z))
    assert game.is_zero_sum
    assert not catalogue.gaussian_gan(penalty=1).is_zero_sum


def test_gaussian_gan_rests_at_the_data():
    game = catalogue.gaussian_gan(mean=2, deviation=3, penalty=0.5)
    assert np.abs(game.field([2.0, 3.0, 0.0, 0.0])).max() == 0
    assert np.abs(game.field([2.0, 2.9, 0.0, 0.0])).max() > 0.1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: catalogue.bilinear_game(0), "strength must not be 0"),
        (lambda: catalogue.dirac_gan("hinge"), "one of wasserstein, standard, non-saturating, not 'hinge'"),
        (lambda: catalogue.dirac_gan(penalty=-1), "must not be negative"),
        (lambda: catalogue.gaussian_gan(deviation=0), "must be positive, not 0"),
        (lambda: catalogue.gaussian_gan(penalty=-1), "must not be negative"),
        (lambda: bea.Game(["x", "y"], players=["x", "x"]), "moved by two players"),
        (lambda: bea.Game(["x", "y"], players=["x"]), "one loss, one set of variables"),
        (lambda: bea.Game(["x", "y"], players=["x", "y"], rates=[1, -1]), "must be positive"),
        (lambda: bea.Game(["x", "y"], players=["x", "y"], rates=[1, "x"]), "must not depend"),
    ],
)
def test_bad_games_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_symbols_stay_symbols():
    assert catalogue.bilinear_game().field.components == tuple(sympy.sympify(["-c*y", "c*x"]))


@pytest.mark.parametrize(
    "adjust",
    [
        lambda game: game.consensus(),
        lambda game: game.consensus("2*lam"),
        lambda game: game.symplectic_gradient_adjustment(),
        lambda game: game.symplectic_gradient_adjustment(1, align=True, epsilon="gamma"),
    ],
)
def test_a_strength_with_the_name_of_a_parameter_is_refused(adjust):
    game = bea.Game(["gamma*x*y", "-lam*x*y"], players=["x", "y"])
    with pytest.raises(ValueError, match="also a parameter of the game: rename one"):
        adjust(game)
    adjust(bea.Game(["a*x*y", "-b*x*y"], players=["x", "y"]))


@pytest.mark.parametrize(
    ("losses", "zero"),
    [
        (["sin(x)**2 + x*y", "cos(x)**2 - x*y - 1"], True),
        (["cosh(x*y)**2", "-sinh(x*y)**2 - 1"], True),
        (["sin(x)**2 + x*y", "cos(x)**2 - x*y"], False),
        (["sin(x)**2 + x*y", "cos(y)**2 - x*y - 1"], False),
    ],
)
def test_zero_sums_by_an_identity(losses, zero):
    game = bea.Game(losses, players=["x", "y"])
    points = np.random.default_rng(0).normal(size=(20, 2))
    sums = [
        sum(float(loss.subs(dict(zip(("x", "y"), p, strict=True)))) for loss in game.losses) for p in points
    ]
    assert (np.abs(sums).max() < 1e-12) == zero == game.is_zero_sum
