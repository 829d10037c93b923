"""A step, which uses preloaded names: steps.tidy(load("mnist-conv"))"""


@step(category="cleanup")
def tidy(model, cfg=None):
    """Infers shapes, folds constants and removes identities; prints the number of nodes before and after."""
    before = len(model.graph.node)
    for transformation in (tfm.InferShapes, tfm.FoldConstants, tfm.RemoveIdentity):
        model = model.transform(transformation())
    print(f"{before} -> {len(model.graph.node)} nodes")
    return model
