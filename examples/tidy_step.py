"""A step, which uses what is preloaded: steps.tidy(load("mnist-conv"))"""


@step(category="cleanup")
def tidy(model, cfg=None):
    """Infers shapes, folds constants and removes identities; says how many nodes are left."""
    before = len(model.graph.node)
    for each in (tfm.InferShapes, tfm.FoldConstants, tfm.RemoveIdentity):
        model = model.transform(each())
    print(f"{before} -> {len(model.graph.node)} nodes")
    return model
