"""Early stopping of least squares against ridge regression (Ali, Kolter and Tibshirani 2019)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp
from scipy.optimize import minimize_scalar

from bea.theorems.claims import Claim, Run, Theorem
from bea.theorems.least_squares import LeastSquares, descent, gradient_flow, random_problem, ridge
from bea.theorems.measured import limit_claim
from bea.theorems.ridge_factors import (
    BITS,
    PUBLISHED,
    PUBLISHED_OPTIMAL,
    bias_factor,
    largest_best_factor,
    largest_variance_factor,
    variance_factor,
)
from bea.theorems.samples import mean_claim

__all__ = ["EarlyStopping"]

#: Terms of −log(1 − z)/z beyond z to this power are below rounding for z ≤ 0.4.
SERIES = 40
#: x = ts, with s an eigenvalue of XᵀX/n, where suprema are sought.
PRODUCTS = np.geomspace(1e-6, 1e6, 200_001)


class EarlyStopping(Theorem):
    """Gradient flow stopped at t has at most 1.6862 times the risk of ridge regression with λ = 1/t."""

    name = "early-stopping"
    title = "Early stopping of least squares"
    statement = (
        r"Let $y = X\beta_0 + \epsilon$ with noise of mean $0$ and covariance $\sigma^2 I$. The gradient "
        r"flow of $\frac{1}{2n} \|y - X\beta\|^2$ from $0$, stopped at the time $t$, has at most $1.6862$ "
        r"times the risk of ridge regression, the minimum of "
        r"$\frac{1}{n} \|y - X\beta\|^2 + \lambda \|\beta\|^2$, with "
        r"$\lambda = \frac{1}{t}$, for every $t > 0$ and every $X$. So it is for the estimation risk "
        r"$E\|\hat\beta - \beta_0\|^2$ and the in-sample prediction risk with every $\beta_0$, and for the "
        r"out-of-sample prediction risk in the mean over $\beta_0$ of covariance $\frac{r^2}{p} I$. In that "
        r"mean the least risk over all $t$ is at most $1.2147$ times the least over all $\lambda$."
    )
    references = (
        "A. Ali, J. Z. Kolter and R. J. Tibshirani (2019), A continuous-time view of early stopping for "
        "least squares regression, International Conference on Artificial Intelligence and Statistics",
    )

    def check(self, run: Run) -> Iterator[Claim]:
        """The constants, the risks of random problems, Monte Carlo, descent, and controls."""
        yield from _constants()
        yield from _calibrations()
        yield from _attained()
        yield from _risks(run)
        yield from _best_against_best(run)
        yield _fixed_signal()
        yield from _formulas(run)
        yield from _monte_carlo(run)
        yield from _discrete_descent(run)

    def figure(self, run: Run) -> Any:
        """The factors of bias and variance, the risks of one problem, and the ratios of many."""
        from matplotlib.figure import Figure

        from bea.theorems.early_stopping_figure import draw_factors, draw_ratios, draw_risks

        figure = Figure(figsize=(14, 4.3), layout="constrained")
        axes = figure.subplots(1, 3)
        draw_factors(axes[0])
        draw_risks(axes[1], *run.data["example"])
        draw_ratios(axes[2], *run.data["ratios"])
        return figure


# -- the constants ---------------------------------------------------------------------------------------


def _constants() -> Iterator[Claim]:
    for name, value, published in (
        ("the constant, the largest (1 − e^(−x))²(1 + 1/x)²", largest_variance_factor(), PUBLISHED),
        (
            "best t against best λ: the largest (1 + x)(e^(−2x) + (1 − e^(−x))²/x)",
            largest_best_factor(),
            PUBLISHED_OPTIMAL,
        ),
    ):
        yield Claim(
            name=name,
            predicted=f"at most {published}",
            measured=value.str(20, radius=False),
            passed=published - 5e-4 < float(value) <= published,
            detail=f"bisection in ball arithmetic, {BITS} bits; published as an upper bound of four decimals",
        )
    left, right = PRODUCTS[:-1], PRODUCTS[1:]
    cover = float(((-np.expm1(-right)) * (1 + 1 / left)).max() ** 2)
    outside = max((1 + left[0]) ** 2, (1 + 1 / right[-1]) ** 2)
    yield Claim(
        name="upper bound of the factor of the variance for all x > 0",
        predicted=f"at most {PUBLISHED + 5e-4:.4f}",
        measured=max(cover, outside),
        passed=max(cover, outside) <= PUBLISHED + 5e-4,
        detail=f"1 − e^(−x) at the right end and 1 + 1/x at the left of {len(left)} intervals; "
        "before them it is at most (1 + x)², behind them (1 + 1/x)²",
    )
    bias = float(bias_factor(PRODUCTS).max())
    yield Claim(
        name="the factor of the squared bias, e^(−2x)(1 + x)², is at most 1",
        predicted="at most 1",
        measured=bias,
        passed=bias <= 1,
        detail=f"{len(PRODUCTS)} values of x from 1e-6 to 1e6",
    )


def _calibrations() -> Iterator[Claim]:
    """λ = c/t with other c: the constant is the larger of the suprema of both factors."""

    def constant(c: float) -> float:
        return float(max(variance_factor(PRODUCTS, c).max(), bias_factor(PRODUCTS, c).max()))

    yield Claim(
        name="control: with λ = 2/t the constant is another",
        predicted=4,
        measured=constant(2.0),
        passed=abs(constant(2.0) - 4) < 1e-4,
        detail="for ts → 0, where all is variance",
    )
    best = minimize_scalar(constant, bounds=(0.3, 1.0), method="bounded", options={"xatol": 1e-9})
    yield Claim(
        name="λ = 1/t is not the best of all λ = c/t: the least constant",
        predicted=f"below {PUBLISHED}",
        measured=float(best.fun),
        passed=best.fun < PUBLISHED,
        detail=f"at c = {best.x:.4f}, where bias and variance are equally bad",
    )


def _attained() -> Iterator[Claim]:
    """One eigenvalue and no signal: all is variance, with the worst ts."""
    one = np.ones((1, 1))
    problem = LeastSquares(X=one, beta=np.zeros(1), noise=1.0, covariance=one)
    measured = float(_ratios(problem, np.geomspace(0.1, 100, 20_001)).max())
    yield Claim(
        name="a design of one eigenvalue without signal attains the constant",
        predicted=float(largest_variance_factor()),
        measured=measured,
        passed=abs(measured - float(largest_variance_factor())) < 1e-6,
        detail="largest over 20001 times, s = 1",
    )
    yield Claim(
        name="control: so the constant 1.5 would be wrong",
        predicted="above 1.5",
        measured=measured,
        passed=measured > 1.5,
        detail="the same design",
    )


# -- closed-form risks -----------------------------------------------------------------------------------


def _ratios(problem: LeastSquares, times: np.ndarray, c: float = 1.0, **kind: Any) -> np.ndarray:
    """The risk of the flow at each time over that of ridge with λ = c/t."""
    s = problem.eigenvalues
    return problem.risk(gradient_flow(s, times), **kind) / problem.risk(ridge(s, c / times), **kind)


def _risks(run: Run) -> Iterator[Claim]:
    """Suprema over times and random problems."""
    count = 200 if run.quick else 3000
    times = np.geomspace(1e-2, 1e6, 97 if run.quick else 193)
    problems = [random_problem(run.rng) for _ in range(count)]
    constant = float(largest_variance_factor())
    detail = f"largest over {count} random problems and {len(times)} times from 0.01 to 1e6"
    for kind, bayes in (
        ("estimation", False),
        ("in-sample", False),
        ("estimation", True),
        ("in-sample", True),
        ("out-of-sample", True),
    ):
        ratios = np.array([_ratios(problem, times, kind=kind, bayes=bayes) for problem in problems])
        if kind == "estimation" and not bayes:
            run.data["ratios"] = times, ratios
        risk = f"{kind} {'' if kind == 'estimation' else 'prediction '}risk"
        yield Claim(
            name=f"{risk}, {'mean over signals' if bayes else 'every signal'}: flow over ridge",
            predicted=f"at most {PUBLISHED}",
            measured=float(ratios.max()),
            passed=ratios.max() <= constant,
            detail=detail,
        )
    exceeded = max(float(_ratios(problem, times, c=2.0).max()) for problem in problems)
    yield Claim(
        name="control: estimation risk, every signal: flow over ridge with λ = 2/t",
        predicted=f"above {PUBLISHED}",
        measured=exceeded,
        passed=exceeded > constant,
        detail=detail,
    )


def _best_against_best(run: Run) -> Iterator[Claim]:
    """In the mean over signals: the least risk over t against the least over λ."""
    count = 60 if run.quick else 600
    problems = [random_problem(run.rng) for _ in range(count)]
    for kind in ("estimation", "in-sample", "out-of-sample"):
        quotients = []
        for problem in problems:
            s = problem.eigenvalues
            penalty = _best_penalty(problem)
            times = np.geomspace(0.1, 30, 401) / penalty
            flow = problem.risk(gradient_flow(s, times), kind=kind, bayes=True).min()
            quotients.append(float(flow / problem.risk(ridge(s, penalty), kind=kind, bayes=True)))
        risk = f"{kind} {'' if kind == 'estimation' else 'prediction '}risk"
        yield Claim(
            name=f"{risk}, mean over signals: least of the flow over least of ridge",
            predicted=f"from 1 to {PUBLISHED_OPTIMAL}",
            measured=f"{min(quotients):.6f} to {max(quotients):.6f}",
            passed=min(quotients) >= 1 - 1e-12 and max(quotients) <= float(largest_best_factor()),
            detail=f"{count} random problems, 401 times around 1/λ",
        )
    yield _best_penalty_is_best(problems[: 20 if run.quick else 100])


def _best_penalty(problem: LeastSquares) -> float:
    """λ = pσ²/(r²n)."""
    n, p = problem.X.shape
    return float(p * problem.noise**2 / (problem.beta @ problem.beta * n))


def _best_penalty_is_best(problems: list[LeastSquares]) -> Claim:
    """The penalty pσ²/(r²n) against a numerical minimum."""
    gaps = []
    for problem in problems:
        s, penalty = problem.eigenvalues, _best_penalty(problem)

        def risk(log: float, problem: LeastSquares = problem, s: np.ndarray = s) -> float:
            return float(problem.risk(ridge(s, np.exp(log)), bayes=True))

        found = minimize_scalar(risk, bounds=np.log(penalty) + np.array([-6.0, 6.0]), method="bounded")
        gaps.append(risk(np.log(penalty)) / found.fun - 1)
    return Claim(
        name="mean over signals: ridge is best with λ = pσ²/(r²n); risk there over the least found, less 1",
        predicted=0.0,
        measured=float(max(gaps)),
        passed=max(gaps) < 1e-12,
        detail=f"largest of {len(problems)} numerical minima",
    )


def _fixed_signal() -> Claim:
    """Out of sample and with one signal, biases of several eigenvectors may cancel: there is no bound.

    New points in one direction d only: the squared bias is (Σ_i q(s_i) d_i β_i)², and it vanishes for ridge
    but not for the flow.
    """
    s, t = np.array([1.0, 4.0]), 1.0
    of_ridge = ridge(s, 1 / t)
    direction = np.array([1.0, -of_ridge[0] / of_ridge[1]])
    problem = LeastSquares(
        X=np.diag(np.sqrt(2 * s)),
        beta=np.ones(2),
        noise=1e-3,
        covariance=np.outer(direction, direction),
    )
    measured = float(_ratios(problem, np.array([t]), kind="out-of-sample")[0])
    return Claim(
        name="control: out-of-sample prediction risk of one signal: flow over ridge",
        predicted=f"above {PUBLISHED}",
        measured=measured,
        passed=measured > PUBLISHED,
        detail="two eigenvalues, 1 and 4, t = 1, new points in a direction in which ridge has no bias",
    )


# -- noisy data ------------------------------------------------------------------------------------------


def _formulas(run: Run) -> Iterator[Claim]:
    """The estimates on noisy data, against an integration, a linear system and matrix functions."""
    routes = {
        "gradient flow: the estimate, against an integration of the flow": _flow_error,
        "ridge: the estimate, against a linear system": _ridge_error,
        "descent: 12 steps, against its modified flow XᵀX/n → −log(1 − hXᵀX/n)/h": _descent_error,
    }
    problems = [random_problem(run.rng) for _ in range(8 if run.quick else 40)]
    data = [p.X @ p.beta + p.noise * run.rng.standard_normal(len(p.X)) for p in problems]
    for name, error in routes.items():
        worst = max(error(problem, y) for problem, y in zip(problems, data, strict=True))
        yield Claim(
            name=name,
            predicted=0.0,
            measured=float(worst),
            passed=worst < 1e-8,
            detail=f"largest relative distance over {len(problems)} random problems",
        )


def _normal_equations(problem: LeastSquares, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    n = len(y)
    return problem.X.T @ problem.X / n, problem.X.T @ y / n


def _flow_error(problem: LeastSquares, y: np.ndarray, t: float = 8.0) -> float:
    H, b = _normal_equations(problem, y)
    return _distance(problem.estimate(gradient_flow(problem.eigenvalues, t), y), _integral(H, b, t))


def _integral(H: np.ndarray, b: np.ndarray, t: float) -> np.ndarray:
    """The solution of x' = b − Hx from 0 at the time t."""
    solution = solve_ivp(lambda _, x: b - H @ x, (0, t), 0 * b, method="DOP853", rtol=1e-11, atol=1e-14)
    return solution.y[:, -1]


