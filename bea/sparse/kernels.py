"""The compiled loops of gradient descent on diagonal linear networks.

A member is one run: its targets, its step size, its u and v. The loops advance one member, or four at once
with the same inputs X, which then pass through the processor once for all four. The rows of X come four at a
time: their residuals and their part of the gradient follow from one look at them, so that X is read once in
an iteration and not twice. Rows of zeros make their number a multiple of four, and columns of zeros theirs a
multiple of sixteen: they change nothing, and leave no loop a remainder.
"""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["COLUMNS", "DIVERGED_SQUARES", "MEASURES", "WIDTH", "advance", "observe", "watch", "weights"]

#: How many members the wide loop advances at once, and how many rows a loop takes at once.
WIDTH = 4

#: The number of columns is a multiple of this.
COLUMNS = 16

#: So many columns are few: two tiles of four rows, w and the gradient fit into 32 KiB.
NARROW = 400

#: A sum of squared residuals beyond this, or one that is no number, has diverged.
DIVERGED_SQUARES = 1e200

#: The columns of a table before those of chosen coordinates.
MEASURES = ("loss", "l2_error", "support_error", "off_support", "off_support_signed")

_compile = njit(cache=True, nogil=True, error_model="numpy")

#: What an iteration of a small problem consists of is made part of the loop: calls would cost it a tenth.
_inline = njit(cache=True, nogil=True, error_model="numpy", forceinline=True)

#: Sums may be added in any order, which lets them be vectorized; the order is fixed in the machine code.
_compile_sums = njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract", "nsz"})


@_compile_sums
def _gradient_of_one(X, Y, W, G, squares):
    """G = Xᵀ(X w − y) and |X w − y|², for one member."""
    p = X.shape[1]
    total = 0.0
    for j in range(p):
        G[0, j] = 0.0
    for i in range(0, X.shape[0], 4):
        r0 = r1 = r2 = r3 = 0.0
        for j in range(p):
            w = W[0, j]
            r0 += X[i, j] * w
            r1 += X[i + 1, j] * w
            r2 += X[i + 2, j] * w
            r3 += X[i + 3, j] * w
        r0, r1, r2, r3 = r0 - Y[0, i], r1 - Y[0, i + 1], r2 - Y[0, i + 2], r3 - Y[0, i + 3]
        total += r0 * r0 + r1 * r1 + r2 * r2 + r3 * r3
        for j in range(p):
            G[0, j] += r0 * X[i, j] + r1 * X[i + 1, j] + r2 * X[i + 2, j] + r3 * X[i + 3, j]
    squares[0] = total


@_compile_sums
def _gradient_of_narrow(X, Y, W, G, squares):
    """The same for few columns.

    While a tile, whose residuals are r, is added to the gradient, the products s of the next one are formed:
    neither waits for the sums of the other.
    """
    p, last = X.shape[1], X.shape[0] - 4
    total = r0 = r1 = r2 = r3 = 0.0
    for j in range(p):
        w = W[0, j]
        r0 += X[0, j] * w
        r1 += X[1, j] * w
        r2 += X[2, j] * w
        r3 += X[3, j] * w
        G[0, j] = 0.0
    for i in range(0, last, 4):
        r0, r1, r2, r3 = r0 - Y[0, i], r1 - Y[0, i + 1], r2 - Y[0, i + 2], r3 - Y[0, i + 3]
        total += r0 * r0 + r1 * r1 + r2 * r2 + r3 * r3
        s0 = s1 = s2 = s3 = 0.0
        for j in range(p):
            w = W[0, j]
            G[0, j] += r0 * X[i, j] + r1 * X[i + 1, j] + r2 * X[i + 2, j] + r3 * X[i + 3, j]
            s0 += X[i + 4, j] * w
            s1 += X[i + 5, j] * w
            s2 += X[i + 6, j] * w
            s3 += X[i + 7, j] * w
        r0, r1, r2, r3 = s0, s1, s2, s3
    i = last
    r0, r1, r2, r3 = r0 - Y[0, i], r1 - Y[0, i + 1], r2 - Y[0, i + 2], r3 - Y[0, i + 3]
    total += r0 * r0 + r1 * r1 + r2 * r2 + r3 * r3
    for j in range(p):
        G[0, j] += r0 * X[i, j] + r1 * X[i + 1, j] + r2 * X[i + 2, j] + r3 * X[i + 3, j]
    squares[0] = total


