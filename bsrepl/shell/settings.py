"""What the host of a session decides about it: the command line, a program, a notebook, a test."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from ..reload.imports.development import Development


class Settings(NamedTuple):
    """How a session behaves; what is left out is as in a plain one."""

    clock: Callable[[], float] = time.perf_counter  # seconds; measures how long things take
    now: Callable[[], int] = time.time_ns  # the wall clock, compared with the times of files
    thaw: Callable[[], object] = gc.unfreeze  # before a look for what holds old code: that may have been frozen
    shows_time: bool = True  # whether the time of a command is printed
    trusting: bool = False  # whether files are executed that somebody else may have written
    plain_qonnx: bool = False  # whether QONNX stays as it is while commands run, instead of being made linear
    index_file: Path | None = None  # keeps what was read of installed packages
    keep_error: Callable[[BaseException], None] = lambda error: None  # records an internal error for a report
    development: Development | None = None  # which packages are followed as their files change; None: no package
    module: ModuleType | None = None  # that of a host whose names commands see; None: they have one of their own
