"""The one compiled loop that integrates every field by every explicit Runge–Kutta method."""

from __future__ import annotations

import numpy as np
from numba import float64, int64, njit

from bea.numerics.call import call

__all__ = ["BUDGET_USED", "NOT_FINITE", "STEP_TOO_SMALL", "SUCCESS", "integrate"]

BUDGET_USED, SUCCESS, STEP_TOO_SMALL, NOT_FINITE = 1, 0, -1, -2

SAFETY, MIN_FACTOR, MAX_FACTOR = 0.9, 0.2, 10.0

#: The least positive number of full precision.
TINY = float(np.finfo(np.float64).tiny)

#: The dimension from which on loops over the components are worth vectorizing.
SHORT = 8

_compile = njit(error_model="numpy")


@_compile
def all_finite(v):
    """Whether no component is infinite or not a number."""
    total = 0.0
    for i in range(v.size):
        total += 0.0 * v[i]  # 0·∞ is NaN
    return total == 0.0


@_compile
def sum_by_components(start, weights, K, h, out):
    """out = start + h Σ_j weights_j K_j, fast for short vectors."""
    for i in range(start.size):
        total = 0.0
        for j in range(weights.size):
            total += weights[j] * K[j, i]
        out[i] = start[i] + h * total


@_compile
def sum_by_rows(start, weights, K, h, out):
    """out = start + h Σ_j weights_j K_j, fast for long vectors."""
    d = start.size
    for i in range(d):
        out[i] = 0.0
    for j in range(weights.size):
        weight = weights[j]
        if weight != 0.0:
            for i in range(d):
                out[i] += weight * K[j, i]
    for i in range(d):
        out[i] = start[i] + h * out[i]


@_compile
def error_norm(E, K, h, x, x_new, rtol, atol):
    """The root mean square of the error estimate, in units of the tolerance, ∞ if that is too large a number.

    A tolerance of zero counts as the least normal number.
    """
    d = x.size
    e5_squared = e3_squared = 0.0
    for i in range(d):
        e5 = e3 = 0.0
        for j in range(E.shape[1]):
            e5 += E[0, j] * K[j, i]
            e3 += E[1, j] * K[j, i]
        scale = max(TINY, atol[i] + rtol * max(abs(x[i]), abs(x_new[i])))
        e5_squared += (e5 / scale) ** 2
        e3_squared += (e3 / scale) ** 2
    if e5_squared == 0.0 and e3_squared == 0.0:
        return 0.0
    if e5_squared == np.inf:
        return np.inf
    return abs(h) * e5_squared / np.sqrt((e5_squared + 0.01 * e3_squared) * d)


@_compile
def scaled_norm(v, x, rtol, atol):
    """The root mean square of v in units of the tolerance at x, over the components that have one."""
    total = 0.0
    for i in range(x.size):
        scale = atol[i] + rtol * abs(x[i])
        if scale > 0.0:
            total += (v[i] / scale) ** 2
    return np.sqrt(total / x.size)


@_compile
def initial_step(rhs, p, x, K, direction, interval, order, rtol, atol, work):
    """The first step size by Hairer, Nørsett and Wanner (1993), Section II.4. Uses K[1] as working space."""
    size, slope = scaled_norm(x, x, rtol, atol), scaled_norm(K[0], x, rtol, atol)
    h0 = 1e-6 if size < 1e-5 or slope < 1e-5 else 0.01 * size / slope
    h0 = min(h0, interval)
    for i in range(x.size):
        work[i] = x[i] + h0 * direction * K[0, i]
    call(rhs, work, p, K[1])
    for i in range(x.size):
        work[i] = K[1, i] - K[0, i]
    bend = scaled_norm(work, x, rtol, atol) / h0
    if slope <= 1e-15 and bend <= 1e-15:
        h1 = max(1e-6, h0 * 1e-3)
    else:
        h1 = (0.01 / max(slope, bend)) ** (1.0 / (order + 1))
    return min(100 * h0, h1, interval)


@_compile
def dense_coefficients(rhs, p, A, D, K, s, h, x, x_new, work, F):
    """F such that x(t + θh) = x + θ(F₀ + (1 − θ)(F₁ + θ(F₂ + (1 − θ)(F₃ + …)))). Whether it is finite."""
    for j in range(s + 1, A.shape[0]):
        sum_by_rows(x, A[j, :j], K, h, work)
        call(rhs, work, p, K[j])
    for i in range(x.size):
        delta = x_new[i] - x[i]
        F[0, i] = delta
        F[1, i] = h * K[0, i] - delta
        F[2, i] = 2 * delta - h * (K[s, i] + K[0, i])
    for q in range(D.shape[0]):
        for i in range(x.size):
            total = 0.0
            for j in range(D.shape[1]):
                total += D[q, j] * K[j, i]
            F[3 + q, i] = h * total
    finite = True
    for q in range(F.shape[0]):
        finite = finite and all_finite(F[q])
    return finite


@_compile
def interpolate(F, x, theta, out):
    """The value of dense output at a fraction θ of the step."""
    for i in range(x.size):
        value = 0.0
        for q in range(F.shape[0] - 1, -1, -1):
            value = (value + F[q, i]) * (theta if q % 2 == 0 else 1 - theta)
        out[i] = x[i] + value


_SIGNATURE = int64(
    int64,  # rhs
    float64[::1],  # p
    float64[:, ::1],  # A
    float64[:, ::1],  # E
    float64[:, ::1],  # D
    int64,  # estimator_order
    float64,  # t_start
    float64,  # t_end
    float64,  # step_size
    int64,  # fixed_steps
    float64,  # rtol
    float64[::1],  # atol
    float64[::1],  # clock
    int64[::1],  # counts
    float64[::1],  # x
    float64[:, ::1],  # K
    float64[::1],  # times
    float64[:, ::1],  # states
    float64[:, :, ::1],  # coefficients
    float64[::1],  # t_eval
    float64[:, ::1],  # x_eval
    int64,  # budget
)


