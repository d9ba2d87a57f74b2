"""Random paths on the zero-loss set."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy

from bea.modified.katzenberger import ConstrainedDiffusion
from bea.modified.noise_limit import Limit
from bea.numerics.arguments import read_positive, read_rng
from bea.numerics.constrained import Field, Point, read_field, read_start, read_zeros
from bea.numerics.constrained_blocks import Batched, ConstrainedBlock, batched_expressions, batched_zeros
from bea.numerics.ensemble_arguments import (
    read_count,
    read_kept,
    read_progress,
    read_starts,
    read_statistics,
    read_workers,
    seed_and_versions,
)
from bea.numerics.ensemble_result import Ensemble, InterruptedEnsemble
from bea.numerics.replicas import BLOCK, Progress, Run
from bea.systems.evaluation import parameter_numbers
from bea.systems.expressions import read_expression
from bea.systems.traversal import free_symbols
from bea.systems.vector_field import VectorField
from bea.systems.zero_loss_set import ZeroLossSet

__all__ = ["ConstrainedEnsemble", "constrained_paths"]


#: So many blocks are advanced together: on fewer replicas NumPy spends its time on calls, not on numbers.
TOGETHER = 8


@dataclass(frozen=True, eq=False, repr=False)
class ConstrainedEnsemble(Ensemble):
    """Independent random paths on the zero-loss set, as `constrained_paths` returns them.

    Besides the attributes of an `Ensemble`:

    Attributes
    ----------
    residual : float
        The largest distance of a last state from the zero-loss set, to first order.
    retraction : float
        The largest distance by which a step was taken back to the zero-loss set.
    """

    residual: float
    retraction: float


def constrained_paths(
    drift: Field | None,
    diffusion: object,
    zero_loss_set: ZeroLossSet,
    x0: Point,
    step_size: float,
    steps: int,
    replicas: int,
    rng: int | np.random.Generator | None = 0,
    workers: int | None = None,
    *,
    parameters: Mapping[Any, object] | None = None,
    vectorized: bool = False,
    record_every: int | None = None,
    statistics: Mapping[str, object] | None = None,
    record_replicas: Sequence[int] = (),
    progress: bool | Progress = False,
) -> ConstrainedEnsemble:
    r"""Random solutions of the Itô equation dY = b(Y) dt + S(Y) dB on a zero-loss set Γ.

    Parameters
    ----------
    drift : VectorField, callable or None
        b, of which only the tangential part counts: the part along the normal is what keeps a solution on Γ,
        and the retraction supplies it. None stands for no tangential part.
    diffusion : sympy.Matrix, or callable from (d,) to (d, r)
        S, which is projected onto the tangent space of Γ.
    zero_loss_set : ZeroLossSet
    x0 : array_like of shape (d,) or (replicas, d)
        The start of all replicas, or of each, on Γ.
    step_size : float
        The step of time Δ > 0.
    steps, replicas : int
    rng : int, numpy.random.Generator or None, default 0
        Randomness, as in NumPy.
    workers : int, optional
        How many threads compute, by default as many as there are processors. It does not change the result.
    parameters : mapping from name to number, optional
        Values for parameters of the drift and the diffusion.
    vectorized : bool, default False
        Whether callables take many points at once: arrays of shape (d, n), to (d, n) and (d, r, n). The drift
        and the diffusion of what `bea.limit` returns do, and are always called so.
    record_every, statistics, record_replicas, progress
        As in `ensemble`. Statistics are functions of the variables and of the given parameters.

    Returns
    -------
    ConstrainedEnsemble

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described, a start is no point of Γ, or a statistic is not finite.
    InterruptedEnsemble
        On an interrupt from the keyboard, with what was computed in its attribute ``ensemble``.

    Warns
    -----
    RuntimeWarning
        If replicas leave Γ so far that Gauss–Newton steps do not bring them back. They are treated as
        replicas that diverge are in `ensemble`.

    Notes
    -----
    A step is y = Y + P (b Δ + S ΔB), then Gauss–Newton steps from y to Γ. They move along the normal to first
    order, and add ½ II(ΔY, ΔY) with the second fundamental form II of Γ, whose mean is the normal part of the
    drift. The weak order is 1.

    Replicas form blocks of 256 with a generator each, as in `ensemble`, and a block draws
    ``standard_normal((r, replicas in the block))`` at every step.

    References
    ----------
    .. [1] G. S. Katzenberger, "Solutions of a stochastic differential equation forced onto a manifold by a
           large drift", Annals of Probability 19, 1991.
    .. [2] E. P. Hsu, Stochastic Analysis on Manifolds, American Mathematical Society, 2002, Section 3.1.

    Examples
    --------
    Brownian motion on the circle, where the mean of x falls like exp(−t/2):

    >>> import bea, math, sympy
    >>> circle = bea.ZeroLossSet(["x**2 + y**2 - 1"], variables="x y")
    >>> paths = bea.constrained_paths(None, sympy.eye(2), circle, [1.0, 0.0], 0.01, steps=100, replicas=2000)
    >>> round(float(paths.mean[0]), 1), round(math.exp(-1 / 2), 1), paths.residual < 1e-14
    (0.6, 0.6, True)
    """
    zeros = read_zeros(zero_loss_set)
    d = len(zeros.variables)
    h = read_positive(step_size, "step_size")
    steps, replicas = read_count(steps, "steps", 0), read_count(replicas, "replicas", 1)
    every = max(steps, 1) if record_every is None else read_count(record_every, "record_every", 1)
    starts = read_starts(x0, replicas, d)
    for start in np.unique(starts, axis=0):
        read_start(zeros, start)
    functions, numbers = _coefficients(drift, diffusion, zeros, parameters, statistics, vectorized)
    _require_shapes(*functions[:2], starts[:BLOCK].T)
    kept = read_kept(record_replicas, replicas)
    threads, tell = read_workers(workers), read_progress(progress)
    geometry = batched_zeros(zeros)
    names = list(statistics or {})
    generators = read_rng(rng).spawn(-(-replicas // BLOCK))
    blocks = [
        ConstrainedBlock(
            geometry, *functions, generators[k : k + TOGETHER], starts[k * BLOCK : (k + TOGETHER) * BLOCK], h
        )
        for k in range(0, len(generators), TOGETHER)
    ]
    run = Run(blocks, d, names, steps, every, kept)
    completed = run.advance(threads, tell)
    known = {"parameters": numbers, "sigma": None, **seed_and_versions(rng)}
    moves = [block.retraction for block in blocks]
    distances = [block.residual for block in blocks]
    result = run.ensemble(h, ConstrainedEnsemble, residual=max(distances), retraction=max(moves), **known)
    if not completed:
        raise InterruptedEnsemble(result)
    if len(result.diverged):
        warnings.warn(result.message, RuntimeWarning, stacklevel=2)
    return result


def _coefficients(
    drift: Field | None,
    diffusion: object,
    zeros: ZeroLossSet,
    parameters: Mapping[Any, object] | None,
    statistics: Mapping[str, object] | None,
    vectorized: bool,
) -> tuple[tuple[Batched | None, Batched, Batched | None], dict[str, float]]:
    """Drift, diffusion and statistics as functions of many points, and the values of their parameters."""
    entries = _entries(drift, zeros)
    matrix = _matrix(diffusion, len(zeros.variables))
    columns = [] if matrix is None else [read_expression(entry) for entry in matrix]
    free = free_symbols([*entries, *columns]) - set(zeros.variables)
    symbols = sorted(free, key=lambda s: s.name)
    known = drift.parameters if isinstance(drift, VectorField) else {}
    values = parameter_numbers(symbols, known, parameters)
    functions = read_statistics(statistics, (*zeros.variables, *symbols))

    def batched(expressions: Sequence[sympy.Expr], *shape: int) -> Batched:
        return batched_expressions(expressions, zeros.variables, symbols, values, shape)

    b = batched(entries, len(entries)) if entries else _over_points(drift, vectorized)
    S = _over_points(diffusion, vectorized) if matrix is None else batched(columns, *matrix.shape)
    observed = batched([*functions.values()], len(functions)) if functions else None
    return (b, S, observed), {s.name: float(v) for s, v in zip(symbols, values, strict=True)}


def _entries(drift: Field | None, zeros: ZeroLossSet) -> list[sympy.Expr]:
    """The components of a symbolic drift."""
    if isinstance(drift, VectorField):
        return list(read_field(drift, zeros).components)
    if drift is not None and not callable(drift):
        raise TypeError(f"the drift is a VectorField, a function or None, not {type(drift).__name__}")
    return []


def _matrix(diffusion: object, d: int) -> sympy.MatrixBase | None:
    """A symbolic diffusion, or None where it is a function."""
    if isinstance(diffusion, sympy.MatrixBase):
        if diffusion.rows != d or diffusion.cols < 1:
            raise ValueError(f"the diffusion must have {d} rows, not the shape {diffusion.shape}")
        return diffusion
    if not callable(diffusion):
        raise TypeError(f"the diffusion is a SymPy matrix or a function, not {type(diffusion).__name__}")
    return None


def _over_points(f: Any, vectorized: bool) -> Any:
    """A function of points of shape (d, n), made from one of a point where need be."""
    if f is None or vectorized or isinstance(getattr(f, "__self__", None), ConstrainedDiffusion | Limit):
        return f
    return lambda x: np.stack([np.asarray(f(point), dtype=float) for point in x.T], axis=-1)


def _require_shapes(drift: Batched | None, diffusion: Batched, x: np.ndarray) -> None:
    """Refuse functions whose values at the starts are of other shapes than announced."""
    d, n = x.shape
    if drift is not None and np.shape(drift(x)) != x.shape:
        raise ValueError(f"for {n} points the drift must have shape {x.shape}, not {np.shape(drift(x))}")
    shape = np.shape(diffusion(x))
    if len(shape) != 3 or (shape[0], shape[2]) != (d, n):
        raise ValueError(f"for {n} points the diffusion must have shape ({d}, r, {n}), not {shape}")
