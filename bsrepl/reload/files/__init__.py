"""What is on disk, whether it has changed, and whether it may be executed."""
