"""Cuts of trees of high order on disk, where reading them takes less time than computing them.

Seconds for all cuts up to an order in one colour: computed, and read from files that the operating system
still holds in memory ("warm") or does not ("cold"), with a file for every order; and the size of the files:

=====  ========  =====  =====  ==========
order  computed  warm   cold   size in MB
=====  ========  =====  =====  ==========
15     0.024     0.007  0.028  16
16     0.06      0.03   0.20   42
17     0.37      0.05   0.09   119
18     0.87      0.07   0.33   343
20     10.8      0.6    1.9    2846
=====  ========  =====  =====  ==========

So files are kept from order 17 on. Every word of them is checked against a sum when they are read.
"""

from __future__ import annotations

import hashlib
import inspect
from contextlib import suppress
from functools import cache
from pathlib import Path

import numpy as np
from numba import njit

from bea.series import table_kernels
from bea.storage import cache_folder, written_whole

__all__ = ["Cuts", "as_cuts", "empty_cuts", "load_cuts", "save_cuts"]

#: The root parts and the branches of all cuts of the trees of one order n, each of shape (T_n, n − 1).
Cuts = tuple[np.ndarray, np.ndarray]

#: How many cuts of one order are worth a file: those of order 17 in one colour are 10 million.
LEAST_STORED = 8_000_000


def empty_cuts(order: int, trees: int) -> np.ndarray:
    """Room for the cuts of that many trees of one order, and for a checksum behind them."""
    return np.zeros(trees * max(order - 1, 0) + 1, dtype=np.uint64)


def as_cuts(words: np.ndarray, order: int, trees: int) -> Cuts:
    """The cuts themselves."""
    root_part, branch = words[:-1].view(np.int32).reshape(2, trees, max(order - 1, 0))
    return root_part, branch


def load_cuts(order: int, colours: int, trees: int) -> np.ndarray | None:
    """The cuts of one order as an earlier process left them, mapped into memory.

    Parameters
    ----------
    order, colours : int
    trees : int
        How many trees there are of that order.

    Returns
    -------
    uint64 array or None
        None if they are few, or there is no file, or it is damaged.
    """
    cuts = trees * (order - 1)
    if cuts < LEAST_STORED:
        return None
    try:
        words = np.asarray(np.load(_path(order, colours), mmap_mode="c"))  # in mode "r" loops compile anew
    except (OSError, RuntimeError, EOFError, ValueError, SyntaxError):
        return None
    whole = words.dtype == np.uint64 and words.shape == (cuts + 1,) and checksum(words[:-1]) == words[-1]
    return words if whole else None


def save_cuts(order: int, colours: int, words: np.ndarray) -> None:
    """Leave cuts for later processes, unless they are few or the folder cannot be written."""
    if len(words) <= LEAST_STORED:
        return
    words[-1] = checksum(words[:-1])
    with suppress(OSError, RuntimeError), written_whole(_path(order, colours)) as file:
        np.save(file, words)


def _path(order: int, colours: int) -> Path:
    key = hashlib.sha256(f"cuts {order} {colours} {_environment()}".encode()).hexdigest()[:32]
    return cache_folder() / f"bea_{key}.npy"


@cache
def _environment() -> str:
    """All on which the content of a file depends."""
    return f"{np.dtype(np.int32).str} {inspect.getsource(table_kernels)}"


@njit(cache=True, nogil=True)
def checksum(words):
    """A sum, modulo 2⁶⁴, that no change of a single word leaves as it was.

    Parameters
    ----------
    words : uint64 array
    """
    total = np.uint64(len(words))
    for word in words:
        total = total * np.uint64(6364136223846793005) + word
    return total
