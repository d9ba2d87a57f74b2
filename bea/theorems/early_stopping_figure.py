"""The figure of early stopping against ridge regression."""

from __future__ import annotations

from typing import Any

import numpy as np

from bea.theorems.least_squares import LeastSquares, gradient_flow, ridge
from bea.theorems.ridge_factors import PUBLISHED, PUBLISHED_OPTIMAL, best_factor, bias_factor, variance_factor

__all__ = ["draw_factors", "draw_ratios", "draw_risks"]


def draw_factors(ax: Any) -> None:
    """The factors in one eigenvector."""
    from bea.plots.style import order_colour

    x = np.geomspace(1e-2, 1e3, 600)
    ax.semilogx(x, variance_factor(x), color=order_colour(1), label="variance")
    ax.semilogx(x, bias_factor(x), color=order_colour(0), linestyle=(0, (5, 2)), label="squared bias")
    best = r"both, random signal, $\lambda = 1/t = p\sigma^2/(r^2 n)$"
    ax.semilogx(x, best_factor(x), color=order_colour(2), linestyle="-.", label=best)
    for level in (PUBLISHED, PUBLISHED_OPTIMAL):
        ax.axhline(level, color="0.6", linewidth=0.8, linestyle=":")
        ax.text(1.1e-2, level + 0.02, f"{level:g}", va="bottom", color="0.25")
    ax.set(
        xlim=(x[0], x[-1]),
        ylim=(0, 2.4),
        xlabel="x = ts, s an eigenvalue of $X^T X/n$",
        ylabel=r"gradient flow over ridge, $\lambda = 1/t$",
        title="in one eigenvector",
    )
    ax.legend(loc="upper right")


def draw_risks(
    ax: Any, problem: LeastSquares, times: np.ndarray, squares: tuple[np.ndarray, np.ndarray]
) -> None:
    """The risks of one problem, exact and by Monte Carlo."""
    from bea.plots.style import MARKERS, flow_line, order_colour

    fine, s = np.geomspace(times[0] / 2, 2 * times[-1], 300), problem.eigenvalues
    of_ridge = problem.risk(ridge(s, 1 / fine))
    lines = (
        ("gradient flow", problem.risk(gradient_flow(s, fine)), flow_line(0)),
        ("ridge", of_ridge, {"color": order_colour(1), "zorder": 3.0}),
    )
    for (label, risk, style), sample, marker in zip(lines, squares, MARKERS, strict=False):
        ax.loglog(fine, risk, label=label, **style)
        ax.loglog(
            times, sample.mean(axis=1), marker, color=style["color"], markeredgecolor="black", markersize=4.5
        )
    ax.fill_between(
        fine, of_ridge, PUBLISHED * of_ridge, color="0.92", zorder=0, label="up to 1.6862 × ridge"
    )
    ax.set(
        xlim=(fine[0], fine[-1]),
        xlabel="t = 1/λ",
        ylabel="estimation risk",
        title="one problem: exact; Monte Carlo (markers)",
    )
    ax.legend(loc="upper left")


def draw_ratios(ax: Any, times: np.ndarray, ratios: np.ndarray) -> None:
    """The ratios of the risks of random problems."""
    from bea.plots.style import order_colour

    ax.semilogx(times, ratios[:120].T, color="0.6", linewidth=0.5, alpha=0.6)
    ax.semilogx(times, ratios.max(axis=0), color=order_colour(1), label=f"largest of {len(ratios)} problems")
    ax.axhline(PUBLISHED, color="0.3", linewidth=1.0, linestyle=":", label=f"bound {PUBLISHED:g}")
    ax.set(
        xlim=(times[0], times[-1]),
        ylim=(0, 2.25),
        xlabel="t = 1/λ",
        ylabel="gradient flow over ridge",
        title="estimation risk of random problems",
    )
    ax.legend(loc="upper right")
