"""The command line and the words that all benchmarks share."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping


def parser(name: str, summary: str, examples: tuple[str, ...]) -> argparse.ArgumentParser:
    """A command line with examples and `--json`."""
    lines = "\n".join(f"  python -m benchmarks.{name} {example}".rstrip() for example in examples)
    made = argparse.ArgumentParser(
        prog=f"python -m benchmarks.{name}",
        description=summary,
        epilog=f"examples:\n{lines}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    return made


def positive(text: str) -> int:
    """An argument that is a whole number above 0."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("a whole number above 0")
    return value


def progress(words: str) -> None:
    """What goes on, on standard error."""
    print(words, file=sys.stderr, flush=True)


def show(figures: Mapping[str, float], *, as_json: bool, words: Mapping[str, str]) -> None:
    """Print the figures; `words` explains each in the table."""
    if as_json:
        print(json.dumps(figures))
        return
    width = max(len(name) for name in figures)
    for name, value in figures.items():
        print(f"{name:<{width}}  {value:>10g}  {words[name]}")
