"""Ctrl-C at random moments: after each the shell answers, and has everything that it held. By hand:

python -m tests.shell.soak --times 200 [--seed N]
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from pathlib import Path

from ..pty_session import PtySession

COMMANDS = [
    "while True: pass",
    "import time; time.sleep(30)",
    "input('? ')",
    "[n ** 2 for n in range(10 ** 9)]",
    "print('x\\n' * 10 ** 7)",
    "list(range(10 ** 7))",
    "!sleep 30",
    "import asyncio; await asyncio.sleep(30)",
    "import threading; threading.Event().wait(30)",
    "import subprocess; subprocess.run(['sleep', '30'])",
    "import select; select.select([], [], [], 30)",
    "def f(): f()\n\nf()",
    "m = load('mnist-conv'); m = m.transform(tfm.InferShapes())",
    "while True: m = load('mnist-conv').transform(tfm.FoldConstants())",
    "m = load('mnist-conv'); trace(m, [tfm.InferShapes(), tfm.FoldConstants(), tfm.LowerConvsToMatMul()])",
    "verify(load('mnist-conv'), load('mnist-conv'))",
    "passes(load('mnist-conv'))",
    "bench(1)",
    "steps.slow(None)",
    "tfm.find('i')",
    "tfm.all()",
    "frameworks()",
    "status(live=True)",
    "help()",
    "breakpoint()",
    "import sys; sys.stdin.read()",
    "raise KeyboardInterrupt",
    "retry('slow.py')",
    "1 / 0",
    "x = 5",
    "",
]
SLOW = "import time\n@step\ndef slow(model):\n    time.sleep(30)\ntime.sleep(0.3)\n"


def run(times: int, seed: int, folder: Path) -> None:
    """Sends so many Ctrl-C to one shell. Raises AssertionError if it stops answering."""
    rng = random.Random(seed)
    (folder / "slow.py").write_text(SLOW)
    shell = PtySession(".", cwd=folder)
    try:
        shell.expect(">>>", "tfm 65")
        shell.enter("held = 41")
        shell.enter("print('it', 'holds', held)")
        shell.expect("it holds 41")
        for number in range(times):
            command = rng.choice(COMMANDS)
            for line in command.split("\n"):
                shell.enter(line)
            pause = rng.choice([0, rng.random() / 10, rng.random()])
            time.sleep(pause)
            for _ in range(rng.choice([1, 1, 1, 2, 5])):
                shell.type("\x03")
            time.sleep(0.3)
            shell.type("\x03")
            if "breakpoint" in command:  # pdb takes Ctrl-C for its own
                for _ in range(2):
                    time.sleep(0.3)
                    shell.type("q\r")
            answer = f"answer {number} {41 + number}"
            shell.enter(f"print('answer', {number}, held + {number})")
            try:
                shell.expect(answer)
            except AssertionError as error:
                raise AssertionError(f"{number}: {command!r} after {pause:.3f} s: {error}") from None
    finally:
        shell.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run(options.times, options.seed, Path(folder))
    print(f"{options.times} Ctrl-C over {len(COMMANDS)} kinds of commands, seed {options.seed}: it answered each time")


if __name__ == "__main__":
    main()
