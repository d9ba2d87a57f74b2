"""The command line: ``bea derive``, ``verify``, ``theorems``, ``schemes`` and ``cache``.

Every command is one function ``run(arguments)`` that returns the exit code. Its module is imported when the
command is given, so that no command pays for the others.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from bea import __version__
from bea.cli.usage import BAD_USAGE, Parser, UsageError

__all__ = ["main"]

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        By default those of the process.

    Returns
    -------
    int
        The exit code: 0 for success, 1 where a theorem fails, 2 for a mistake in the arguments, 130 after an
        interruption from the keyboard.

    Examples
    --------
    >>> from bea.cli import main
    >>> main(["derive", "y**2", "--variables", "y", "--vector-field", "--order", "1"])
    explicit-euler on the vector field
    <BLANKLINE>
      dy/dt = y**2
    <BLANKLINE>
    follows the modified equation, whose coefficients of h**k are
    <BLANKLINE>
      h**0    dy/dt:  y**2
      h**1    dy/dt:  -y**3
    0
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        given = build_parser().parse_args(arguments)
        module, _, function = given.command.partition(":")
        code = getattr(import_module(module), function)(given)
        sys.stdout.flush()
    except UsageError as error:
        print(f"bea: {error}", file=sys.stderr)
        return BAD_USAGE
    except KeyboardInterrupt:
        print("bea: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader has gone: nothing is left to say, also not when Python closes the stream.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code


def build_parser() -> Parser:
    """The grammar of the command line."""
    parser = Parser(
        prog="bea",
        description="Backward error analysis: which differential equation does a discrete algorithm follow?",
    )
    parser.add_argument("--version", action="version", version=f"bea {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_derive(commands)
    _add_verify(commands)
    _add_listing(commands, "theorems", "list the theorems that can be verified")
    _add_listing(commands, "schemes", "list the schemes by name")
    cache = _add_listing(commands, "cache", "show where compiled code is kept, and how much of it")
    cache.add_argument("--clear", action="store_true", help="delete it")
    return parser


def _add_derive(commands: Any) -> None:
    derive = commands.add_parser(
        "derive",
        help="derive the modified equation of a scheme",
        description="Derive the differential equation that a scheme follows, and the loss that it descends.",
        epilog="An expression that begins with a minus sign comes last, after two dashes: "
        'bea derive --variables y --vector-field -- "-y**3".',
    )
    derive.set_defaults(command="bea.cli.derive:run")
    derive.add_argument(
        "expression",
        metavar="EXPR",
        help="a loss, or the components of a vector field, parted by semicolons; several of either, parted "
        "by bars, whose sum a scheme takes one at a time; or, with --players, the losses of a game",
    )
    derive.add_argument("--variables", metavar="A,B", help="the variables; other names are parameters")
    derive.add_argument(
        "--players",
        metavar="A,B;C",
        help="EXPR is a game: the variables of each player, parted by semicolons as are the losses",
    )
    derive.add_argument("--rates", metavar="C;D", help="the rates of the players, by default 1")
    derive.add_argument(
        "--vector-field",
        action="store_true",
        help="EXPR is a vector field; a semicolon says so too, hence this is for one component",
    )
    derive.add_argument(
        "--scheme",
        metavar="NAME",
        help="one of bea schemes; by default gradient-descent for a loss, explicit-euler for a vector field, "
        "simultaneous-descent for a game",
    )
    derive.add_argument(
        "--order", type=int, default=2, metavar="K", help="the highest power of h (default: 2)"
    )
    derive.add_argument(
        "--parameter",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="put a number, read exactly, in the place of a parameter of EXPR or of the scheme; repeatable",
    )
    derive.add_argument(
        "--modifying-integrator",
        action="store_true",
        help="derive instead the field to which the scheme must be applied so as to follow EXPR itself",
    )
    derive.add_argument("--format", choices=["text", "latex", "python", "json"], default="text")


def _add_verify(commands: Any) -> None:
    verify = commands.add_parser(
        "verify",
        help="check theorems numerically",
        description="Check published theorems numerically: predicted beside measured.",
        epilog="Exit code: 0 where all claims hold, 1 where one fails, 2 for a mistake in the arguments, "
        "130 after an interruption, which keeps what has been measured.",
    )
    verify.set_defaults(command="bea.cli.verify:run")
    verify.add_argument("names", nargs="*", metavar="NAME", help="one of bea theorems (default: all)")
    verify.add_argument(
        "--out",
        metavar="DIR",
        help="write DIR/index.html and DIR/results.json; long experiments keep their results in DIR/runs, "
        "from where a check that was stopped goes on when it is started again",
    )
    verify.add_argument("--open", action="store_true", help="show the page in a browser, where there is one")
    verify.add_argument(
        "--jobs", type=int, default=1, metavar="N", help="check so many theorems at a time (default: 1)"
    )
    verify.add_argument("--quick", action="store_true", help="a reduced check")
    verify.add_argument(
        "--seed", type=int, default=0, metavar="S", help="the seed of all randomness (default: 0)"
    )
    verify.add_argument(
        "--json", action="store_true", help="print JSON, and nothing else, on standard output"
    )


def _add_listing(commands: Any, name: str, summary: str) -> Parser:
    listing = commands.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
    listing.set_defaults(command=f"bea.cli.listings:{name}")
    listing.add_argument(
        "--json", action="store_true", help="print JSON, and nothing else, on standard output"
    )
    return listing
