"""The check: compiled fields, flows, iterates, and arbitrary precision."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

_PUBLIC = {
    "compile_field": "bea.numerics.codegen",
    "generate_numpy_source": "bea.numerics.numpy_source",
    "cache_info": "bea.numerics.cache",
    "clear_cache": "bea.numerics.cache",
    "flow": "bea.numerics.flows",
    "iterate": "bea.numerics.iterates",
    "principal_path": "bea.numerics.principal",
    "stochastic_paths": "bea.numerics.stochastic",
    "ensemble": "bea.numerics.ensembles",
    "constrained_flow": "bea.numerics.constrained",
    "constrained_paths": "bea.numerics.constrained_sde",
    "project": "bea.numerics.manifold",
    "flow_limit": "bea.numerics.manifold",
    "local_stability": "bea.numerics.stability",
}

__all__ = sorted(_PUBLIC)

if TYPE_CHECKING:
    from bea.numerics.cache import cache_info as cache_info
    from bea.numerics.cache import clear_cache as clear_cache
    from bea.numerics.codegen import compile_field as compile_field
    from bea.numerics.constrained import constrained_flow as constrained_flow
    from bea.numerics.constrained_sde import constrained_paths as constrained_paths
    from bea.numerics.ensembles import ensemble as ensemble
    from bea.numerics.flows import flow as flow
    from bea.numerics.iterates import iterate as iterate
    from bea.numerics.manifold import flow_limit as flow_limit
    from bea.numerics.manifold import project as project
    from bea.numerics.numpy_source import generate_numpy_source as generate_numpy_source
    from bea.numerics.principal import principal_path as principal_path
    from bea.numerics.stability import local_stability as local_stability
    from bea.numerics.stochastic import stochastic_paths as stochastic_paths


def __getattr__(name: str) -> object:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'bea.numerics' has no attribute {name!r}")
    value = getattr(import_module(_PUBLIC[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(_PUBLIC))
