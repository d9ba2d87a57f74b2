r"""Text with LaTeX between dollar signs as HTML: every formula an image that needs no script and no font."""

from __future__ import annotations

import base64
import html
import io
import re
from functools import cache

__all__ = ["render", "svg_source"]

#: The font size of a formula in points, and how much larger it looks right beside the text.
_SIZE = 12.0
_SCALE = 1.1
_FORMULA = re.compile(r"\$([^$]+)\$")


def render(text: str) -> str:
    r"""HTML of `text`, in which ``$…$`` holds LaTeX as far as Matplotlib can set it.

    The LaTeX is the alternative text of the image. What Matplotlib cannot set is shown as code.

    Examples
    --------
    >>> render("1 < 2")
    '1 &lt; 2'
    >>> render("the flow of $E$").partition(" style")[0]
    'the flow of <img class="formula" alt="E"'
    """
    parts = _FORMULA.split(text)
    return "".join(_image(part) if i % 2 else html.escape(part) for i, part in enumerate(parts))


def svg_source(svg: str) -> str:
    """The address of an image that carries the image itself."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


@cache
def _image(latex: str) -> str:
    alternative = html.escape(latex)
    try:
        svg, width, height, depth = _typeset(latex)
    except ValueError:
        return f"<code>{alternative}</code>"
    style = f"width:{width:.3f}em;height:{height:.3f}em;vertical-align:{-depth:.3f}em"
    return f'<img class="formula" alt="{alternative}" style="{style}" src="{svg_source(svg)}">'


def _typeset(latex: str) -> tuple[str, float, float, float]:
    """The formula as SVG with its width, its height and its depth below the line, in units of the font size.

    Raises
    ------
    ValueError
        If Matplotlib does not know the LaTeX.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontProperties
    from matplotlib.mathtext import MathTextParser

    font = FontProperties(size=_SIZE, math_fontfamily="stix")
    width, height, depth, _, _ = MathTextParser("path").parse(f"${latex}$", dpi=72, prop=font)
    figure = Figure(figsize=(width / 72, height / 72))
    figure.text(0, depth / height, f"${latex}$", fontproperties=font)
    drawing = io.StringIO()
    with rc_context({"svg.fonttype": "path", "svg.hashsalt": "bea"}):
        figure.savefig(drawing, format="svg", transparent=True, metadata={"Date": None})
    unit = _SIZE / _SCALE
    return drawing.getvalue(), width / unit, height / unit, depth / unit
