"""Derivatives by central differences in fifty digits, from function values alone."""

import mpmath
import numpy as np
import sympy

DIGITS, STEP = 50, mpmath.mpf(10) ** -16


def function_of(expression, variables, parameters):
    """The expression as a function of a list of mpmath numbers."""
    numbers = {s: parameters[s.name] for s in expression.free_symbols if s.name in parameters}
    return sympy.lambdify([list(variables)], expression.xreplace(numbers), "mpmath")


def gradient(expression, variables, parameters, point):
    """∇E at a point, of shape (d,), with an error of about 1e-32."""
    with mpmath.workdps(DIGITS):
        f, x = function_of(expression, variables, parameters), [mpmath.mpf(float(c)) for c in point]
        return np.array([float((f(moved(x, i, 1)) - f(moved(x, i, -1))) / (2 * STEP)) for i in range(len(x))])


def hessian(expression, variables, parameters, point):
    """∇²E at a point, of shape (d, d), with an error of about 1e-17."""
    with mpmath.workdps(DIGITS):
        f, x = function_of(expression, variables, parameters), [mpmath.mpf(float(c)) for c in point]
        signs = [(1, 1), (1, -1), (-1, 1), (-1, -1)]
        return np.array(
            [
                [
                    float(sum(s * t * f(moved(moved(x, i, s), j, t)) for s, t in signs) / (4 * STEP**2))
                    for j in range(len(x))
                ]
                for i in range(len(x))
            ]
        )


def moved(x, i, sign):
    return [c + sign * STEP if k == i else c for k, c in enumerate(x)]
