"""Any model is compared and drawn, however damaged."""

from __future__ import annotations

import json
import random

import pytest
from onnx import ModelProto

from bsrepl.drawing import page
from bsrepl.drawing.report import difference_drawing, model_drawing
from bsrepl.graphdiff.defects import defects
from bsrepl.graphdiff.difference import between
from bsrepl.graphdiff.viewing import view

from ..graphdiff.test_difference import BODY, CHAIN, THEN, VALUES, graph, with_branches
from ..graphdiff.test_words import as_nodes, local, sparse
from ..models.test_hostile_models import mutate
from .graphs import random_graph


def constant_nodes() -> ModelProto:
    model = graph(CHAIN, **VALUES)
    as_nodes(model)
    return model


MODELS = [with_branches(THEN, BODY), local("Exp", "Tanh"), sparse(1, 2, 3), constant_nodes(),
          random_graph(random.Random(0), 12)[0]]  # fmt: skip


def damaged(rng: random.Random) -> ModelProto | None:
    model = ModelProto.FromString(rng.choice(MODELS).SerializeToString())
    for _ in range(rng.randrange(1, 6)):
        mutate(rng, model)
    try:
        model.SerializeToString()
    except ValueError:  # protobuf itself refuses it
        return None
    return model


@pytest.mark.parametrize("seed", range(24))
def test_a_damaged_model_is_compared_and_drawn(seed: int) -> None:
    rng = random.Random(seed)
    before, after = damaged(rng), damaged(rng)
    if before is None or after is None:
        return
    for old, new in ((before, after), (MODELS[0], after), (after, after)):
        difference = between(old, new)
        assert str(difference)
        assert json.dumps(difference.to_dict())
        assert len(defects(difference)) < 100
        difference_drawing(difference, 80, None)
        assert page.svg(page.of_change(difference, "change"), "made")
    assert model_drawing(after, rng.choice((40, 100)), rng.choice((None, 20)))
    assert page.html(page.of_model(view(after), "model"), "made")
