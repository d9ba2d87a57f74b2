"""How many threads BLAS has, while other threads call it."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from types import ModuleType

from threadpoolctl import threadpool_limits

__all__ = ["one_blas_thread"]


def one_blas_thread(module: ModuleType) -> AbstractContextManager:
    """One thread for BLAS, within a ``with`` block, where a generated module multiplies matrices.

    On products of the size of a block its own threads get in the way of those that advance the blocks.

    Parameters
    ----------
    module : ModuleType
        What `load_module` returned.

    Returns
    -------
    context manager
    """
    return threadpool_limits(1, "blas") if hasattr(module, "multiply_matrix") else nullcontext()
