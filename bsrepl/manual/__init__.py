"""The manual: Markdown pages, each a lesson that a test plays."""
