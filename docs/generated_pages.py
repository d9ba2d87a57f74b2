"""The pages that are made from the package itself: theorems, schemes and losses, each from its own list."""

from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

from bea.schemes import SCHEMES
from bea.systems.catalogue import CATALOGUE, GAMES
from bea.theorems import THEOREMS, get_theorem
from bea.theorems.claims import Theorem, show, show_interval

__all__ = ["catalogue_page", "class_pages", "scheme_page", "theorem_page", "write"]

RESULTS = Path(__file__).parent / "results.json"


def write(folder: Path) -> None:
    """Write all generated pages into the folder of the documentation, where they have changed."""
    results = json.loads(RESULTS.read_text(encoding="utf-8"))
    pages = {
        "theorems.md": theorem_page(results),
        "api/generated/schemes.rst": scheme_page(),
        "api/generated/catalogue.rst": catalogue_page(),
        **class_pages(),
    }
    for name, text in pages.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def theorem_page(results: dict[str, Any]) -> str:
    """All theorems, with statement, references and the values that were measured last (MyST).

    Parameters
    ----------
    results : dict
        The content of a ``results.json`` in which every theorem occurs.
    """
    measured = {result["name"]: result for result in results["theorems"]}
    theorems = [get_theorem(name) for name in THEOREMS]
    day = datetime.fromisoformat(results["date"])
    rows = [
        f"| [`{t.name}`](#{t.name}) | {t.title} | {_state(measured[t.name])} | {_count(measured[t.name])} |"
        for t in theorems
    ]
    introduction = [
        "# Theorems",
        "Published results that `bea` checks: what is claimed, and what was measured. The values below "
        f"were measured on {day.day} {day:%B} {day.year} by `{results['command']}`, which measures them anew "
        "on your machine; `bea.verify` does the same in Python.",
        "\n".join(["| Name | Theorem | Verdict | Claims that hold |", "|---|---|---|---|", *rows]),
    ]
    sections = [_theorem(t, measured[t.name]) for t in theorems]
    return "\n\n".join([*introduction, *sections]) + "\n"


def _theorem(theorem: Theorem, result: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in result["versions"].items())
    references = "\n".join(f"{i}. {reference}" for i, reference in enumerate(theorem.references, start=1))
    extent = "Reduced" if result["quick"] else "Full"
    seed = "no seed" if result["seed"] is None else f"seed {result['seed']}"
    return "\n\n".join(
        [
            f"({theorem.name})=\n## {theorem.title}",
            theorem.statement,
            _claims(result["claims"]),
            f"{extent} check, {seed}, {result['seconds']:.1f} s; {versions}.",
            "### References",
            references,
        ]
    )


def _claims(claims: list[dict[str, Any]]) -> str:
    head = ["| Claim | Predicted | Measured | Interval | Verdict |", "|---|--:|--:|--:|---|"]
    return "\n".join([*head, *map(_claim, claims)])


def _claim(claim: dict[str, Any]) -> str:
    interval = show_interval(claim["interval"]).strip()
    cells = [claim["name"], show(claim["predicted"]), show(claim["measured"], claim["interval"]), interval]
    return f"| {' | '.join(map(_escaped, cells))} | {_state(claim)} |"


def _escaped(text: str) -> str:
    """Text for a cell of a table: nothing in it is markup, except that LaTeX stays LaTeX."""
    return re.sub(r"(\$[^$]+\$)|([\\`*_{}\[\]<>|#])", lambda m: m[1] or f"\\{m[2]}", text)


def _state(result: dict[str, Any]) -> str:
    return "holds" if result["passed"] else "**fails**"


def _count(result: dict[str, Any]) -> str:
    return f"{sum(claim['passed'] for claim in result['claims'])} of {len(result['claims'])}"


def scheme_page() -> str:
    """All schemes by name, with links to their classes (reStructuredText)."""
    rows = "".join(
        f"   * - ``{name}``\n     - :class:`{scheme.__name__}`\n"
        f"     - {'' if scheme.order is None else scheme.order}\n     - {scheme.summary}\n"
        for name, scheme in SCHEMES.items()
    )
    contents = "".join(f"   {path.stem}\n" for path in map(Path, class_pages()))
    return (
        "Schemes\n=======\n\n.. currentmodule:: bea.schemes\n\n"
        "The command line knows a scheme by its name, and so does :func:`get_scheme`; Python knows it by its "
        "class. A tableau of one's own is a :class:`RungeKutta`.\n\n"
        ".. list-table::\n   :header-rows: 1\n   :widths: 20 20 8 52\n\n"
        "   * - Name\n     - Class\n     - Order\n     - Scheme\n"
        f"{rows}\n.. autosummary::\n   :toctree: .\n\n   RungeKutta\n   Scheme\n   get_scheme\n\n"
        f".. toctree::\n   :hidden:\n\n{contents}"
    )


def class_pages() -> dict[str, str]:
    """A page for the class of every scheme, by its path."""
    return {
        f"api/generated/bea.schemes.{scheme.__name__}.rst": (
            f"{scheme.__name__}\n{'=' * len(scheme.__name__)}\n\n.. currentmodule:: bea.schemes\n\n"
            f".. autoclass:: {scheme.__name__}\n   :show-inheritance:\n   :members:\n"
            "   :exclude-members: name, order\n"
        )
        for scheme in sorted(SCHEMES.values(), key=lambda scheme: scheme.__name__)
    }


def catalogue_page() -> str:
    """All losses and games of the catalogue (reStructuredText)."""
    losses, games = ("".join(f"   {name}\n" for name in sorted(names)) for names in (CATALOGUE, GAMES))
    return (
        "Catalogue of losses and games\n=============================\n\n"
        ".. currentmodule:: bea.systems.catalogue\n\n"
        "Every loss knows the set on which it vanishes.\n\n"
        f".. autosummary::\n   :toctree: .\n\n{losses}\n"
        "Games of two players, with their equilibria:\n\n"
        f".. autosummary::\n   :toctree: .\n\n{games}"
    )
