"""What the command line takes."""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from contextlib import suppress

from ..teach.time_limit import DEFAULT


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options of a command line. Exits with the status 2 if they do not fit each other."""
    parser = _parser()
    options = parser.parse_args(arguments)
    compares = bool(options.diff)
    options.limit, has_limit = DEFAULT if options.limit is None else options.limit, options.limit is not None
    for flag, is_given, fits, needed in (
        ("--auto", options.auto, options.tour, "--tour"),
        ("--limit", has_limit, options.check, "--check"),
        ("--json", options.json, options.check or compares, "--check or --diff"),
        ("--strict", options.strict, compares, "--diff"),
        ("--inputs", options.inputs, compares, "--diff"),
        ("--shape", options.shapes, compares, "--diff"),
        ("--tolerance", options.tolerance is not None, compares, "--diff"),
    ):
        if is_given and not fits:
            parser.error(f"{flag} goes with {needed}")
    return options


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bsrepl",
        description="A live shell for graph transforms, kernels, backends and build steps of QONNX and Brainsmith.",
        epilog="Without a PATH nothing is watched; if standard input is not a terminal, it runs as a script.",
    )
    add = parser.add_argument
    add("paths", nargs="*", metavar="PATH",
        help="a plugin file, which is created if it does not exist, or a folder of plugin files; "
        "MODEL.onnx is opened as m, LESSON.md is led through")  # fmt: skip
    add("-c", dest="code", metavar="CODE", help="run CODE with everything preloaded, and exit")
    add("-i", dest="interactive", action="store_true", help="stay in the shell after -c")
    add("-q", dest="quiet", action="store_true", help="no banner")
    add("--check", action="store_true",
        help="load the PATHs, play those that are lessons, report, and exit with 1 if anything fails")  # fmt: skip
    add("--limit", type=_amount, metavar="S",
        help=f"with --check: the seconds that the files, and each step of a lesson, may take (default {DEFAULT:g}; "
        "0: any time)")  # fmt: skip
    add("--json", action="store_true", help="with --check or --diff: print the report as JSON")
    add("--report", action="store_true", help="print what a report of a problem needs")
    add("-V", "--version", action="store_true", help="print the version, and those of what bsrepl stands on")
    _add_comparison(parser.add_argument_group("comparing models"))
    _add_tour(parser.add_argument_group("the tour"))
    _add_behaviour(parser.add_argument_group("how it behaves"))
    return parser


def _add_comparison(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--diff", nargs="+", default=[], metavar="MODEL",
        help="compare two models, a series of them or a folder: the graphs and the outputs; "
        "exit with 0 if the outputs agree, 1 if not, 2 if a model cannot be read, 3 if nothing is proven")  # fmt: skip
    add("--strict", action="store_true", help="with --diff: exit with 1 also if the graphs alone differ")
    add("--inputs", action="append", metavar="FILE", help="with --diff: a .npz or .npy file with inputs")
    add("--shape", dest="shapes", action="append", type=_shape, default=[], metavar="NAME=SIZE",
        help="with --diff: the size of a dynamic dimension, N=4, or the shape of an input, x=1,3,8,8")  # fmt: skip
    add("--tolerance", type=_amount, metavar="T", help="with --diff: the relative difference that is allowed")


def _add_tour(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--tour", action="store_true", help="start with a tour of bsrepl; with --auto it plays by itself")
    add("--auto", action="store_true", help="with --tour: type and run every step, for a class or a recording")
    add("--speed", type=_amount, default=1.0, metavar="N",
        help="with --auto: speed factor (default 1, which takes 3 to 4 minutes; 0: no pauses)")  # fmt: skip


def _add_behaviour(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--color", choices=("auto", "always", "never"), default="auto", help="when to use colour (default auto)")
    add("--no-timing", action="store_true", help="do not print how long commands and reloads take")
    add("--interval", type=_amount, default=0.5, metavar="S",
        help="seconds between checks of the files while the prompt waits (default 0.5; 0: never)")  # fmt: skip
    add("--dev", action="append", default=[], metavar="NAME",
        help="follow the files of this installed package too; those under development are followed without asking",
    )  # fmt: skip
    add("--no-dev", action="store_true", help="follow no package")
    add("--trust", action="store_true", help="also execute plugin files that another user may have written")
    add("--plain-qonnx", action="store_true", help="run QONNX's own cleanup and look-ups, which take quadratic time")


def _amount(text: str) -> float:
    with suppress(ValueError):
        if 0 <= float(text) < math.inf:
            return float(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a number, 0 or more")


def _shape(text: str) -> tuple[str, int | list[int]]:
    """`N=4` as a size, `x=1,3,8,8` as a shape."""
    name, is_given, sizes = text.partition("=")
    with suppress(ValueError):
        numbers = [int(number) for number in sizes.split(",")]
        if name and is_given and min(numbers) > 0:
            return name, numbers if "," in sizes else numbers[0]
    raise argparse.ArgumentTypeError(f"{text!r} is not a size, N=4, or a shape, x=1,3,8,8")
