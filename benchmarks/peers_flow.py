"""Flows beside SciPy, heyoka and diffrax."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import scipy.integrate
from comparison import Row, installed, medians

RTOL, ATOL = 1e-10, 1e-12


def error(x: np.ndarray, reference: np.ndarray) -> float:
    """The largest error in units of the tolerance that was asked for."""
    return float((abs(x - reference) / (ATOL + RTOL * abs(reference))).max())


def scipy_dop853(
    rhs: Callable, x0: np.ndarray, t_end: float, rtol: float = RTOL, atol: float = ATOL
) -> np.ndarray:
    return scipy.integrate.solve_ivp(rhs, (0.0, t_end), x0, method="DOP853", rtol=rtol, atol=atol).y[:, -1]


def flow_kernel(field, x0: np.ndarray, t_end: float) -> Callable[[], np.ndarray]:
    """The compiled loop of `bea.flow` alone, with its storage made beforehand."""
    from bea.numerics import compile_field
    from bea.numerics.integrator import integrate
    from bea.numerics.tableau import adaptive_tableau

    rhs, p, tableau = compile_field(field).rhs, field.parameter_values(), adaptive_tableau("DOP853")
    d, steps = len(x0), 10_000
    clock, counts, x = np.zeros(2), np.zeros(5, dtype=np.int64), np.empty(d)
    K, atol = np.zeros((len(tableau.A), d)), np.full(d, ATOL)
    times, states, coefficients = np.empty(steps), np.empty((steps, d)), np.empty((0, 7, d))
    t_eval, x_eval = np.empty(0), np.empty((0, d))

    def run() -> np.ndarray:
        clock[:], counts[:], x[:] = 0.0, 0, x0
        integrate(
            rhs, p, *tableau, 0.0, t_end, 0.0, 0, RTOL, atol, clock, counts, x, K,
            times, states, coefficients, t_eval, x_eval, steps,
        )  # fmt: skip
        return x.copy()

    return run


def flow_rows(
    contestants: dict[str, Callable[[], np.ndarray]], reference: np.ndarray, rounds: int
) -> Callable[[str, str, float], Row]:
    """Time the contestants; what is returned puts one of ours beside one peer, with the errors of both."""
    seconds = medians(contestants, rounds)
    errors = {name: error(run(), reference) for name, run in contestants.items()}

    def row(ours: str, peer: str, wanted: float) -> Row:
        remark = f"errors {errors[ours]:.2g} and {errors[peer]:.2g} of the tolerance"
        return Row(ours, peer, seconds[ours], seconds[peer], wanted, remark)

    return row


def flow_of_two_parameters() -> Iterator[Row]:
    """The gradient flow of ½(0.6 − ab)², t in [0, 10]."""
    import numba

    import bea

    loss = bea.Loss("(0.6 - a*b)**2 / 2", variables="a b")
    x0, t_end = np.array([2.8, 3.5]), 10.0

    @numba.njit
    def rhs(t, x):
        residual = 0.6 - x[0] * x[1]
        return np.array([residual * x[1], residual * x[0]])

    contestants = {
        "flow, d=2": lambda: bea.flow(loss, x0, (0.0, t_end), rtol=RTOL, atol=ATOL).y[:, -1],
        "flow, d=2, kernel": flow_kernel(loss.field, x0, t_end),
        "solve_ivp, Numba": lambda: scipy_dop853(rhs, x0, t_end),
    }
    if installed("heyoka"):
        contestants["heyoka"] = heyoka_two_parameters(x0, t_end)
    reference = scipy_dop853(rhs, x0, t_end, rtol=3e-14, atol=1e-16)
    row = flow_rows(contestants, reference, rounds=200)

    yield row("flow, d=2", "solve_ivp, Numba", 25)
    yield row("flow, d=2, kernel", "solve_ivp, Numba", 60)
    if "heyoka" in contestants:
        yield row("flow, d=2, kernel", "heyoka", 1 / 3)


def heyoka_two_parameters(x0: np.ndarray, t_end: float) -> Callable[[], np.ndarray]:
    import heyoka

    a, b = heyoka.make_vars("a", "b")
    residual = 0.6 - a * b
    integrator = heyoka.taylor_adaptive([(a, residual * b), (b, residual * a)], x0.tolist(), tol=RTOL)

    def run() -> np.ndarray:
        integrator.time = 0.0
        integrator.state[:] = x0
        integrator.propagate_until(t_end)
        return integrator.state.copy()

    return run


def flow_of_diagonal_network() -> Iterator[Row]:
    """The gradient flow of (1/n)|X(u² − v²) − y|², a diagonal network, n = 20, d = 100, t in [0, 10]."""
    import sympy

    import bea

    n, p, t_end = 20, 50, 10.0
    rng = np.random.default_rng(0)
    X = rng.choice([-1.0, 1.0], (n, p))
    y = X[:, :3].sum(axis=1) + 0.5 * rng.standard_normal(n).round(3)
    x0 = np.full(2 * p, 0.1)

    u, v = sympy.symbols(f"u:{p}"), sympy.symbols(f"v:{p}")
    residuals = [
        sympy.Add(*(int(X[i, j]) * (u[j] ** 2 - v[j] ** 2) for j in range(p)), -sympy.Rational(str(y[i])))
        for i in range(n)
    ]
    symbolic = bea.Loss(sympy.Add(*(r**2 for r in residuals)) / n, [*u, *v]).field
    source = f"""
        X, y = data[:{n * p}].reshape(({n}, {p})), data[{n * p}:]
        u, v = x[:{p}], x[{p}:]
        g = 4/{n}*np.dot(np.dot(X, u*u - v*v) - y, X)
        out[:{p}] = -u*g
        out[{p}:] = v*g
    """
    native = bea.VectorField(
        symbolic.components,
        symbolic.variables,
        native_source=source,
        native_data=np.concatenate([X.ravel(), y]),
    )

    def rhs(t, x):
        u, v = x[:p], x[p:]
        g = 4 / n * ((X @ (u * u - v * v) - y) @ X)
        return np.concatenate([-u * g, v * g])

    contestants = {
        "flow, d=100, native": lambda: bea.flow(native, x0, (0.0, t_end), rtol=RTOL, atol=ATOL).y[:, -1],
        "flow, d=100, symbolic": lambda: bea.flow(symbolic, x0, (0.0, t_end), rtol=RTOL, atol=ATOL).y[:, -1],
        "solve_ivp, NumPy": lambda: scipy_dop853(rhs, x0, t_end),
    }
    if installed("diffrax"):
        contestants["diffrax Dopri8"] = diffrax_diagonal_network(X, y, x0, t_end)
    reference = scipy_dop853(rhs, x0, t_end, rtol=3e-14, atol=1e-16)
    row = flow_rows(contestants, reference, rounds=50)

    yield row("flow, d=100, native", "solve_ivp, NumPy", 8)
    yield row("flow, d=100, symbolic", "solve_ivp, NumPy", 1)
    if "diffrax Dopri8" in contestants:
        yield row("flow, d=100, native", "diffrax Dopri8", 1)


def diffrax_diagonal_network(
    X: np.ndarray, y: np.ndarray, x0: np.ndarray, t_end: float
) -> Callable[[], np.ndarray]:
    import diffrax
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    n, p = X.shape
    matrix, target = jnp.asarray(X), jnp.asarray(y)

    def rhs(t, x, arguments):
        u, v = x[:p], x[p:]
        g = 4 / n * ((matrix @ (u * u - v * v) - target) @ matrix)
        return jnp.concatenate([-u * g, v * g])

    @jax.jit
    def solve(x):
        solution = diffrax.diffeqsolve(
            diffrax.ODETerm(rhs),
            diffrax.Dopri8(),
            t0=0.0,
            t1=t_end,
            dt0=None,
            y0=x,
            stepsize_controller=diffrax.PIDController(rtol=RTOL, atol=ATOL),
            max_steps=100_000,
        )
        return solution.ys[-1]

    start = jnp.asarray(x0)
    return lambda: np.asarray(solve(start).block_until_ready())


SECTION = (flow_of_two_parameters, flow_of_diagonal_network)
