"""Micro-lessons out of a recorded lesson: signals, boundaries, proposals, exact cuts (ARCHITECTURE.md)."""
