"""The page of a report: HTML that carries all it needs, for the screen, for paper and for a reader's ears."""

from __future__ import annotations

import html
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bea.reports.mathematics import render, svg_source
from bea.reports.section import Section
from bea.theorems.claims import show, show_interval

__all__ = ["page"]

STYLE = """
:root { color-scheme: light; --ink: #1b1f24; --faint: #57606a; --rule: #d0d7de;
        --good: #116329; --bad: #a40e26; }
* { box-sizing: border-box; }
body { margin: 0; background: #fff; color: var(--ink); line-height: 1.55;
       font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
main { max-width: 68rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .4rem; }
h2 { font-size: 1.4rem; line-height: 1.25; margin: 0 0 .6rem; }
h3 { font-size: 1rem; margin: 1.6rem 0 .4rem; }
section { margin-top: 2.2rem; padding-top: 1.8rem; border-top: 1px solid var(--rule); }
p { margin: .5rem 0; }
.lead, .detail, footer, dt { color: var(--faint); }
.statement { max-width: 48rem; }
.formula { display: inline-block; }
.verdict { white-space: nowrap; font-weight: 600; }
.holds { color: var(--good); }
.fails, .interrupted { color: var(--bad); }
h2 .verdict { font-size: 1rem; border: 1.5px solid; border-radius: 1rem; padding: .1rem .7rem;
              margin-left: .5rem; vertical-align: .15em; }
figure { margin: 1.2rem 0; }
figure img { display: block; width: 100%; height: auto; }
.scroll { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; font-size: .92rem; }
th, td { text-align: left; vertical-align: top; padding: .42rem .9rem .42rem 0;
         border-bottom: 1px solid var(--rule); }
thead th { border-bottom: 2px solid var(--ink); white-space: nowrap; }
tbody th { font-weight: 400; min-width: 18rem; }
th:first-child { width: 50%; }
.number, .text { text-align: right; font-variant-numeric: tabular-nums; }
.number { white-space: nowrap; }
.control { font-size: .75rem; border: 1px solid var(--rule); border-radius: .3rem; padding: .05rem .35rem;
           color: var(--faint); }
.detail { font-size: .85rem; }
ul, ol { margin: .3rem 0; padding-left: 1.4rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1.2rem; margin: .3rem 0;
     font-size: .92rem; }
dd { margin: 0; }
code { font: .9em ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace;
       overflow-wrap: anywhere; }
@media print {
  main { max-width: none; padding: 0; }
  section { break-before: page; border-top: 0; }
  section:first-of-type { break-before: auto; }
  tr, figure { break-inside: avoid; }
}
"""


def page(sections: Sequence[Section], summary: dict[str, Any]) -> str:
    """The whole page.

    Parameters
    ----------
    sections : sequence of Section
    summary : dict
        What `bea.reports.results` says of them.
    """
    count = len(sections)
    holding = sum(section.result["passed"] for section in sections)
    claims = [claim for section in sections for claim in section.result["claims"]]
    met = sum(claim["passed"] for claim in claims)
    title = sections[0].result["title"] if count == 1 else "Theorems, checked"
    hold = "theorem holds" if count == 1 else "theorems hold"
    lead = (
        f"{holding} of {count} {hold}, {met} of {len(claims)} claims. "
        f"Measured by bea {summary['bea']}, {_readable(summary['date'])}."
    )
    body = "".join(map(_section, sections))
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)} – bea</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n"
        f"<header>\n<h1>Predicted and measured</h1>\n"
        f'<p class="lead">{html.escape(lead)}</p>\n{_contents(sections)}</header>\n{body}'
        f"<footer>\n<p>To repeat: <code>{html.escape(summary['command'])}</code></p>\n</footer>\n"
        f"</main>\n</body>\n</html>\n"
    )


