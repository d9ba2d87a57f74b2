"""``bea theorems``, ``bea schemes`` and ``bea cache``."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Sequence

__all__ = ["cache", "schemes", "theorems"]


def theorems(arguments: Namespace) -> int:
    """List the theorems."""
    from bea.theorems import THEOREMS, get_theorem

    known = [get_theorem(name) for name in THEOREMS]
    if arguments.json:
        fields = ("name", "title", "statement", "references", "extra")
        print(json.dumps([{field: getattr(t, field) for field in fields} for t in known], indent=2))
    else:
        rows = [[t.name, t.title, f"bea[{t.extra}]" if t.extra else ""] for t in known]
        print_table(["name", "title", "needs"], rows)
    return 0


def schemes(arguments: Namespace) -> int:
    """List the schemes."""
    from bea.schemes import SCHEMES

    fields = ("name", "order", "summary", "references")
    rows = [{field: getattr(scheme, field) for field in fields} for scheme in SCHEMES.values()]
    if arguments.json:
        print(json.dumps(rows, indent=2))
    else:
        print_table(
            ["name", "order", "summary"],
            [[row["name"], str(row["order"] or ""), row["summary"]] for row in rows],
        )
    return 0


def cache(arguments: Namespace) -> int:
    """Show, or delete, the compiled code on disk."""
    from bea.numerics.cache import cache_info, clear_cache

    info = clear_cache() if arguments.clear else cache_info()
    if arguments.json:
        report = {"folder": str(info.folder), "files": info.files, "bytes": info.bytes}
        print(json.dumps({**report, "cleared": arguments.clear}, indent=2))
    else:
        verb = "deleted from" if arguments.clear else "in"
        print(f"{info.files} files, {info.bytes / 1e6:.1f} MB, {verb} {info.folder}")
    return 0


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print columns as wide as they need to be, under their names."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    for row in (header, ["-" * w for w in widths], *rows):
        print("  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip())
