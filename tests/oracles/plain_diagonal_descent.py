"""Gradient descent on a diagonal network as a textbook writes it, with every iterate kept."""

import numpy as np


def plain_descent(X, y, depth, alpha, step_size, steps, signed=True, number=float):
    """The iterates (u, v, w) of (1/n)|X w − y|², w = uᴺ − vᴺ or uᴺ, as three tables."""
    X, y = np.array(X), np.array(y)
    n, p = X.shape
    u, v = np.array([number(alpha)] * p), np.array([number(alpha)] * p)
    rows = []
    for t in range(steps + 1):
        w = u**depth - v**depth if signed else u**depth
        rows.append((u, v, w))
        if t < steps:
            r = X.T.dot(X.dot(w) - y) / n
            u = u - 2 * depth * step_size * r * u ** (depth - 1)
            if signed:
                v = v + 2 * depth * step_size * r * v ** (depth - 1)
    return tuple(np.array(column) for column in zip(*rows, strict=True))
