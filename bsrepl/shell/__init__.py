"""The command line, the console and its commands."""
