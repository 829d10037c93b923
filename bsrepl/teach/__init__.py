"""Lessons, the tour, recordings, the board and the measurement of discovery."""