def _ridge_error(problem: LeastSquares, y: np.ndarray, penalty: float = 0.125) -> float:
    H, b = _normal_equations(problem, y)
    solution = np.linalg.solve(H + penalty * np.eye(len(b)), b)
    return _distance(problem.estimate(ridge(problem.eigenvalues, penalty), y), solution)


def _descent_error(problem: LeastSquares, y: np.ndarray, steps: int = 12) -> float:
    """Iterates against the flow of the modified field Σ_k (hH)^k/(k + 1) (b − Hx) at the same time."""
    H, b = _normal_equations(problem, y)
    h = 0.4 / float(np.linalg.norm(H, 2))
    x = 0 * b
    for _ in range(steps):
        x = x - h * (H @ x - b)
    factor = np.zeros_like(H)
    for k in range(SERIES, -1, -1):
        factor = h * H @ factor + np.eye(len(b)) / (k + 1)
    modified = _integral(factor @ H, factor @ b, steps * h)
    q = descent(problem.eigenvalues, h, steps)
    return max(_distance(x, modified), _distance(problem.estimate(q, y), x))


def _distance(x: np.ndarray, y: np.ndarray) -> float:
    return float(np.linalg.norm(x - y) / np.linalg.norm(y))


def _monte_carlo(run: Run) -> Iterator[Claim]:
    """One problem with 40 eigenvalues, fresh noise in every replica, with a fixed and with random signals."""
    n, p, replicas = 100, 40, 2000 if run.quick else 40_000
    X = run.rng.standard_normal((n, p)) / np.sqrt(np.arange(1, p + 1))
    beta = run.rng.standard_normal(p) / np.sqrt(p)
    covariance = np.diag(1 / np.arange(1, p + 1))
    problem = LeastSquares(X, beta, 1.0, covariance)
    times = np.geomspace(0.1, 1000, 9)
    signals = run.rng.standard_normal((replicas, p)) * np.linalg.norm(beta) / np.sqrt(p)
    new = run.rng.standard_normal((replicas, p)) @ np.sqrt(covariance)
    noise = run.rng.standard_normal((n, replicas))
    squares: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    flow, penalized = gradient_flow(problem.eigenvalues, times), ridge(problem.eigenvalues, 1 / times)
    for label, truth, along in (("estimation", beta[:, None], None), ("out-of-sample", signals.T, new.T)):
        y = X @ truth + noise
        of_flow, of_ridge = (
            np.array([_squares(problem.estimate(q, y) - truth, along) for q in remaining])
            for remaining in (flow, penalized)
        )
        squares[label] = of_flow, of_ridge
    run.data["example"] = problem, times, squares["estimation"]
    detail = f"n, p = {n}, {p}, σ = 1, {len(times)} times from 0.1 to 1000"
    yield from _sampled_risks(problem, times, squares, detail)
    yield from _sampled_bound(squares, detail)


