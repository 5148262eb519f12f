"""The measuring programs at their smallest."""
