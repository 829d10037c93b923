"""QONNX's transformations, custom ops, build steps, analyses and sample models."""
