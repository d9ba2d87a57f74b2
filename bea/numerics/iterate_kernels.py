"""The compiled loops that iterate every compiled field by every Runge–Kutta method.

Both loops overwrite the current iterate `x`, record iterates in the table `rows`, and count in
``counts = [steps made, rows recorded]``, so that a run may be continued chunk by chunk.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from bea.numerics.call import call

__all__ = [
    "COMPLETED",
    "DIVERGED",
    "LIMIT",
    "MAX_NEWTON_ITERATIONS",
    "UNSOLVED",
    "explicit_steps",
    "implicit_steps",
]

COMPLETED, DIVERGED, UNSOLVED = 0, 1, 2

#: An iterate with a component beyond this has diverged.
LIMIT = 1e100

#: From the slope at the step's beginning Newton's method soon converges or not at all; from the beginning
#: itself it may have a long way, along an exponential one unit of its exponent at a time.
MAX_NEWTON_ITERATIONS = (50, 1000)

#: Newton corrections below this share of the solution are not damped: the residual may be all rounding.
CLOSE = 1e-9

#: Newton corrections below this share of the solution are rounding.
ROUNDING = 4 * float(np.finfo(np.float64).eps)

_compile = njit(cache=True, nogil=True, error_model="numpy")


@_compile
def explicit_steps(rhs, p, W, x, rows, counts, record_every, last):
    """Iterate by an explicit method until `last` steps have been made; return a status.

    Row i of W, of shape (s, s), holds the weights h·a_ij with which stage i + 1 begins; its last row is h·b.
    """
    s, d = W.shape[0], x.size
    K = np.empty((s, d))
    y, before = x.copy(), x.copy()
    made, recorded = counts
    due = record_every - made % record_every
    diverged = False
    while made < last:
        call(rhs, x, p, K[0])
        for i in range(s - 1):
            for m in range(d):
                value = x[m]
                for j in range(i + 1):
                    value += W[i, j] * K[j, m]
                y[m] = value
            call(rhs, y, p, K[i + 1])
        for m in range(d):
            value = before[m] = x[m]
            for j in range(s):
                value += W[s - 1, j] * K[j, m]
            x[m] = value
            diverged |= not abs(value) <= LIMIT
        if diverged:
            x[:] = before
            break
        made += 1
        due -= 1
        if due == 0:
            for m in range(d):
                rows[recorded, m] = x[m]
            recorded += 1
            due = record_every
    counts[0], counts[1] = made, recorded
    return DIVERGED if diverged else COMPLETED


@_compile
def implicit_steps(rhs, jacobian, p, hA, hb, x, rows, counts, record_every, last, report):
    """Iterate by an implicit method until `last` steps have been made; return a status.

    `hA` and `hb` are h·A and h·b. `report` receives the number of Newton iterations of the last step and the
    residual that they left.
    """
    s, d = hb.size, x.size
    K, y = np.empty((s, d)), np.empty(d)
    work = np.empty((4, s, d)), np.empty((s * d, s * d)), np.empty(s * d), np.empty(d * d)
    while counts[0] < last:
        if not solve_stages(rhs, jacobian, p, hA, x, K, work, report):
            return UNSOLVED
        for m in range(d):
            y[m] = x[m]
            for j in range(s):
                y[m] += hb[j] * K[j, m]
            if not abs(y[m]) <= LIMIT:
                return DIVERGED
        x[:] = y
        counts[0] += 1
        if counts[0] % record_every == 0:
            rows[counts[1]] = x
            counts[1] += 1
    return COMPLETED


@_compile
def solve_stages(rhs, jacobian, p, hA, x, K, work, report):
    """Solve K_i = f(x + h Σ_j a_ij K_j) by Newton's method from K_i = f(x), which is near the solution for
    small steps, or else from K_i = 0, with all stages at x; return whether it converged.
    """
    for i in range(K.shape[0]):
        call(rhs, x, p, K[i])
    if newton(rhs, jacobian, p, hA, x, K, work, report, MAX_NEWTON_ITERATIONS[0]):
        return True
    K[:] = 0.0
    return newton(rhs, jacobian, p, hA, x, K, work, report, MAX_NEWTON_ITERATIONS[1])


@_compile
def newton(rhs, jacobian, p, hA, x, K, work, report, iterations):
    """Solve the stage equations from the given K by Newton's method; return whether it converged.

    A correction is halved until the residual falls. The iteration ends when the correction is rounding, or
    close to it and no longer falling.
    """
    s, d = K.shape
    stages, M, correction, J = work
    X, R, K_new, R_new = stages[0], stages[1], stages[2], stages[3]
    reach = largest(hA)
    norm = residual(rhs, p, hA, x, K, X, R)
    previous = np.inf
    for iteration in range(iterations):
        report[0], report[1] = iteration, norm
        if norm == 0.0:
            return True
        if not norm < np.inf:
            return False
        newton_matrix(jacobian, p, hA, X, J, M)
        for i in range(s):
            for m in range(d):
                correction[i * d + m] = R[i, m]
        if not solve_linear(M, correction):
            return False
        change = 0.0
        for value in correction:
            change = max(change, reach * abs(value))
        scale = max(largest(X), reach * largest(K))
        close = change <= CLOSE * scale

        damping = 1.0
        while True:
            for i in range(s):
                for m in range(d):
                    K_new[i, m] = K[i, m] + damping * correction[i * d + m]
            norm_new = residual(rhs, p, hA, x, K_new, X, R_new)
            if norm_new <= (1 - damping / 4) * norm or (close and norm_new < np.inf):
                break
            damping /= 2
            if damping < 1e-3:
                return False
        K[:], R[:], norm = K_new, R_new, norm_new
        report[0], report[1] = iteration + 1, norm
        if close and (change <= ROUNDING * scale or change >= previous / 2):
            return True
        previous = change
    return False


@_compile
def residual(rhs, p, hA, x, K, X, R):
    """Put the stages x + h Σ_j a_ij K_j into X and f(X_i) − K_i into R.

    Returns the largest |R|, which is not finite if any component of R is not.
    """
    s, d = K.shape
    norm = 0.0
    for i in range(s):
        for m in range(d):
            value = x[m]
            for j in range(s):
                value += hA[i, j] * K[j, m]
            X[i, m] = value
        call(rhs, X[i], p, R[i])
        for m in range(d):
            R[i, m] -= K[i, m]
            size = abs(R[i, m])
            if size > norm or np.isnan(size):
                norm = size
    return norm


@_compile
def newton_matrix(jacobian, p, hA, X, J, M):
    """Fill M with the matrix of blocks δ_ij I − h a_ij f'(X_i)."""
    s, d = X.shape
    for i in range(s):
        call(jacobian, X[i], p, J)
        for j in range(s):
            for m in range(d):
                for n in range(d):
                    M[i * d + m, j * d + n] = -hA[i, j] * J[m * d + n]
        for m in range(d):
            M[i * d + m, i * d + m] += 1.0


