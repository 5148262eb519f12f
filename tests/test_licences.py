"""What we build in may be shipped: every Rust crate is under a permissive licence, and comes from one place."""

from __future__ import annotations

import json
import re
import subprocess
from typing import Any

from tests.support.server import ROOT

PERMISSIVE = {
    "0BSD", "Apache-2.0", "BSD-1-Clause", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "CC0-1.0", "CDLA-Permissive-2.0",
    "ISC", "MIT", "MIT-0", "OpenSSL", "Unicode-3.0", "Unlicense", "Zlib",
}  # fmt: skip


def crates() -> list[dict[str, Any]]:
    """Every crate of the lock file that is built on this machine."""
    command = ["cargo", "metadata", "--locked", "--format-version", "1", "--filter-platform", host()]
    done = subprocess.run(command, cwd=ROOT / "streaming" / "core", check=True, capture_output=True, text=True)
    packages: list[dict[str, Any]] = json.loads(done.stdout)["packages"]
    return packages


def host() -> str:
    """The platform as Rust calls it."""
    said = subprocess.run(["rustc", "-vV"], check=True, capture_output=True, text=True).stdout
    match = re.search(r"^host: (.*)$", said, re.MULTILINE)
    assert match is not None
    return match[1]


def allowed(expression: str) -> bool:
    """Whether an SPDX expression can be met with permissive licences alone."""
    expression = re.sub(r" WITH [\w.-]+", "", expression.replace("/", " OR "))
    words = re.sub(r"[\w.+-]+", lambda m: m[0] if m[0] in {"AND", "OR"} else str(m[0] in PERMISSIVE), expression)
    return bool(eval(words.replace("AND", "and").replace("OR", "or"), {"__builtins__": {}}))


def test_expressions_are_read_as_spdx_means_them() -> None:
    assert allowed("MIT OR GPL-3.0-only")
    assert allowed("(MIT OR Apache-2.0) AND Unicode-3.0")
    assert allowed("Apache-2.0 WITH LLVM-exception")
    assert not allowed("MIT AND GPL-3.0-only")
    assert not allowed("AGPL-3.0-or-later")


def test_every_crate_is_permissive_and_from_the_registry() -> None:
    for crate in crates():
        name = f"{crate['name']} {crate['version']}"
        assert crate["source"] is None or crate["source"].startswith("registry+"), (
            f"{name} comes from {crate['source']}"
        )
        assert crate["license"], f"{name} names no licence"
        assert allowed(crate["license"]), f"{name} is under {crate['license']}"
