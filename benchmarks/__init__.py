"""Figures of the whole house, measured on real parts: `python -m benchmarks.NAME --json`."""
