"""Headless ends and what they play."""
