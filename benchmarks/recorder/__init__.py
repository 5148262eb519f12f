"""What becomes of a recorded lesson, measured: `python -m benchmarks.recorder --json`."""