def _squares(error: np.ndarray, along: np.ndarray | None) -> np.ndarray:
    """Squared errors of all replicas, of shape (p, m): of estimates, or of predictions at new points."""
    return np.sum(error**2, axis=0) if along is None else np.sum(error * along, axis=0) ** 2


def _sampled_risks(
    problem: LeastSquares,
    times: np.ndarray,
    squares: dict[str, tuple[np.ndarray, np.ndarray]],
    detail: str,
) -> Iterator[Claim]:
    """Mean squares over the exact risks, averaged over the times so that a replica is one number."""
    for kind, pair in squares.items():
        bayes = kind == "out-of-sample"
        remaining = (gradient_flow(problem.eigenvalues, times), ridge(problem.eigenvalues, 1 / times))
        for label, q, sample in zip(("gradient flow", "ridge"), remaining, pair, strict=True):
            exact = problem.risk(q, kind=kind, bayes=bayes)
            yield mean_claim(
                f"{label}: squared error of {'predictions' if bayes else 'estimates'} over the exact risk",
                (sample / exact[:, None]).mean(axis=0),
                detail,
                near=(1.0, 0.15),
                samples="replicas of the noise" + (", the signal and the point" if bayes else ""),
            )


def _sampled_bound(squares: dict[str, tuple[np.ndarray, np.ndarray]], detail: str) -> Iterator[Claim]:
    """Squared errors of the flow less 1.6862 times those of ridge with the same noise, at the worst time."""
    for kind, (flow, penalized) in squares.items():
        what = "estimates" if kind == "estimation" else "new predictions"
        worst = int(np.argmax(flow.mean(axis=1) / penalized.mean(axis=1)))
        scale = penalized[worst].mean()
        yield mean_claim(
            f"{what}: mean squared error of the flow less 1.6862 times that of ridge, at the worst time",
            (flow[worst] - PUBLISHED * penalized[worst]) / scale,
            f"in units of that of ridge; {detail}",
            below=0,
            samples="replicas",
        )
        if kind == "estimation":
            yield mean_claim(
                "control: the flow is worse than ridge there: the same without the factor",
                (flow[worst] - penalized[worst]) / scale,
                f"in units of that of ridge; {detail}",
                above=0,
                samples="replicas",
            )


