"""The front page, the first steps on it, and the tour."""
