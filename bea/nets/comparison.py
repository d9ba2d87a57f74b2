"""What each modified flow predicts on the same run of descent, and where each breaks down."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from html import escape
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from bea.nets.central import central_flow
from bea.nets.fields import modified_field
from bea.nets.flat import FlatLoss, flatten, start
from bea.nets.flows import flow
from bea.nets.principal_flow import as_complex, first_vectors, follow, read_count
from bea.nets.pytrees import Loss, Pytree, read_positive

__all__ = ["FLOWS", "ComparedFlow", "FlowComparison", "compare_flows"]

#: The flows, in the order of the table.
FLOWS = ("gradient flow", "first order", "second order", "third order", "principal flow", "central flow")
#: From a point, a number of steps of descent and of the integrator: where a flow comes in the time of these.
Advance: TypeAlias = Callable[[jax.Array, int, int], jax.Array]
#: Spans of h·sharpness by which one-step errors are told apart.
SPANS = ((0.0, 0.5), (0.5, 1.0), (1.0, 2.0), (2.0, np.inf))


@dataclass(frozen=True)
class ComparedFlow:
    """One flow beside a run of descent.

    Attributes
    ----------
    name : str
    distance : array of shape (n,)
        From the iterates at the times of the comparison, over the distance of these from the start.
    mean_distance : array of shape (n,)
        The same from the mean (x_{n−1} + 2x_n + x_{n+1})/4, in which oscillations of period two cancel.
    one_step : array of shape (n,), or None
        The distance after one step from an iterate, over the length of the step. The central flow has none:
        it is one of means.
    breaks_down : int or None
        The first step of the comparison at which `error` exceeds the share.
    product : float or None
        h·sharpness at that iterate.
    remark : str
        Why the flow ended before the run; empty where it did not.
    """

    name: str
    distance: np.ndarray
    mean_distance: np.ndarray
    one_step: np.ndarray | None
    breaks_down: int | None
    product: float | None
    remark: str

    @property
    def error(self) -> np.ndarray:
        """The smaller of both distances: a flow may follow the iterates or their mean."""
        return np.fmin(self.distance, self.mean_distance)


@dataclass(frozen=True)
class FlowComparison:
    """Flows beside one run of descent; see `compare_flows`.

    Attributes
    ----------
    h : float
    share : float
        A flow breaks down where its error exceeds this share of the way of the iterates.
    n : array of int
        The steps at which they were compared.
    product : array
        h·sharpness at these iterates.
    loss : array
    flows : list of ComparedFlow
    """

    h: float
    share: float
    n: np.ndarray
    product: np.ndarray
    loss: np.ndarray
    flows: list[ComparedFlow]

    def __getitem__(self, name: str) -> ComparedFlow:
        """The flow of that name."""
        for compared in self.flows:
            if compared.name == name:
                return compared
        raise KeyError(f"there is no flow {name!r}, but there are {', '.join(f.name for f in self.flows)}")

    def rows(self) -> list[list[str]]:
        """The table: a row of texts for each flow, after a row of headings."""
        spans = [(low, high) for low, high in SPANS if self._inside(low, high).any()]
        head = ["flow", *(f"one step, {_span(low, high)}" for low, high in spans)]
        table = [[*head, "error at the end", "breaks down"]]
        for compared in self.flows:
            cells = [
                "–"
                if compared.one_step is None
                else _number(np.median(compared.one_step[self._inside(*span)]))
                for span in spans
            ]
            where = (
                "nowhere"
                if compared.breaks_down is None
                else f"at step {compared.breaks_down}, hλ = {compared.product:.2f}"
            )
            end = _number(compared.error[-1])
            where = f"{where} ({compared.remark})" if compared.remark else where
            table.append([compared.name, *cells, end, where])
        return table

    def to_dict(self) -> dict[str, Any]:
        """The comparison in plain types, for JSON; numbers that are not finite are None."""
        return {
            "h": self.h,
            "share": self.share,
            "n": self.n.tolist(),
            "h_sharpness": _plain(self.product),
            "loss": _plain(self.loss),
            "flows": [
                {
                    "name": compared.name,
                    "distance": _plain(compared.distance),
                    "mean_distance": _plain(compared.mean_distance),
                    "one_step": None if compared.one_step is None else _plain(compared.one_step),
                    "breaks_down": compared.breaks_down,
                    "h_sharpness_there": compared.product,
                    "remark": compared.remark,
                }
                for compared in self.flows
            ],
        }

    def __repr__(self) -> str:
        table = self.rows()
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in table
        ]
        return "\n".join([self._title(), *lines])

    def _repr_html_(self) -> str:
        head, *body = self.rows()
        first = "".join(f"<th>{escape(cell)}</th>" for cell in head)
        rest = "".join("<tr>" + "".join(f"<td>{escape(c)}</td>" for c in row) + "</tr>" for row in body)
        return f"<b>{escape(self._title())}</b><table><tr>{first}</tr>{rest}</table>"

    def _title(self) -> str:
        return (
            f"Flows beside {self.n[-1]} steps of descent with h = {self.h:g}, "
            f"h·sharpness from {self.product.min():.2f} to {self.product.max():.2f}"
        )

    def _inside(self, low: float, high: float) -> np.ndarray:
        return (low < self.product) & (self.product <= high)


def compare_flows(
    loss: Loss,
    params: Pytree,
    h: float,
    steps: int,
    *,
    flows: Sequence[str] = FLOWS,
    points: int = 40,
    share: float = 0.1,
    substeps: int = 8,
    count: int | None = None,
) -> FlowComparison:
    """What known flows predict of one run of gradient descent, and where each breaks down.

    Parameters
    ----------
    loss : callable
        E, a function of the parameters that JAX can differentiate as often as the flows ask: the third order
        four times, the principal flow also at complex parameters.
    params : pytree of float arrays
        The start.
    h : float
        The step size of descent.
    steps : int
        How many steps of descent.
    flows : sequence of str, optional
        Some of ``"gradient flow"``, ``"first order"``, ``"second order"`` and ``"third order"``, the modified
        flows through these powers of h, ``"principal flow"`` and ``"central flow"``; by default all.
    points : int, optional
        At about so many steps, evenly spaced, the flows are compared with the iterates.
    share : float, optional
        A flow breaks down where its distance from the iterates, and that from their mean, exceeds this share
        of their distance from the start.
    substeps : int, optional
        Steps of the Runge–Kutta method in the time h.
    count : int, optional
        Eigenvectors in the principal flow; see `principal_field`.

    Returns
    -------
    FlowComparison
        ``repr`` shows it as a table, `bea.plots.flow_comparison` draws it.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described, or descent does not stay finite.

    Notes
    -----
    The central flow is kept at all steps, in memory for `steps` times the number of parameters.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from bea.nets.comparison import compare_flows
    >>> found = compare_flows(lambda x: jnp.sum(jnp.cosh(x)), jnp.array([1.0, 0.5]), h=0.2, steps=20)
    >>> bool(found["gradient flow"].one_step[0] > 10 * found["second order"].one_step[0])
    True
    """
    chosen = _read_flows(flows)
    for name, value in (("steps", steps), ("points", points), ("substeps", substeps)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
            raise ValueError(f"{name} must be an integer, 1 or more, not {value!r}")
    h, share = read_positive(h, "h"), read_positive(share, "share")
    flat, x = flatten(loss, params)
    run = _descend(flat, x, h, int(steps), max(1, round(steps / points)))
    measured = []
    for name in chosen:
        with warnings.catch_warnings():  # where a flow ends early is part of the result
            warnings.simplefilter("ignore", RuntimeWarning)
            path, one_step, remark = _followed(name, flat, run, int(substeps), count)
        measured.append(_compared(name, run, path, one_step, remark, share))
    return FlowComparison(h, share, run.n, run.product, run.loss, measured)


@dataclass(frozen=True)
class _Descent:
    """A run of descent at the steps of the comparison."""

    h: float
    stride: int
    n: np.ndarray
    x: jax.Array
    following: jax.Array
    mean: jax.Array
    product: np.ndarray
    loss: np.ndarray


def _descend(flat: FlatLoss, x: jax.Array, h: float, steps: int, stride: int) -> _Descent:
    points, following, means = _iterates(flat, steps // stride, stride, x, h)
    if not bool(jnp.isfinite(points).all()):
        raise ValueError(f"descent with h = {h:g} does not stay finite for {steps} steps")
    product, leading = [], start(flat, x)
    for point in points:
        leading = _leading(flat, point, leading.vectors)
        product.append(h * float(leading.values[0]))
    loss = jax.lax.map(flat, points)
    n = stride * np.arange(len(points))
    return _Descent(h, stride, n, points, following, means, np.array(product), np.asarray(loss))


@partial(jax.jit, static_argnums=0)
def _leading(flat: FlatLoss, x: jax.Array, guess: jax.Array) -> Any:
    """The leading eigenvectors, the guess improved twice since points may be far apart."""
    return flat.leading(x, flat.leading(x, guess).vectors)


@partial(jax.jit, static_argnums=(0, 1, 2))
def _iterates(
    flat: FlatLoss, count: int, stride: int, x: jax.Array, h: Any
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Every iterate whose number is a multiple of `stride`, the one after it, and the mean around it."""

    def descend(x: jax.Array) -> jax.Array:
        return x - h * flat.gradient(x)

    def block(state: tuple[jax.Array, jax.Array], _: None) -> tuple[tuple[jax.Array, jax.Array], Any]:
        before, now = state
        after = descend(now)
        kept = now, after, (before + 2 * now + after) / 4
        pair = jax.lax.fori_loop(0, stride, lambda _, pair: (pair[1], descend(pair[1])), (before, now))
        return pair, kept

    _, (points, following, means) = jax.lax.scan(block, (x, x), length=count + 1)
    return points, following, means.at[0].set(x)


