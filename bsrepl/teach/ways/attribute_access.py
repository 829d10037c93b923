"""A reading of an attribute, in seconds: of a namespace and of a plain object."""

# ruff: noqa: E402, I001
import timeit
from bsrepl import tfm
from bsrepl.frameworks.catalogue import Installed
from bsrepl.registry.store import registry

Installed(registry, None)


class Plain:
    FoldConstants: object


plain = Plain()
plain.FoldConstants = tfm.FoldConstants
found = [tfm.FoldConstants]
ten = "; ".join(["thing.FoldConstants"] * 10)
parts = {
    name: min(timeit.repeat(ten, globals={"thing": thing}, number=20_000, repeat=5)) / 200_000
    for name, thing in (("tfm.X", tfm), ("plain attribute", plain))
}

import json

print(json.dumps([len(found), parts]))