@_compile_sums
def _gradient_of_four(X, Y, W, G, squares):
    """The same for four members: r_ab is the residual of row a of the tile for the member b."""
    p = X.shape[1]
    w0, w1, w2, w3 = W[0], W[1], W[2], W[3]
    g0, g1, g2, g3 = G[0], G[1], G[2], G[3]
    G[:] = 0.0
    squares[:] = 0.0
    for i in range(0, X.shape[0], 4):
        x0, x1, x2, x3 = X[i], X[i + 1], X[i + 2], X[i + 3]
        r00 = r01 = r02 = r03 = r10 = r11 = r12 = r13 = 0.0
        r20 = r21 = r22 = r23 = r30 = r31 = r32 = r33 = 0.0
        for j in range(p):
            a, b, c, d = x0[j], x1[j], x2[j], x3[j]
            k, l, m, n = w0[j], w1[j], w2[j], w3[j]
            r00 += a * k
            r01 += a * l
            r02 += a * m
            r03 += a * n
            r10 += b * k
            r11 += b * l
            r12 += b * m
            r13 += b * n
            r20 += c * k
            r21 += c * l
            r22 += c * m
            r23 += c * n
            r30 += d * k
            r31 += d * l
            r32 += d * m
            r33 += d * n
        r00, r10, r20, r30 = r00 - Y[0, i], r10 - Y[0, i + 1], r20 - Y[0, i + 2], r30 - Y[0, i + 3]
        r01, r11, r21, r31 = r01 - Y[1, i], r11 - Y[1, i + 1], r21 - Y[1, i + 2], r31 - Y[1, i + 3]
        r02, r12, r22, r32 = r02 - Y[2, i], r12 - Y[2, i + 1], r22 - Y[2, i + 2], r32 - Y[2, i + 3]
        r03, r13, r23, r33 = r03 - Y[3, i], r13 - Y[3, i + 1], r23 - Y[3, i + 2], r33 - Y[3, i + 3]
        squares[0] += r00 * r00 + r10 * r10 + r20 * r20 + r30 * r30
        squares[1] += r01 * r01 + r11 * r11 + r21 * r21 + r31 * r31
        squares[2] += r02 * r02 + r12 * r12 + r22 * r22 + r32 * r32
        squares[3] += r03 * r03 + r13 * r13 + r23 * r23 + r33 * r33
        for j in range(p):
            a, b, c, d = x0[j], x1[j], x2[j], x3[j]
            g0[j] += a * r00 + b * r10 + c * r20 + d * r30
            g1[j] += a * r01 + b * r11 + c * r21 + d * r31
            g2[j] += a * r02 + b * r12 + c * r22 + d * r32
            g3[j] += a * r03 + b * r13 + c * r23 + d * r33


@_inline
def _powers(u, depth, power):
    """power = u^(depth − 1), entry by entry, by multiplication."""
    for j in range(u.size):
        power[j] = u[j] if depth > 1 else 1.0
    for _ in range(depth - 2):
        for j in range(u.size):
            power[j] *= u[j]


@_inline
def weights(state, depth, signed, powers, W):
    """W = uᴺ − vᴺ, or uᴺ; the powers uᴺ⁻¹ and vᴺ⁻¹ are kept for the update."""
    for b in range(W.shape[0]):
        u, v, a, c, w = state[0, b], state[1, b], powers[0, b], powers[1, b], W[b]
        _powers(u, depth, a)
        if signed:
            _powers(v, depth, c)
            for j in range(w.size):
                w[j] = a[j] * u[j] - c[j] * v[j]
        else:
            for j in range(w.size):
                w[j] = a[j] * u[j]