# -- descent ---------------------------------------------------------------------------------------------


def _discrete_descent(run: Run) -> Iterator[Claim]:
    """k steps of size h against ridge with λ = 1/(kh), for eigenvalues with hs ≤ 1."""

    def factor(x: float, k: int) -> float:
        return float(((1 - (1 - x / k) ** k) * (1 + 1 / x)) ** 2)

    def constant(k: int) -> float:
        inside = minimize_scalar(lambda x: -factor(x, k), bounds=(1e-3, k), method="bounded")
        return max(-float(inside.fun), factor(float(k), k))

    yield Claim(
        name="descent of one step against ridge: the constant",
        predicted=4,
        measured=constant(1),
        passed=abs(constant(1) - 4) < 1e-9,
        detail="the largest ((1 − (1 − x/k)^k)(1 + 1/x))², 0 < x ≤ k, for k = 1",
    )
    yield limit_claim(
        "descent of many steps against ridge: the constant tends to that of the flow",
        float(largest_variance_factor()),
        [constant(2**j) for j in range(3, 8)],
        "k = 8 to 128 steps, h is 1/k",
    )
    count, k = 100 if run.quick else 1000, 10
    ratios = []
    for _ in range(count):
        problem = random_problem(run.rng)
        s = problem.eigenvalues
        h = run.rng.uniform(0.01, 1) / s[-1]
        ratios.append(float(problem.risk(descent(s, h, k)) / problem.risk(ridge(s, 1 / (k * h)))))
    yield Claim(
        name=f"descent of {k} steps, estimation risk over that of ridge",
        predicted=f"at most {constant(k):.4f}",
        measured=max(ratios),
        passed=max(ratios) <= constant(k),
        detail=f"largest over {count} random problems and step sizes",
    )
