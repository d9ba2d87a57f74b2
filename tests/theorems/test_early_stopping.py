"""Early stopping against ridge: the theorem's claims, and risks by routes that share no code with it."""

import mpmath
import numpy as np
import pytest
from scipy.integrate import quad

from bea.theorems.claims import Run
from bea.theorems.early_stopping import EarlyStopping
from bea.theorems.least_squares import LeastSquares, descent, gradient_flow, random_problem, ridge
from bea.theorems.ridge_factors import largest_best_factor, largest_variance_factor


def checked(seed, quick=True):
    theorem, run = EarlyStopping(), Run(quick=quick, rng=np.random.default_rng(seed))
    return theorem, run, list(theorem.check(run))


@pytest.fixture(scope="module")
def check():
    return checked(0)


def failing(claims):
    return [claim for claim in claims if not claim.passed]


def test_every_claim_holds(check):
    assert not failing(check[2])
    assert sum(claim.name.startswith("control:") for claim in check[2]) >= 5


def test_the_same_seed_gives_the_same_claims_and_others_hold_too(check):
    assert [claim.measured for claim in checked(0)[2]] == [claim.measured for claim in check[2]]
    assert not failing(checked(1)[2])


def test_the_figure_has_three_panels(check):
    assert len(check[0].figure(check[1]).axes) == 3


@pytest.mark.slow
def test_the_full_check():
    assert not failing(checked(0, quick=False)[2])


def test_constants_against_a_root_finder_of_arbitrary_precision():
    with mpmath.workdps(40):

        def variance(x):
            return ((1 - mpmath.exp(-x)) * (1 + 1 / x)) ** 2

        def best(x):
            return (1 + x) * (mpmath.exp(-2 * x) + (1 - mpmath.exp(-x)) ** 2 / x)

        for function, start, ball in (
            (variance, 1.8, largest_variance_factor()),
            (best, 3.1, largest_best_factor()),
        ):
            x = mpmath.findroot(lambda x, f=function: mpmath.diff(f, x), start)
            assert abs(function(x) - mpmath.mpf(ball.str(35, radius=False))) < mpmath.mpf(10) ** -28
    # 1.6862 and 1.2147 are what Ali, Kolter and Tibshirani (2019) print, as upper bounds.
    assert 1.6859 < float(largest_variance_factor()) < 1.6862
    assert 1.2146 < float(largest_best_factor()) < 1.2147


@pytest.mark.parametrize("seed", range(4))
def test_risks_against_matrices(seed):
    """Bias and variance of β̂ = A y from the matrix A itself, made without eigenvectors of XᵀX."""
    rng = np.random.default_rng(seed)
    problem = random_problem(rng)
    X, (n, p) = problem.X, problem.X.shape
    penalty = 0.3
    A = np.linalg.solve(X.T @ X / n + penalty * np.eye(p), X.T / n)
    bias = (A @ X - np.eye(p)) @ problem.beta
    q = ridge(problem.eigenvalues, penalty)
    signal = problem.beta @ problem.beta / p
    for kind, weight in (("estimation", np.eye(p)), ("in-sample", X.T @ X / n)):
        variance = problem.noise**2 * np.trace(weight @ A @ A.T)
        assert problem.risk(q, kind) == pytest.approx(bias @ weight @ bias + variance, rel=1e-9)
    weight = problem.covariance
    variance = problem.noise**2 * np.trace(weight @ A @ A.T)
    error = A @ X - np.eye(p)
    assert problem.risk(q, "out-of-sample") == pytest.approx(bias @ weight @ bias + variance, rel=1e-9)
    bayes = signal * np.trace(error.T @ weight @ error) + variance
    assert problem.risk(q, "out-of-sample", bayes=True) == pytest.approx(bayes, rel=1e-9)
    wrong = problem.risk(ridge(problem.eigenvalues, 2 * penalty), "out-of-sample", bayes=True)
    assert abs(wrong / bayes - 1) > 1e-4


def test_estimates_of_one_eigenvalue():
    one = np.ones((1, 1))
    problem = LeastSquares(2 * one, np.ones(1), 1.0, one)
    y = np.array([3.0])
    integral = quad(lambda u: 2 * 3 * np.exp(-4 * u), 0, 0.7)[0]
    assert problem.estimate(gradient_flow(problem.eigenvalues, 0.7), y) == pytest.approx([integral])
    assert problem.estimate(descent(problem.eigenvalues, 0.1, 1), y) == pytest.approx([0.6])
    assert problem.estimate(ridge(problem.eigenvalues, 1.0), y) == pytest.approx([6 / 5])


def test_directions_without_data_keep_their_bias_and_have_no_variance():
    problem = LeastSquares(np.array([[1.0, 0.0]]), np.array([0.0, 2.0]), 1.0, np.eye(2))
    times = np.array([0.0, 1.0, 1e9])
    assert problem.risk(gradient_flow(problem.eigenvalues, times)) == pytest.approx(
        [4, 4 + (1 - np.exp(-1)) ** 2, 5]
    )