def _followed(
    name: str, flat: FlatLoss, run: _Descent, substeps: int, count: int | None
) -> tuple[np.ndarray, np.ndarray | None, str]:
    """The path of a flow at the times of the comparison, its one-step ends, and why it ended early."""
    if name == "central flow":
        return _central(flat, run)
    advance = _principal(flat, run.h, count) if name == "principal flow" else _modified(name, flat, run.h)
    path = [run.x[0]]
    for _ in run.n[1:]:
        path.append(advance(path[-1], run.stride, run.stride * substeps))
    ends = jnp.stack([advance(x, 1, substeps) for x in run.x])
    lost = [int(n) for n, x in zip(run.n, path, strict=True) if not bool(jnp.isfinite(x).all())]
    return np.stack(path), np.asarray(ends), f"not finite at step {lost[0]}" if lost else ""


def _modified(name: str, flat: FlatLoss, h: float) -> Advance:
    field = modified_field(flat, order=FLOWS.index(name))

    def advance(x: jax.Array, steps: int, substeps: int) -> jax.Array:
        path = flow(field, x, h, steps * h, substeps)
        return path.params if path.diverged_at is None else jnp.full_like(x, jnp.nan)

    return advance


def _principal(flat: FlatLoss, h: float, count: int | None) -> Advance:
    """In complex variables, from the real iterates or from where the last call ended."""
    k = read_count(flat, count)

    def advance(z: jax.Array, steps: int, substeps: int) -> jax.Array:
        if not bool(jnp.isfinite(z).all()):
            return z
        guess = first_vectors(flat, z.real, k)
        end, _, finite = follow(flat, k, substeps, None, as_complex(z), guess, h, steps * h / substeps)
        return end if bool(finite.all()) else jnp.full_like(end, jnp.nan)

    return advance


