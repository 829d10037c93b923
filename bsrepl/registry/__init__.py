"""What a plugin is, where plugins are kept, how they are registered and found."""
