"""What is held of code that was executed again follows, or is named."""
