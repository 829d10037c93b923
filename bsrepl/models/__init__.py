"""Opening, executing, comparing and tracing models."""
