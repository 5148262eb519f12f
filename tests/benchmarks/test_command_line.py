"""What the measuring programs say about themselves."""

from __future__ import annotations

import subprocess
import sys

import pytest

NAMES = (
    "first_load",
    "forward",
    "joins",
    "crash",
    "lesson",
    "links",
    "links.plots",
    "links.record",
    "simulator",
    "sound",
)


@pytest.mark.parametrize("name", NAMES)
def test_help_shows_examples(name: str) -> None:
    words = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{name}", "--help"], check=True, capture_output=True, text=True
    ).stdout
    assert f"python -m benchmarks.{name} --" in words
