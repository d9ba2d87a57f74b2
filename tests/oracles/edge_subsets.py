"""B-series by brute force over subsets of edges, on trees as nested tuples; it shares no code with bea.

A tree is the sorted tuple of its branches, so () is a single vertex. Coefficients are dictionaries of
fractions, or anything that adds and multiplies.
"""

from fractions import Fraction
from functools import cache
from itertools import product
from math import factorial


def nested(levels):
    """The nested tuple of a level sequence."""
    root = levels[0]
    branches, current = [], []
    for level in levels[1:]:
        if level == root + 1 and current:
            branches.append(current)
            current = []
        current.append(level)
    if current:
        branches.append(current)
    return tuple(sorted(nested(branch) for branch in branches))


def order(tree):
    return 1 + sum(map(order, tree))


@cache
def trees(n):
    """All trees of order n: every one of order n − 1 with a leaf added at every vertex."""
    if n == 1:
        return ((),)
    return tuple(sorted({grown for tree in trees(n - 1) for grown in with_leaf(tree)}))


def with_leaf(tree):
    yield tuple(sorted((*tree, ())))
    for i, branch in enumerate(tree):
        for grown in with_leaf(branch):
            yield tuple(sorted((*tree[:i], grown, *tree[i + 1 :])))


def parents(tree):
    """The parent of every vertex but the root, vertices counted in depth-first order."""
    found = []

    def walk(subtree, position):
        free = position + 1
        for branch in subtree:
            found.append((free, position))
            free = walk(branch, free)
        return free

    walk(tree, 0)
    return dict(found)


def built(children, root):
    return tuple(sorted(built(children, child) for child in children.get(root, ())))


def partitions(tree):
    """For every subset of edges that is cut: the parts, that of the root first, and the tree of the parts."""
    parent = parents(tree)
    for choice in product((False, True), repeat=len(parent)):
        cut = {v for v, chosen in zip(parent, choice, strict=True) if chosen}
        inside, between = {}, {}
        top = {0: 0}
        for v in sorted(parent):
            top[v] = v if v in cut else top[parent[v]]
            if v in cut:
                between.setdefault(top[parent[v]], []).append(v)
            else:
                inside.setdefault(parent[v], []).append(v)
        yield [built(inside, v) for v in (0, *sorted(cut))], built(between, 0)


def substitution(b, a):
    """The coefficients b ⋆ a of the method a for the field b."""
    return {tree: sum(times(b[p] for p in parts) * a[q] for parts, q in partitions(tree)) for tree in a}


def composition(a, c, empty=1):
    """The coefficients of c after the flow a: all cut parts must hang on that of the root, or be the tree."""
    result = {}
    for tree in c:
        total = empty * a[tree]
        for parts, quotient in partitions(tree):
            if not any(quotient):
                total += c[parts[0]] * times(a[part] for part in parts[1:])
        result[tree] = total
    return result


def logarithm(a, highest):
    """The field of the flow a, by the power series in the convolution of a less the identity."""
    power = dict(a)
    total = dict(a)
    for j in range(2, highest + 1):
        # (a − 1)^j = (a − 1) * (a − 1)^(j−1), the left factor on the branches, at least one.
        power = {
            tree: sum(
                power[parts[0]] * times(a[part] for part in parts[1:])
                for parts, quotient in partitions(tree)
                if len(parts) > 1 and not any(quotient)
            )
            for tree in a
        }
        for tree in a:
            total[tree] += Fraction((-1) ** (j + 1), j) * power[tree]
    return total


def times(factors):
    result = 1
    for factor in factors:
        result = result * factor
    return result


def symmetry(tree):
    result = 1
    for branch in set(tree):
        m = tree.count(branch)
        result *= factorial(m) * symmetry(branch) ** m
    return result


def elementary_weight(tree, A, b):
    """Σ b_i Φ_i(τ), from the definition."""

    def stages(subtree):
        phi = [Fraction(1)] * len(b)
        for branch in subtree:
            inner = stages(branch)
            phi = [phi[i] * sum(A[i][j] * inner[j] for j in range(len(b))) for i in range(len(b))]
        return phi

    return sum(weight * value for weight, value in zip(b, stages(tree), strict=True))
