"""stevedore reads the metadata of every distribution, through a cache of its own; QONNX publishes none."""

# ruff: noqa: E402
import time

start = time.perf_counter()
from stevedore import ExtensionManager

found = ExtensionManager("bsrepl.plugins").names() + ExtensionManager("brainsmith.plugins").names()
parts = {"list": time.perf_counter() - start}

import json

print(json.dumps([len(found), parts]))
