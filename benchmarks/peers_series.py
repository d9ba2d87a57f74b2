"""Trees and B-series beside kauri and nodepy, and beside the times that they are meant to keep.

    python benchmarks/peers.py series
    python benchmarks/peers_series.py            orders 18 and 20: minutes, 5 GB of memory and 3 GB of disk
    python benchmarks/peers_series.py kauri 8    beside kauri at another order: two minutes at order 8

A peer runs in a process of its own, so that nothing kept from an earlier run helps it, and so do we: our
tables of trees are built anew each time, with compiled loops loaded beforehand. From order 17 on they leave
files behind, so high orders run twice, the second time with these. Times are processor times.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from tempfile import TemporaryDirectory
from unittest import mock

from comparison import Row, installed

Run = Callable[[], object]

#: Seconds for the logarithm, by method and order, tables built anew.
LIMITS = {
    ("ExplicitEuler", 10): 0.030,
    ("RK4", 10): 0.060,
    ("ExplicitEuler", 12): 0.3,
    ("RK4", 12): 1.2,
    ("ExplicitEuler", 15): 2,
    ("RK4", 15): 8,
}
HIGH_LIMITS = {
    ("ExplicitEuler", 18): 60,
    ("RK4", 18): 240,
    ("ExplicitEuler", 20): 600,
    ("RK4", 20): 2400,
}


def processor_time(run: Run) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start


def apart(function: Callable, *arguments: object) -> object:
    """The result of a function in a fresh process."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


# -- ours --------------------------------------------------------------------------------------------------


def our_series(method: str, order: int):
    import bea.schemes
    from bea.series import bseries

    return bseries(getattr(bea.schemes, method)(), order=order)


def our_logarithm(
    method: str, order: int, rounds: int = 1
) -> tuple[float, dict[tuple[int, ...], float], float]:
    """Median seconds, coefficients up to order 8 by level sequence, and the most memory used in GB."""
    from bea.series import clear_tables

    our_series(method, 4).log()

    def run() -> None:
        clear_tables()
        our_series(method, order).log().terms(min(order, 10))

    seconds = statistics.median(processor_time(run) for _ in range(rounds))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    values = our_series(method, min(order, 8)).log()
    return seconds, {tree.level_sequence: float(value) for tree, value in values.items()}, memory


def our_composition_and_inverse(order: int) -> tuple[float, dict[tuple[str, tuple[int, ...]], float]]:
    from bea.series import clear_tables

    found = {}

    def run() -> None:
        clear_tables()
        s = our_series("RK4", order)
        for name, product in (("s @ s", s @ s), ("1/s", s.inverse())):
            for tree, value in product.terms(order).items():
                found[name, tree.level_sequence] = float(value)

    run()
    return statistics.median(processor_time(run) for _ in range(5)), found


def our_symbolic_family(order: int) -> float:
    from bea.series import clear_tables

    def run() -> None:
        clear_tables()
        list(our_series("SecondOrder", order).log().values())

    our_series("SecondOrder", 3).log()
    return statistics.median(processor_time(run) for _ in range(5))


def our_trees(order: int) -> float:
    from bea.series import clear_tables, rooted_trees

    def run() -> None:
        clear_tables()
        for tree in rooted_trees(order):
            _ = tree.symmetry, tree.density

    run()
    return statistics.median(processor_time(run) for _ in range(5))


# -- theirs ------------------------------------------------------------------------------------------------


def level_sequence(tree: list | tuple, level: int = 1) -> list[int]:
    """The level sequence of a tree of kauri's, as nested lists."""
    branches = [level_sequence(branch, level + 1) for branch in tree]
    return [level, *(entry for branch in sorted(branches, reverse=True) for entry in branch)]


def kauri_logarithm(method: str, order: int) -> tuple[float, dict[tuple[int, ...], float]]:
    import kauri

    scheme = {"ExplicitEuler": kauri.euler, "RK4": kauri.rk4}[method]
    trees = [tree for tree in kauri.trees_up_to_order(order) if tree.list_repr is not None]
    values = {}

    def run() -> None:
        modified = scheme.modified_equation_map()
        values.update({tree: modified(tree) for tree in trees})

    seconds = processor_time(run)
    return seconds, {tuple(level_sequence(nested(tree))): float(value) for tree, value in values.items()}


