"""``bea verify``: check theorems, tell the claims as they come, and write the report."""

from __future__ import annotations

import json
import os
import sys
import webbrowser
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

import matplotlib

from bea.cli.checking import Settings, check_all
from bea.cli.progress import Progress
from bea.cli.usage import UsageError, user_input
from bea.reports import Section, results, write_report
from bea.theorems import THEOREMS, get_theorem

__all__ = ["run"]

HOLDS, FAILS, INTERRUPTED = 0, 1, 130

#: The folder beside the report in which experiments keep their results.
RUNS = "runs"


def run(arguments: Namespace) -> int:
    """Check the theorems; the exit code tells whether all of them hold."""
    names = chosen(arguments.names)
    if arguments.jobs < 1:
        raise UsageError(f"--jobs must be at least 1, not {arguments.jobs}")
    if arguments.seed < 0:
        raise UsageError(f"--seed must not be negative, but it is {arguments.seed}")
    if arguments.open and arguments.out is None:
        raise UsageError("--open shows the page that --out DIR writes, so it needs --out too")
    folder = None if arguments.out is None else prepare_folder(arguments.out)

    jobs = min(arguments.jobs, len(names))
    runs = None if folder is None else folder / RUNS
    settings = Settings(arguments.quick, arguments.seed, figures=folder is not None, jobs=jobs, runs=runs)
    matplotlib.use("Agg")
    with Progress(names, claims_to=sys.stderr if arguments.json else sys.stdout) as progress:
        sections = check_all(names, settings, progress)
    if arguments.json:
        print(json.dumps(results(sections), indent=2))
    if folder is not None:
        try:
            page = write_report(sections, folder)
        except OSError as error:
            raise UsageError(f"the report cannot be written to {folder}: {error.strerror}") from None
        print(f"page: {page}\n      {page.as_uri()}", file=sys.stderr if arguments.json else sys.stdout)
        if arguments.open:
            show_page(page)
    return exit_code(sections, names)


def chosen(names: Sequence[str]) -> list[str]:
    """The theorems that were named; otherwise all whose packages are installed, and a word on the others."""
    with user_input():
        theorems = [get_theorem(name) for name in dict.fromkeys(names or THEOREMS)]
    missing = {theorem.name: error for theorem in theorems if (error := theorem.missing()) is not None}
    for error in missing.values():
        if names:
            raise UsageError(str(error))
        print(f"left out: {error}", file=sys.stderr)
    return [theorem.name for theorem in theorems if theorem.name not in missing]


def prepare_folder(out: str) -> Path:
    """The folder of the report, made where there is none before a long check ends without a page."""
    folder = Path(out).absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise UsageError(f"--out takes a folder, but {out} is a file or lies under one") from None
    except OSError as error:
        raise UsageError(f"the folder {out} cannot be made: {error.strerror}") from None
    if not os.access(folder, os.W_OK):
        raise UsageError(f"the folder {out} cannot be written")
    if (folder / RUNS).exists() and not (folder / RUNS).is_dir():
        raise UsageError(f"results are kept in the folder {folder / RUNS}, but there is a file of that name")
    return folder


def show_page(page: Path) -> None:
    """Open the page in a browser that has a window of its own; without a screen, do nothing."""
    headless = sys.platform not in ("darwin", "win32") and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )
    if headless or not webbrowser.open(page.as_uri()):
        print("bea: there is no browser here to open the page in", file=sys.stderr)


def exit_code(sections: Sequence[Section], names: Sequence[str]) -> int:
    """0 where all theorems hold, 1 where one does not, 130 where the check was interrupted."""
    if len(sections) < len(names) or any(section.result["interrupted"] for section in sections):
        return INTERRUPTED
    return HOLDS if all(section.result["passed"] for section in sections) else FAILS
