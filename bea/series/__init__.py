"""The algebra: rooted trees and B-series, exact, to high order."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

_PUBLIC = {
    "EMPTY": "bea.series.trees",
    "FieldSeries": "bea.series.field_series",
    "FlowSeries": "bea.series.flow_series",
    "FreeTree": "bea.series.free_trees",
    "RootedTree": "bea.series.trees",
    "bseries": "bea.series.methods",
    "clear_tables": "bea.series.tables",
    "continuous_stage": "bea.series.methods",
    "count_trees": "bea.series.counting",
    "effective_order": "bea.series.effective",
    "pseries": "bea.series.methods",
    "rooted_trees": "bea.series.tables",
    "rosenbrock": "bea.series.methods",
}

__all__ = sorted(_PUBLIC)

if TYPE_CHECKING:
    from bea.series.counting import count_trees as count_trees
    from bea.series.effective import effective_order as effective_order
    from bea.series.field_series import FieldSeries as FieldSeries
    from bea.series.flow_series import FlowSeries as FlowSeries
    from bea.series.free_trees import FreeTree as FreeTree
    from bea.series.methods import bseries as bseries
    from bea.series.methods import continuous_stage as continuous_stage
    from bea.series.methods import pseries as pseries
    from bea.series.methods import rosenbrock as rosenbrock
    from bea.series.tables import clear_tables as clear_tables
    from bea.series.tables import rooted_trees as rooted_trees
    from bea.series.trees import EMPTY as EMPTY
    from bea.series.trees import RootedTree as RootedTree


def __getattr__(name: str) -> object:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'bea.series' has no attribute {name!r}")
    value = getattr(import_module(_PUBLIC[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(_PUBLIC))