def _contents(sections: Sequence[Section]) -> str:
    """Links to the sections, where there are several."""
    if len(sections) < 2:
        return ""
    results = [section.result for section in sections]
    links = "".join(
        f'<li><a href="#{html.escape(result["name"])}">{render(result["title"])}</a> '
        f"{_verdict(result)}</li>\n"
        for result in results
    )
    return f"<nav>\n<ul>\n{links}</ul>\n</nav>\n"


def _section(section: Section) -> str:
    """One theorem: statement, figure, claims, references, circumstances."""
    result = section.result
    references = "".join(f"<li>{render(reference)}</li>\n" for reference in result["references"])
    return (
        f'<section id="{html.escape(result["name"])}">\n'
        f"<h2>{render(result['title'])} {_verdict(result)}</h2>\n"
        f'<p class="statement">{render(result["statement"])}</p>\n'
        f"{_figure(section)}{_claims(result)}"
        f"<h3>References</h3>\n<ol>\n{references}</ol>\n"
        f"<h3>How it was measured</h3>\n{_circumstances(result)}</section>\n"
    )


def _verdict(result: dict[str, Any]) -> str:
    if result.get("interrupted"):
        return '<span class="verdict interrupted">– interrupted</span>'
    return (
        '<span class="verdict holds">✓ holds</span>'
        if result["passed"]
        else '<span class="verdict fails">✗ fails</span>'
    )


def _figure(section: Section) -> str:
    if section.figure is None:
        return ""
    alternative = f"Figure of the measurements for: {section.result['title']}"
    return f'<figure>\n<img alt="{html.escape(alternative)}" src="{svg_source(section.figure)}">\n</figure>\n'


def _claims(result: dict[str, Any]) -> str:
    """The table of claims, one row each."""
    rows = "".join(map(_claim, result["claims"]))
    head = (
        '<th scope="col">Claim</th><th scope="col" class="number">Predicted</th>'
        '<th scope="col" class="number">Measured</th><th scope="col" class="number">Interval</th>'
        '<th scope="col">Verdict</th>'
    )
    return (
        f'<h3>Claims</h3>\n<div class="scroll">\n<table>\n<thead><tr>{head}</tr></thead>\n'
        f"<tbody>\n{rows}</tbody>\n</table>\n</div>\n"
    )


def _claim(claim: dict[str, Any]) -> str:
    interval = show_interval(claim["interval"])
    detail = f'<div class="detail">{render(claim["detail"])}</div>' if claim["detail"] else ""
    return (
        f'<tr><th scope="row">{_name(claim["name"])}{detail}</th>'
        f"{_value(claim['predicted'])}{_value(claim['measured'], claim['interval'])}"
        f'<td class="number">{interval.strip()}</td><td>{_verdict(claim)}</td></tr>\n'
    )


def _name(name: str) -> str:
    """The name of a claim, that of a negative control with a tag."""
    if not name.startswith("control:"):
        return render(name)
    return f'<span class="control">control</span> {render(name.removeprefix("control:").strip())}'


def _value(value: float | str, interval: Sequence[float] | None = None) -> str:
    """A cell: a number stays on one line, text need not."""
    if isinstance(value, str):
        return f'<td class="text">{render(value)}</td>'
    return f'<td class="number">{show(value, interval)}</td>'


def _circumstances(result: dict[str, Any]) -> str:
    """Everything else on which the numbers depend."""
    seed = "none" if result["seed"] is None else result["seed"]
    rows = {
        "Check": "reduced" if result["quick"] else "full",
        "Seed": str(seed),
        "Time": f"{result['seconds']:.1f} s",
        "Versions": ", ".join(f"{name} {version}" for name, version in result["versions"].items()),
    }
    return "<dl>\n" + "".join(f"<dt>{k}</dt><dd>{html.escape(v)}</dd>\n" for k, v in rows.items()) + "</dl>\n"


def _readable(date: str) -> str:
    """The date of a time stamp, such as 3 May 2026."""
    day = datetime.fromisoformat(date)
    return f"{day.day} {day:%B} {day.year}"