def kauri_composition_and_inverse(order: int) -> tuple[float, dict[tuple[str, tuple[int, ...]], float]]:
    import kauri

    weights = kauri.rk4.elementary_weights_map()
    trees = list(kauri.trees_of_order(order))
    found = {}

    def run() -> None:
        for name, product in (("s @ s", weights * weights), ("1/s", weights**-1)):
            found.update({(name, tree): product(tree) for tree in trees})

    seconds = processor_time(run)
    return seconds, {(name, tuple(level_sequence(nested(tree)))): v for (name, tree), v in found.items()}


def nested(tree) -> list:
    """The branches of a tree of kauri's; the last entry of its representation is a colour."""
    return strip(tree.list_repr)


def strip(representation) -> list:
    return [strip(branch) for branch in representation if isinstance(branch, list | tuple)]


def nodepy_trees(order: int) -> float:
    from nodepy import rooted_trees

    def run() -> None:
        for tree in rooted_trees.list_trees(order):
            _ = tree.symmetry(), tree.density()

    return processor_time(run)


# -- side by side ------------------------------------------------------------------------------------------


def within_limits(limits: dict[tuple[str, int], float] = LIMITS) -> Iterator[Row]:
    """Modified equations of high order, beside the time that each is allowed."""
    for (method, order), limit in limits.items():
        seconds, _, memory = apart(our_logarithm, method, order, 5 if order < 18 else 1)
        yield Row(f"{method}, log, order {order}", "limit", seconds, limit, 1, f"{memory:.2f} GB")


def group_and_symbols_within_limits() -> Iterator[Row]:
    """Composition and inverse of RK4 at order 10, the family of second order with its symbol at order 6."""
    seconds, _ = apart(our_composition_and_inverse, 10)
    yield Row("RK4, s @ s, 1/s, order 10", "limit", seconds, 0.5, 1)
    yield Row("SecondOrder, log, order 6", "limit", apart(our_symbolic_family, 6), 1, 1)


def beside_kauri(orders: Sequence[int] = (6, 7)) -> Iterator[Row]:
    """Modified equations, and at the highest order compositions and inverses; kauri works in floats."""
    if not installed("kauri"):
        return
    for order in orders:
        for method in ("ExplicitEuler", "RK4"):
            ours, values, _ = apart(our_logarithm, method, order, 5)
            theirs, others = apart(kauri_logarithm, method, order)
            remark = f"largest difference {largest_difference(values, others):.1g}"
            yield Row(f"{method}, log, order {order}", "kauri", ours, theirs, 100, remark)
    order = max(orders)
    ours, values = apart(our_composition_and_inverse, order)
    theirs, others = apart(kauri_composition_and_inverse, order)
    remark = f"largest difference {largest_difference(values, others):.1g}"
    yield Row(f"RK4, s @ s, 1/s, order {order}", "kauri", ours, theirs, 10, remark)


def largest_difference(ours: dict, theirs: dict) -> float:
    """Between our coefficients and theirs, of which each must be one of ours."""
    return max(abs(ours[key] - value) for key, value in theirs.items())


def beside_nodepy() -> Iterator[Row]:
    """All trees of order 9 with their symmetries and densities."""
    if installed("nodepy"):
        yield Row("trees, σ, γ, order 9", "nodepy", apart(our_trees, 9), apart(nodepy_trees, 9), 1)


SECTION = (within_limits, group_and_symbols_within_limits, beside_kauri, beside_nodepy)


def high_orders() -> Iterator[Row]:
    """Orders 18 and 20 in an empty cache, and again with the files left there."""
    with TemporaryDirectory() as folder, mock.patch.dict(os.environ, BEA_CACHE_DIR=folder):
        yield from within_limits(HIGH_LIMITS)
        yield from within_limits(HIGH_LIMITS)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("peer", nargs="?", choices=["kauri"])
    parser.add_argument("order", nargs="?", type=int, choices=range(2, 9), default=8)
    arguments = parser.parse_args()
    for row in beside_kauri([arguments.order]) if arguments.peer else high_orders():
        print(row, flush=True)


if __name__ == "__main__":
    main()
