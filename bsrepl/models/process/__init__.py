"""The other process, in which models are executed."""