def _central(flat: FlatLoss, run: _Descent) -> tuple[np.ndarray, None, str]:
    path = np.full(run.x.shape, np.nan)
    if run.product[0] > 2:
        return path, None, "starts beyond 2/h"
    steps = int(run.n[-1])
    followed = central_flow(flat, run.x[0], run.h, steps * run.h, steps, record=_itself)
    kept = run.n[run.n < len(followed.t)]
    path[: len(kept)] = np.asarray(followed.record)[kept]
    return path, None, "" if followed.success else f"ended at step {len(followed.t) - 1}"


def _itself(x: Pytree) -> Pytree:
    return x


def _compared(
    name: str, run: _Descent, path: np.ndarray, ends: np.ndarray | None, remark: str, share: float
) -> ComparedFlow:
    """Distances, relative to the way of the iterates or to the length of a step."""
    way = np.linalg.norm(run.x - run.x[0], axis=1)
    way[0] = 1
    distance = np.linalg.norm(path - np.asarray(run.x), axis=1) / way
    mean_distance = np.linalg.norm(path - np.asarray(run.mean), axis=1) / way
    one_step = None
    if ends is not None:
        length = np.linalg.norm(run.following - run.x, axis=1)
        one_step = np.linalg.norm(ends - np.asarray(run.following), axis=1) / np.where(length > 0, length, 1)
    broken = np.flatnonzero(~(np.fmin(distance, mean_distance) <= share))
    first = int(broken[0]) if len(broken) else None
    return ComparedFlow(
        name=name,
        distance=distance,
        mean_distance=mean_distance,
        one_step=one_step,
        breaks_down=None if first is None else int(run.n[first]),
        product=None if first is None else float(run.product[first]),
        remark=remark,
    )


def _read_flows(flows: Sequence[str]) -> list[str]:
    chosen = [flows] if isinstance(flows, str) else list(flows)
    for name in chosen:
        if name not in FLOWS:
            raise ValueError(f"flows must be some of {', '.join(FLOWS)}, not {name!r}")
    if not chosen:
        raise ValueError(f"flows must be some of {', '.join(FLOWS)}, and none is given")
    return [name for name in FLOWS if name in chosen]


def _number(value: float) -> str:
    return f"{value:.2g}" if np.isfinite(value) else "–"


def _span(low: float, high: float) -> str:
    return f"hλ > {low:g}" if np.isinf(high) else f"hλ < {high:g}" if low == 0 else f"{low:g} < hλ ≤ {high:g}"


def _plain(values: np.ndarray) -> list[float | None]:
    return [float(v) if np.isfinite(v) else None for v in values]
