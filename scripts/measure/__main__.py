"""Measures, and tells.

    scripts/bench            a table, and bars of growth
    scripts/bench --json     {"machine": ..., "rows": [{"name", "value", "unit", "peer", "peer_value", "ratio", ...}]}
    scripts/bench --readme   into the README, with the JSON and the picture that belong to it

Times are medians of several runs; the spread is that of the middle half of them, as a share of the median.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from . import report
from .finding import discovering
from .graphs import diffing
from .keystrokes import completing, typing
from .machine import machine
from .picture import picture
from .reading import access
from .registries import commands, growing
from .reloads import depending, reloading, saving, watching
from .rows import Effort, Row
from .soak import soaking
from .startup import prompt

GROUPS: dict[str, Callable[[Effort], Iterator[Row]]] = {
    "prompt": prompt,
    "typing": typing,
    "completing": completing,
    "access": access,
    "growing": growing,
    "discovery": discovering,
    "watching": watching,
    "saving": saving,
    "reloading": reloading,
    "depending": depending,
    "soaking": soaking,
    "commands": commands,
    "diffing": diffing,
}
MEASURED = Path(__file__).parent.parent / "measured"  # growth.svg, rows.json
README = Path(__file__).parent.parent.parent / "README.md"


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Measures bsrepl beside its peers.")
    parser.add_argument("--json", action="store_true", help="for machines")
    parser.add_argument("--quick", action="store_true", help="fewer runs, and the largest sizes left out")
    parser.add_argument("--only", choices=GROUPS, metavar="NAME", help=", ".join(GROUPS))
    parser.add_argument("--readme", action="store_true", help="everything, into the README")
    options = parser.parse_args()
    if options.readme and (options.quick or options.only):
        parser.error("--readme tells everything, measured at leisure; leave out --quick and --only")
    rows: list[Row] = []
    for name, measure in GROUPS.items():
        if options.only in (None, name):
            print(f"{name} ...", file=sys.stderr, flush=True)
            rows += measure(Effort(options.quick))
    result = {"date": time.strftime("%Y-%m-%d"), "machine": machine(), "rows": [row.as_json() for row in rows]}
    if options.readme:
        MEASURED.mkdir(exist_ok=True)
        (MEASURED / "rows.json").write_text(json.dumps(result, indent=1) + "\n")
        (MEASURED / "growth.svg").write_text(picture(rows))
        README.write_text(report.placed(README.read_text(), report.markdown(result, rows)))
    if options.json:
        print(json.dumps(result, indent=2))
    else:
        print(report.table(rows))
        print(report.bars(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
