"""A shell in a process of its own, in which packages under development are imported from the folders in PYTHONPATH.

    python -m tests.reload.package_session

Reads a command as JSON from each line of standard input, and answers with what was printed, as JSON.
"""

from __future__ import annotations

import io
import json
import sys
import time

from bsrepl.models.process.executor import Executor
from bsrepl.registry.store import registry
from bsrepl.reload.imports.development import Development
from bsrepl.shell.assembly import console
from bsrepl.shell.settings import Settings
from bsrepl.text.terminal import Terminal


def main(paths: list[str]) -> None:
    out = io.StringIO()
    terminal = Terminal(out, color=False)
    ahead = 0

    def now() -> int:
        return time.time_ns() + ahead

    settings = Settings(now=now, shows_time=False, development=Development())
    built = console(registry, paths, terminal, terminal, Executor(), settings)
    built.session.install()
    for line in sys.stdin:
        position = out.tell()
        command = json.loads(line)
        if isinstance(command, (int, float)):  # the clock is put forward
            ahead += int(command * 1e9)
        else:
            built.run(command)
        print(json.dumps(out.getvalue()[position:]), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
