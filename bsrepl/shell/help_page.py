"""The page that `help()` prints."""

from __future__ import annotations

from collections.abc import Mapping

from ..text.styled import Text


def help_page(commands: Mapping[str, str]) -> Text:
    """What the shell preloads, and a line on each of its commands."""
    text: Text = [("bold", "Plugins\n"), ("", _REACHING), ("bold", "Commands\n")]
    widest = max(map(len, commands), default=0)
    for name, summary in commands.items():
        text += [("path", f"  {name}()".ljust(widest + 6)), ("", f"{summary}\n")]
    return [*text, ("bold", "Besides Python\n"), ("", _SYNTAX)]


_REACHING = """\
  tfm, kernels, backends, steps    tfm.FoldConstants, tfm["qonnx:FoldConstants"], tfm.qonnx.FoldConstants
  find, all                        tfm.find(stage="cleanup"), tfm.find("identity"), kernels.all()
  for_kernel                       backends.for_kernel("MVAU"), its default, and what is missing
  transform, kernel, backend, step, kernel_inference, framework_transform, plugin, register_op    the decorators
"""


_SYNTAX = """\
  x?  show(x)    x??  source(x)    !command  the system shell    command;  its value is not shown
"""
