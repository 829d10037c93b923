"""What models are executed on: values that people give, and values that are generated."""
