"""The compiled loops that fill the tables of rooted trees, one order at a time.

Trees are numbered from 0 by order, within an order by their largest root child c, and then by the rest r
without it. So τ = r ∘ c, the Butcher product, with c ≥ the largest child of r; and among the trees of one
order those whose largest child does not exceed c come first. Two facts follow, on which every loop here
rests:

- for given c and order of r the products r ∘ c have consecutive numbers, r being the first trees in turn;
- if x = i ∘ m with m > c, then x ∘ c = (i ∘ c) ∘ m, where i ∘ c is of smaller order.
"""

from __future__ import annotations

from numba import njit

__all__ = ["fill_cuts", "fill_order", "fill_products"]

_compile = njit(cache=True, nogil=True, error_model="numpy")


@_compile
def fill_order(n, start, rest, child, base):
    """Number the trees of order n.

    Parameters
    ----------
    n : int
    start : int64 array
        ``start[k]`` is the number of the first tree of order k.
    rest, child : int32 arrays
        Filled at the trees of order n; ``child`` is −1 at single vertices.
    base : int32 array, shape (start[n] + 1,)
        Filled with the number of the first tree of order n whose largest child is c, for every c of smaller
        order; the last entry is that of the first tree of order n + 1.
    """
    t = start[n]
    for m in range(1, n):
        first, stop = start[n - m], start[n - m + 1]
        allowed = first
        for c in range(start[m], start[m + 1]):
            while allowed < stop and child[allowed] <= c:
                allowed += 1
            base[c] = t
            for r in range(first, allowed):
                rest[t] = r
                child[t] = c
                t += 1
    base[start[n]] = t


@_compile
def fill_products(n, start, rest, child, order, base, offset, width, products):
    """Multiply all pairs of trees whose Butcher product has order n.

    Parameters
    ----------
    n, start, rest, child
        As in `fill_order`.
    order : uint8 array
        The order of every tree.
    base : int32 array
        As `fill_order` left it for n.
    offset, width : int64 arrays
        The product x ∘ c for c of order m has its place at ``offset[m] + (c − start[m]) width[m] + x``.
    products : int32 array
        Holds all products of smaller order, and is filled with those of order n.
    """
    for m in range(1, n):
        for c in range(start[m], start[m + 1]):
            row = offset[m] + (c - start[m]) * width[m]
            for x in range(start[n - m], start[n - m + 1]):
                largest = child[x]
                if largest <= c:
                    products[row + x] = base[c] + x - start[n - m]
                else:
                    smaller = products[row + rest[x]]
                    products[row + x] = base[largest] + smaller - start[n - order[largest]]


@_compile
def fill_cuts(n, m, start, order, base, offset, width, products, cuts_r, cuts_c, root_part, branch):
    """Cut every tree r ∘ c of order n with |c| = m through each of its n − 1 edges.

    The edge may be the one between r and c, or lie within r, or within c:

        (r, c),   (x ∘ c, y) for the cuts (x, y) of r,   (r ∘ x, y) for the cuts (x, y) of c.

    Parameters
    ----------
    n, start, order, base, offset, width, products
        As in `fill_products`; all products of orders below n are needed.
    m : int
        The order of the largest child.
    cuts_r, cuts_c : pair of int32 arrays, shapes (T_{n−m}, n − m − 1) and (T_m, m − 1)
        The cuts of smaller orders.
    root_part, branch : int32 arrays, shape (T_n, n − 1)
        Filled with the part at the root and the part cut off.
    """
    k = n - m
    roots_r, branches_r = cuts_r
    roots_c, branches_c = cuts_c
    for c in range(start[m], start[m + 1]):
        row = offset[m] + (c - start[m]) * width[m]
        t = base[c] - start[n]
        for r in range(base[c + 1] - base[c]):
            root_part[t, 0] = start[k] + r
            branch[t, 0] = c
            for e in range(k - 1):
                root_part[t, 1 + e] = products[row + roots_r[r, e]]
                branch[t, 1 + e] = branches_r[r, e]
            t += 1
        for e in range(m - 1):
            x, y = roots_c[c - start[m], e], branches_c[c - start[m], e]
            column = offset[order[x]] + (x - start[order[x]]) * width[order[x]] + start[k]
            t = base[c] - start[n]
            for r in range(base[c + 1] - base[c]):
                root_part[t, k + e] = products[column + r]
                branch[t, k + e] = y
                t += 1
