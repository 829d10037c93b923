"""A step, which uses preloaded names. Try it:

>>> m = load("mnist-conv")
>>> m = steps.tidy(m)
12 -> 11 nodes
m: tidy  mnist-conv   12 -> 11 nodes   1 rewrite, 1 edited, 10 untouched   5,998 -> 5,996 parameters
  ...
  OK  same outputs: ...
"""


@step(category="cleanup")
def tidy(model, cfg=None):
    """Infers shapes, folds constants and removes identities; prints the number of nodes before and after."""
    before = len(model.graph.node)
    for transformation in (tfm.InferShapes, tfm.FoldConstants, tfm.RemoveIdentity):
        model = model.transform(transformation())
    print(f"{before} -> {len(model.graph.node)} nodes")
    return model
