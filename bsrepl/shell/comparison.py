"""The report of `--diff`: what differs of models, whether they compute the same, and the status that says so."""

from __future__ import annotations

import argparse
import json
import os
import sys
import warnings
from collections.abc import Callable

from ..errors import BsreplError
from ..models.model_diff import ModelDiff
from ..models.series import Series
from ..text.terminal import Terminal

_AGREE, _DIFFERENT, _UNREADABLE, _UNPROVEN = range(4)


def run(diff: Callable[..., ModelDiff | Series], options: argparse.Namespace, out: Terminal) -> int:
    """Compares the models of the command line, with the shell's `diff`, and prints the report. Returns the status.

    That is 2, with the reason on stderr, if the models or their inputs cannot be read.
    """
    if os.devnull in options.diff:  # as git has it for a file that is new, or deleted
        others = " ".join(path for path in options.diff if path != os.devnull)
        print(f"bsrepl: there is nothing to compare {others} with: it is new, or deleted", file=sys.stderr)
        return _UNREADABLE
    try:
        return _compared(diff, options, out)
    except BrokenPipeError:  # whoever read the report has gone
        return _UNREADABLE
    except (BsreplError, OSError) as error:
        print(f"bsrepl: {error}", file=sys.stderr)
        return _UNREADABLE


def _compared(diff: Callable[..., ModelDiff | Series], options: argparse.Namespace, out: Terminal) -> int:
    shapes = dict(options.shapes) or None
    with warnings.catch_warnings(record=True) as messages:
        warnings.simplefilter("always")
        result = diff(*options.diff, inputs=options.inputs, shapes=shapes, tolerance=options.tolerance)
    for message in dict.fromkeys(str(message.message) for message in messages):
        print(f"bsrepl: {message}", file=sys.stderr)
    if options.json:
        print(json.dumps({"status": status(result, options.strict), **result.to_dict()}, indent=2))
    else:
        out.write(result.styled(out.width, not options.no_timing))
    return status(result, options.strict)


def status(result: ModelDiff | Series, is_strict: bool) -> int:
    """0 if the outputs agree, 1 if they do not, or, `is_strict`, the graphs do not, 3 if that is unproven."""
    if any(verdict.is_wrong for verdict in result.verdicts) or (is_strict and result.has_changes):
        return _DIFFERENT
    return _AGREE if all(result.verdicts) else _UNPROVEN