@_compile
def solve_linear(M, r):
    """Solve M z = r by elimination with partial pivoting, z overwriting r and M destroyed.

    Returns False if a pivot is zero or not finite. Unlike LAPACK it raises nothing inside the loop, and up to
    about 20 equations it is the faster one.
    """
    n = r.size
    for k in range(n):
        pivot = k
        for i in range(k + 1, n):
            if abs(M[i, k]) > abs(M[pivot, k]):
                pivot = i
        if not 0.0 < abs(M[pivot, k]) < np.inf:
            return False
        if pivot != k:
            for j in range(k, n):
                M[k, j], M[pivot, j] = M[pivot, j], M[k, j]
            r[k], r[pivot] = r[pivot], r[k]
        for i in range(k + 1, n):
            factor = M[i, k] / M[k, k]
            if factor != 0.0:
                for j in range(k + 1, n):
                    M[i, j] -= factor * M[k, j]
                r[i] -= factor * r[k]
    for i in range(n - 1, -1, -1):
        for j in range(i + 1, n):
            r[i] -= M[i, j] * r[j]
        r[i] /= M[i, i]
    return True


@_compile
def largest(V):
    """The largest |v| in a matrix."""
    value = 0.0
    for i in range(V.shape[0]):
        for j in range(V.shape[1]):
            value = max(value, abs(V[i, j]))
    return value
