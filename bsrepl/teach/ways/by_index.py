"""What bsrepl does; its index is kept in the folder that is the first argument."""

# ruff: noqa: E402, I001
import sys
import time

start = time.perf_counter()
from pathlib import Path
from bsrepl import tfm
from bsrepl.frameworks.catalogue import Installed
from bsrepl.registry.store import registry

imported = time.perf_counter()
Installed(registry, Path(sys.argv[1], "index.json"))
found = set(tfm.qonnx)
looked = time.perf_counter()
parts = {"import bsrepl": imported - start, "list QONNX": looked - imported}

import json

print(json.dumps([len(found), parts]))
