"""Ways of knowing the transformations of QONNX, each a program that measures itself."""
