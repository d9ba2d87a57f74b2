"""The compiled loops that call one compiled step, or solve for it, again and again.

As in `bea.numerics.iterate_kernels`, the state is overwritten, and ``counts = [steps made, rows recorded]``.
The state is x, of which the rows keep a record, followed by the memory of the scheme.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from bea.numerics.call import call
from bea.numerics.iterate_kernels import (
    CLOSE,
    COMPLETED,
    DIVERGED,
    LIMIT,
    MAX_NEWTON_ITERATIONS,
    ROUNDING,
    UNSOLVED,
    solve_linear,
)

__all__ = ["drawn_steps", "fixed_point_steps", "looped_steps", "single_steps"]

_compile = njit(cache=True, nogil=True, error_model="numpy")


@_compile
def looped_steps(loop, p, z, rows, counts, record_every, last):
    """Steps by a compiled function that makes many of them (see `bea.numerics.step_source.loop_source`)."""
    made, recorded = counts
    p[0], p[1], p[2] = last - made, record_every, record_every - made % record_every
    call(loop, z, p, rows[recorded])
    counts[0] += int(p[3])
    counts[1] += int(p[4])
    return DIVERGED if p[5] else COMPLETED


@_compile
def single_steps(step, p, z, rows, counts, record_every, last):
    """Steps by a compiled function that makes one of them."""
    after = np.empty_like(z)
    while counts[0] < last:
        call(step, z, p, after)
        if not accepted(after, z, rows, counts, record_every):
            return DIVERGED
    return COMPLETED


@_compile
def drawn_steps(parts, p, z, rows, counts, record_every, last, orders, first):
    """Steps that use the parts in the orders that were drawn: row k of `orders` is that of step first + k."""
    now, after = z.copy(), np.empty_like(z)
    while counts[0] < last:
        for part in orders[counts[0] - first]:
            call(parts[part], now, p, after)
            now, after = after, now
        if not accepted(now, z, rows, counts, record_every):
            return DIVERGED
    return COMPLETED


@_compile
def fixed_point_steps(functions, q, z, K, rows, counts, record_every, last, report):
    """Steps that need the solution of K = F(K), by Newton's method.

    `functions` are the addresses of the start of K, of F(K), of its Jacobian, and of the next state. All but
    the first take K for their argument; their parameters q begin with the state.
    """
    size = z.size
    start, image, jacobian, finish = functions
    after = np.empty_like(z)
    while counts[0] < last:
        q[:size] = z
        call(start, z, q[size:], K)
        if not solved(image, jacobian, q, K, report, MAX_NEWTON_ITERATIONS[0]):
            K[:] = 0.0
            if not solved(image, jacobian, q, K, report, MAX_NEWTON_ITERATIONS[1]):
                return UNSOLVED
        call(finish, K, q, after)
        if not accepted(after, z, rows, counts, record_every):
            return DIVERGED
    return COMPLETED


@_compile
def solved(image, jacobian, q, K, report, iterations):
    """Solve K = F(K) from the given K by damped Newton's method; return whether it converged.

    A correction is halved until the residual falls. The iteration ends when the correction is rounding, or
    close to it and no longer getting smaller.
    """
    n = K.size
    R, J, K_new, R_new, M = np.empty(n), np.empty(n * n), np.empty(n), np.empty(n), np.empty((n, n))
    norm = residual(image, q, K, R)
    previous = np.inf
    for iteration in range(iterations):
        report[0], report[1] = iteration, norm
        if norm == 0.0:
            return True
        if not norm < np.inf:
            return False
        call(jacobian, K, q, J)
        for i in range(n):
            for j in range(n):
                M[i, j] = (1.0 if i == j else 0.0) - J[i * n + j]
        correction = R.copy()
        if not solve_linear(M, correction):
            return False
        change, scale = np.abs(correction).max(), np.abs(K).max()
        close = change <= CLOSE * scale
        damping = 1.0
        while True:
            K_new[:] = K + damping * correction
            norm_new = residual(image, q, K_new, R_new)
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
def residual(image, q, K, R):
    """Put F(K) − K into R and return its largest component, which is not finite if any of R is not."""
    call(image, K, q, R)
    norm = 0.0
    for i in range(K.size):
        R[i] -= K[i]
        size = abs(R[i])
        if size > norm or np.isnan(size):
            norm = size
    return norm


@_compile
def accepted(after, z, rows, counts, record_every):
    """Make `after` the state, and a record of it if one is due; or return False, where it has diverged."""
    largest = 0.0
    for value in after:
        if not abs(value) <= largest:
            largest = abs(value)
    if not largest <= LIMIT:
        return False
    z[:] = after
    counts[0] += 1
    if counts[0] % record_every == 0:
        rows[counts[1]] = z[: rows.shape[1]]
        counts[1] += 1
    return True
