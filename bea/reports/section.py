"""One verified theorem as plain data: what a report says, free of the objects that measured it."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bea import __version__
from bea.theorems.claims import Verdict

__all__ = ["Section", "results"]


@dataclass(frozen=True)
class Section:
    """The part of a report that is about one theorem.

    Attributes
    ----------
    result : dict
        The verdict and the statement of the theorem in plain types, as in ``results.json``.
    figure : str or None
        The figure as SVG, where there is one.
    """

    result: dict[str, Any]
    figure: str | None = None

    @classmethod
    def from_verdict(cls, verdict: Verdict, figure: bool = True) -> Section:
        """The section of a verdict, with its figure unless none is asked for or the check was interrupted."""
        result = {"statement": verdict.theorem.statement, **verdict.to_dict()}
        return cls(_plain(result), _draw(verdict.figure()) if figure and not verdict.interrupted else None)


def results(sections: Sequence[Section]) -> dict[str, Any]:
    """The content of ``results.json``.

    Parameters
    ----------
    sections : sequence of Section

    Returns
    -------
    dict
        With the keys ``bea`` (the version), ``date`` (now, in UTC), ``command`` (which measures the same
        again), ``passed`` and ``theorems``, a list with the result of every section.
    """
    return {
        "bea": __version__,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": _command(sections),
        "passed": bool(sections) and all(section.result["passed"] for section in sections),
        "theorems": [section.result for section in sections],
    }


def _command(sections: Sequence[Section]) -> str:
    """The command line that measures the same again."""
    words = ["bea verify", *(section.result["name"] for section in sections)]
    if any(section.result["quick"] for section in sections):
        words.append("--quick")
    seeds = {section.result["seed"] for section in sections} - {None, 0}
    return " ".join([*words, *(f"--seed {seed}" for seed in seeds)])


def _plain(value: Any) -> Any:
    """`value` in the types of JSON: NumPy's numbers become Python's, and numbers that are not finite text."""
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def _draw(figure: Any) -> str:
    """A Matplotlib figure as SVG whose text is drawn as curves, so that it needs no font."""
    from matplotlib import pyplot, rc_context

    drawing = io.StringIO()
    with rc_context({"svg.fonttype": "path", "svg.hashsalt": "bea"}):
        figure.savefig(drawing, format="svg", bbox_inches="tight", metadata={"Date": None})
    pyplot.close(figure)
    return drawing.getvalue()
