r"""Integers of any size in flat arrays, as mixed-radix digits modulo primes.

An integer x is kept as digits d_0, d_1, … with |d_i| < p_i / 2 and

    x = d_0 + d_1 p_0 + d_2 p_0 p_1 + ⋯ .

The digits follow from the residues modulo p_0, p_1, … one after the other, as in Garner's algorithm [1]_,
and one more prime either leaves all numbers as they are, its digits being 0, or adds to them. So the search
ends at the first prime that brings nothing new. What is found is right if every |x| < p_0 ⋯ p_k / 2, the
last prime included: one prime more than the numbers found need. Numbers that are no integers would go on for
ever.

References
----------
.. [1] D. E. Knuth (1998), The Art of Computer Programming, vol. 2, 3rd ed., Addison-Wesley, Section 4.3.2.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import prod

import numpy as np
from numba import njit

__all__ = ["next_digit", "radices", "residues", "to_digits"]

_compile = njit(cache=True, nogil=True, error_model="numpy")


def radices(primes: Sequence[int]) -> list[int]:
    """1, p_0, p_0 p_1, …, the values of the places of the digits."""
    return [prod(primes[:i]) for i in range(len(primes))]


def to_digits(numbers: np.ndarray, primes: Iterable[int]) -> tuple[list[int], np.ndarray]:
    """The digits of given integers, modulo as many of the primes as they need.

    Parameters
    ----------
    numbers : object array of int
    primes : iterable of int

    Returns
    -------
    primes : list of k int
    digits : int32 array, shape (k, ...)
    """
    used, digits = [], []
    for p in primes:
        used.append(p)
        digits.append((numbers + p // 2) % p - p // 2)
        numbers = (numbers - digits[-1]) // p
        if not numbers.any():
            break
    return used, np.array(digits, dtype=np.int32)


def residues(digits: np.ndarray, weights: Sequence[int], prime: int) -> np.ndarray:
    """The numbers Σ_i w_i d_i modulo a prime, for digits below half of any prime near it in size.

    Parameters
    ----------
    digits : int32 array, shape (k, size)
    weights : sequence of k int
    prime : int

    Returns
    -------
    uint32 array, shape (size,)
    """
    out = np.empty(digits.shape[1], dtype=np.uint32)
    _residues(digits, np.array([w % prime for w in weights], dtype=np.int64), prime, out)
    return out


def next_digit(values: np.ndarray, digits: np.ndarray, primes: Sequence[int], prime: int) -> np.ndarray:
    """The next digit of numbers with known digits, from their values modulo one more prime.

    Parameters
    ----------
    values : uint32 array, shape (size,)
    digits : int32 array, shape (k, size)
        Those for the k primes so far.
    primes : sequence of k int
    prime : int

    Returns
    -------
    int32 array, shape (size,)
    """
    places = np.array([place % prime for place in radices(primes)], dtype=np.int64)
    out = np.empty(len(values), dtype=np.int32)
    _next_digit(values, digits, places, pow(prod(primes), -1, prime), prime, out)
    return out


@_compile
def _residues(digits, weights, prime, out):
    for t in range(len(out)):
        total = 0
        for i in range(len(weights)):
            total = (total + digits[i, t] * weights[i]) % prime
        out[t] = total


@_compile
def _next_digit(values, digits, places, inverse, prime, out):
    for t in range(len(out)):
        known = 0
        for i in range(len(places)):
            known = (known + digits[i, t] * places[i]) % prime
        digit = (values[t] - known) % prime * inverse % prime
        out[t] = digit if 2 * digit < prime else digit - prime