@njit(_SIGNATURE, cache=True, nogil=True, error_model="numpy")
def integrate(
    rhs, p, A, E, D, estimator_order, t_start, t_end, step_size, fixed_steps, rtol, atol,
    clock, counts, x, K, times, states, coefficients, t_eval, x_eval, budget,
):  # fmt: skip
    """Integrate ẋ = f(x) until t_end is reached, something fails, or `budget` steps have been tried.

    Parameters
    ----------
    rhs, p : int, array
        The address of f and its parameters.
    A, E, D, estimator_order
        The method; see `bea.numerics.tableau.FloatTableau`.
    t_start, t_end : float
    step_size, fixed_steps : float, int
        With fixed_steps > 0, that many steps are made, all of `step_size` but the last, which ends at t_end;
        else steps adapt to the tolerances.
    rtol, atol : float, array of shape (d,)
    clock : array of shape (2,)
        Time and next step size, kept from call to call.
    counts : int array of shape (5,)
        Steps tried, steps accepted, calls of f, points of `t_eval` done, and whether the last step was
        rejected, kept from call to call.
    x : array of shape (d,)
        The state, kept from call to call.
    K : array of shape (len(A), d)
        Stages; row 0 keeps f(x) from call to call.
    times, states : arrays of shape (budget,), (budget, d)
        Receive accepted steps of this call, where they are not empty.
    coefficients : array of shape (budget, q + 3, d)
        Receives dense output of those steps, where it is not empty.
    t_eval, x_eval : arrays of shape (n,), (n, d)
        Times in the order of integration, and the states there.

    Returns
    -------
    status : int

    References
    ----------
    .. [1] E. Hairer, S. P. Nørsett, G. Wanner, Solving Ordinary Differential Equations I, 2nd ed., Springer,
           1993, Sections II.4 to II.6 and II.10. The step size control is that of SciPy's solvers.
    """
    d, s = x.size, E.shape[1] - 1
    direction = 1.0 if t_end >= t_start else -1.0
    exponent = -1.0 / (estimator_order + 1)
    x_new, work = np.empty(d), np.empty(d)
    F = np.empty((3 + D.shape[0], d))
    t, h_abs = clock[0], clock[1]
    stored = 0
    rejected = counts[4] > 0
    finite = True
    status = BUDGET_USED

    if counts[2] == 0:
        call(rhs, x, p, K[0])
        counts[2] = 1
        if not all_finite(K[0]):
            return NOT_FINITE
        if fixed_steps == 0:
            h_abs = initial_step(
                rhs, p, x, K, direction, abs(t_end - t_start), estimator_order, rtol, atol, work
            )
            counts[2] += 1

    for _ in range(budget):
        min_step = 10 * abs(np.nextafter(t, direction * np.inf) - t)
        if fixed_steps > 0:
            last = counts[1] == fixed_steps - 1
            t_new = t_end if last else t_start + (counts[1] + 1) * step_size
            h = t_end - t if last else step_size
        else:
            if h_abs < min_step:
                if rejected:
                    status = STEP_TOO_SMALL if finite else NOT_FINITE
                    break
                h_abs = min_step
            t_new = t + direction * h_abs
            if direction * (t_new - t_end) > 0:
                t_new = t_end
            h = t_new - t
            h_abs = abs(h)

        for j in range(1, s + 1):  # the last stage is the end of the step
            if d < SHORT:
                sum_by_components(x, A[j, :j], K, h, x_new)
            else:
                sum_by_rows(x, A[j, :j], K, h, x_new)
            call(rhs, x_new, p, K[j])
        counts[0] += 1
        counts[2] += s

        if fixed_steps > 0:
            if not (all_finite(x_new) and all_finite(K[s])):
                status = NOT_FINITE
                break
        else:
            error = error_norm(E, K, h, x, x_new, rtol, atol)
            finite = not np.isnan(error) and all_finite(x_new) and all_finite(K[s])
            if not (finite and error < 1.0):
                h_abs *= max(MIN_FACTOR, SAFETY * error**exponent) if finite else MIN_FACTOR
                rejected = True
                continue
            factor = MAX_FACTOR if error == 0.0 else min(MAX_FACTOR, SAFETY * error**exponent)
            h_abs *= min(1.0, factor) if rejected else factor
            rejected = False

        wanted = counts[3] < t_eval.size and direction * (t_eval[counts[3]] - t_new) <= 0
        if wanted or coefficients.shape[0] > 0:
            counts[2] += A.shape[0] - s - 1
            if not dense_coefficients(rhs, p, A, D, K, s, h, x, x_new, work, F):
                status = NOT_FINITE
                break
            if coefficients.shape[0] > 0:
                for q in range(F.shape[0]):
                    for i in range(d):
                        coefficients[stored, q, i] = F[q, i]
            while counts[3] < t_eval.size and direction * (t_eval[counts[3]] - t_new) <= 0:
                interpolate(F, x, (t_eval[counts[3]] - t) / h, x_eval[counts[3]])
                counts[3] += 1

        t = t_new
        for i in range(d):
            x[i] = x_new[i]
            K[0, i] = K[s, i]
        counts[1] += 1
        if times.size > 0:
            times[stored] = t
            for i in range(d):
                states[stored, i] = x[i]
            stored += 1
        if t == t_end:
            status = SUCCESS
            break

    clock[0], clock[1] = t, h_abs
    counts[4] = rejected
    return status
