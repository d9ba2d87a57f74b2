"""The files of a report, each written whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

from bea.reports.page import page
from bea.reports.section import Section, results
from bea.theorems.claims import Verdict

__all__ = ["write_report"]


def write_report(verdicts: Sequence[Verdict | Section], folder: str | os.PathLike[str]) -> Path:
    """Write ``index.html``, a page that needs no other file and no network, and ``results.json``.

    Parameters
    ----------
    verdicts : sequence of Verdict or Section
        What `bea.verify` returned, or sections made of that.
    folder : path
        Where to write; it is made if there is none. Earlier reports in it are replaced.

    Returns
    -------
    pathlib.Path
        The page.

    Raises
    ------
    OSError
        If the folder cannot be written.

    Examples
    --------
    >>> import bea, tempfile
    >>> from bea.reports import write_report
    >>> verdict = bea.verify("igr", quick=True)
    >>> write_report([verdict], tempfile.mkdtemp()).name
    'index.html'
    """
    sections = [v if isinstance(v, Section) else Section.from_verdict(v) for v in verdicts]
    summary = results(sections)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / "results.json", json.dumps(summary, indent=2, ensure_ascii=False) + "\n")
    write_whole(folder / "index.html", page(sections, summary))
    return folder / "index.html"


def write_whole(path: Path, text: str) -> None:
    """Put `text` into the file at once: a reader sees the old content or the new, never a part."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_text(text, encoding="utf-8")
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
