"""What changes on disk becomes one change of the registry, or is reported as a failure and changes nothing."""
