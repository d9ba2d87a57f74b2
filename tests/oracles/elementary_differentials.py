"""Elementary differentials of polynomial systems by repeated differentiation, as they are defined."""

import sympy


def elementary_differential(tree, parts, variables):
    """F(τ)(y) as a list of d expressions; a vertex of colour ν stands for parts[ν], such a list too."""
    branches = [elementary_differential(child, parts, variables) for child in tree.children]
    return multilinear(parts[tree.root_colour], branches, variables)


def multilinear(field, vectors, variables):
    """The derivative f^{(m)}(v₁, …, v_m)."""
    if not vectors:
        return list(field)
    first, *others = vectors
    total = [sympy.Integer(0)] * len(field)
    for x, v in zip(variables, first, strict=True):
        if v != 0:
            derivative = multilinear([sympy.diff(f, x) for f in field], others, variables)
            total = [t + d * v for t, d in zip(total, derivative, strict=True)]
    return [sympy.expand(t) for t in total]


def evaluated(series, parts, variables):
    """For n = 1, 2, … the coefficient of hⁿ in Σ h^{|τ|}/σ(τ) a(τ) F(τ), a list of d expressions."""
    found = []
    for n in range(1, series.order + 1):
        total = [sympy.Integer(0)] * len(variables)
        for tree, coefficient in series.terms(n).items():
            if coefficient != 0:
                F = elementary_differential(tree, parts, variables)
                factor = sympy.sympify(coefficient) / tree.symmetry
                total = [t + factor * value for t, value in zip(total, F, strict=True)]
        found.append([sympy.expand(t) for t in total])
    return found