@_inline
def _look(network, state, work, diverged, t):
    """Weights, gradients and squares at the iterate t; a member that has diverged goes back by one step."""
    X, Y, depth, signed, _ = network
    powers, W, G, before, squares = work
    weights(state, depth, signed, powers, W)
    if W.shape[0] == 1 and X.shape[1] <= NARROW:
        _gradient_of_narrow(X, Y, W, G, squares)
    elif W.shape[0] == 1:
        _gradient_of_one(X, Y, W, G, squares)
    else:
        _gradient_of_four(X, Y, W, G, squares)
    for b in range(W.shape[0]):
        if diverged[b] < 0 and not squares[b] <= DIVERGED_SQUARES:
            diverged[b] = t
            state[:, b] = before[:, b]


@_inline
def _update(network, state, work, diverged):
    """u ← u − 2Nη r uᴺ⁻¹ and v ← v + 2Nη r vᴺ⁻¹, where a rate is 2Nη/n and G is n r."""
    signed, rates = network[3], network[4]
    powers, _, G, before, _ = work
    for b in range(rates.size):
        if diverged[b] >= 0:
            continue
        c, g = rates[b], G[b]
        u, a, old = state[0, b], powers[0, b], before[0, b]
        for j in range(g.size):
            old[j] = u[j]
            u[j] -= c * g[j] * a[j]
        if signed:
            v, a, old = state[1, b], powers[1, b], before[1, b]
            for j in range(g.size):
                old[j] = v[j]
                v[j] += c * g[j] * a[j]


@_inline
def _measure(w, squares, offset, n, w_star, support, coordinates, row):
    """One row of a table, its columns those of `MEASURES` and the chosen coordinates."""
    total = inside = outside = 0.0
    highest = -np.inf
    for j in range(w_star.size):
        error = abs(w[j] - w_star[j])
        total += error * error
        if support[j]:
            inside = max(inside, error)
        else:
            outside, highest = max(outside, abs(w[j])), max(highest, w[j])
    row[0], row[1], row[2] = (squares + offset) / n, np.sqrt(total), inside
    row[3], row[4] = outside, highest if highest > -np.inf else 0.0
    for k in range(coordinates.size):
        row[5 + k] = w[coordinates[k]]


@_inline
def observe(network, state, work, diverged, recorder, clock):
    """Look at the iterate ``clock[0]`` and record it if it is due; ``clock[1]`` counts what was recorded."""
    due, table, offset, n, w_star, support, coordinates = recorder
    t, k = clock
    _look(network, state, work, diverged, t)
    if k < due.size and due[k] == t:
        for b in range(diverged.size):
            if diverged[b] < 0:
                _measure(work[1][b], work[4][b], offset[b], n, w_star, support, coordinates, table[b, k])
        clock[1] = k + 1


@_inline
def _any_left(diverged):
    """Whether a member has not diverged."""
    return diverged.min() < 0


@_compile
def advance(network, state, work, diverged, recorder, clock, last):
    """Iterate until `last` steps have been made or all members have diverged."""
    while clock[0] < last and _any_left(diverged):
        observe(network, state, work, diverged, recorder, clock)
        _update(network, state, work, diverged)
        clock[0] += 1


@_compile
def watch(network, state, work, diverged, w_star, k, levels, signed_rule, found, clock, last):
    """Iterate until both ends of the window are found, `last` steps have been made or the run has diverged.

    The k columns of the support come first. ``levels`` is the distance on
    the support that starts the window and the size off it that stops the window; ``found`` receives the first
    iterates of both.
    """
    near, small = levels
    w = work[1][0]
    while True:
        _look(network, state, work, diverged, clock[0])
        if diverged[0] >= 0:
            return
        if found[0] < 0:
            inside = True
            for j in range(k):
                inside &= abs(w[j] - w_star[j]) < near
            if inside:
                found[0] = clock[0]
        if found[1] < 0:
            beyond = False
            if signed_rule:
                for j in range(k, w_star.size):
                    beyond |= w[j] > small
            else:
                for j in range(k, w_star.size):
                    beyond |= abs(w[j]) > small
            if beyond:
                found[1] = clock[0]
        if clock[0] >= last or (found[0] >= 0 and found[1] >= 0):
            return
        _update(network, state, work, diverged)
        clock[0] += 1
