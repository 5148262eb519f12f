"""Headless ends: they come through the same door as people, with media from files or for measuring."""
