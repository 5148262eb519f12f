"""What a machine lacks is said in one line, before anything is built."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ("bash", "sort", "head", "cut", "tr")
# Each answers as the real program does when it is asked for its version, or for the modules that are needed.
PROGRAMS = {
    "python3": 'case "$2" in *version*) echo 3.11.2;; esac',
    "cargo": "echo cargo 1.95.0",
    "node": "echo v20.19.0",
    "npm": "true",
    "cc": "true",
    "git": "true",
}


def said(folder: Path, programs: dict[str, str], *arguments: str) -> tuple[int, str]:
    """Status and words of the preflight on a machine that has only these programs."""
    for tool in TOOLS:
        (folder / tool).symlink_to(str(shutil.which(tool)))
    for name, body in programs.items():
        (folder / name).write_text(f"#!/bin/bash\n{body}\n")
        (folder / name).chmod(0o755)
    done = subprocess.run(
        [str(folder / "bash"), str(ROOT / "scripts" / "preflight"), *arguments],
        env={"PATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("arguments", [(), ("tests",)])
def test_a_machine_that_has_everything_is_told_nothing(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    assert said(tmp_path, PROGRAMS, *arguments) == (0, "")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"cargo": None}, "cargo >= "),
        ({"cargo": "echo cargo 1.63.0"}, "cargo >= 1.89 (found 1.63.0)"),
        ({"node": "echo v18.13.0"}, "node >= 20.19 (found 18.13.0)"),
        ({"node": None, "npm": None}, "node >= 20.19, npm"),
        ({"python3": 'case "$2" in *version*) echo 3.9.2;; esac'}, "python3 >= 3.11 (found 3.9.2)"),
        ({"python3": 'case "$2" in *version*) echo 3.11.2;; *) exit 1;; esac'}, "python3-venv"),
        ({"cc": None}, "a C compiler (cc)"),
    ],
)
def test_what_is_missing_is_named_in_one_line(tmp_path: Path, change: dict[str, str | None], words: str) -> None:
    programs = {name: body for name, body in (PROGRAMS | change).items() if body is not None}
    status, line = said(tmp_path, programs)
    assert status == 1 and words in line and line.count("\n") == 1


def test_the_tests_need_more_and_say_so(tmp_path: Path) -> None:
    programs = PROGRAMS | {"cargo": '[ "$1" = --version ] && echo cargo 1.95.0'}
    del programs["git"]
    status, line = said(tmp_path, programs, "tests")
    assert status == 1 and "rustfmt, clippy, git" in line and line.count("\n") == 1
