"""The house rules of ARCHITECTURE.md and CONTRIBUTING.md, held by machine; there is no exception list."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FILE_LINES = 400
FUNCTION_LINES = 60
FLOORS = ["signaling", "recorder", "streaming", "bandwidth"]  # each imports only what stands after it
CLOCKS_AND_IO = {
    "time",
    "datetime",
    "random",
    "asyncio",
    "os",
    "socket",
    "pathlib",
    "threading",
    "subprocess",
    "secrets",
}
BRACE_FUNCTION = re.compile(
    r"^(?P<indent>\s*)(?:"
    r"(?:pub(?:\([^)]*\))? )?(?:const |async |unsafe )*fn \w+"  # Rust
    r"|(?:export )?(?:default )?(?:async )?function\*? ?\w*"  # TypeScript
    r"|(?:export )?(?:const|let) \w+(?:: [^=]+)? = (?:async )?\("  # TypeScript arrow
    r")"
)


def tracked(*suffixes: str) -> list[Path]:
    """Files that git knows, or would add, with one of these endings."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    paths = (ROOT / name for name in listed.split("\0") if name.endswith(suffixes))
    return sorted(path for path in paths if path.is_file())


def relative(path: Path) -> str:
    """The path as people write it."""
    return str(path.relative_to(ROOT))


def code_lines(lines: list[str]) -> int:
    """Lines that are neither blank nor a comment alone, as clippy counts them."""
    stripped = (line.strip() for line in lines)
    return sum(1 for line in stripped if line and not line.startswith(("//", "#")))


def python_functions(path: Path) -> Iterator[tuple[str, int]]:
    """Name and length of each function; its docstring does not count."""
    text = path.read_text()
    lines = text.splitlines()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            start = node.lineno
            if ast.get_docstring(node) is not None and len(node.body) > 1:
                start = node.body[0].end_lineno or start
            yield node.name, code_lines(lines[start - 1 : node.end_lineno])


def brace_functions(path: Path) -> Iterator[tuple[str, int]]:
    """Name and length of each Rust or TypeScript function, found by its indentation."""
    lines = path.read_text().splitlines()
    for number, line in enumerate(lines):
        match = BRACE_FUNCTION.match(line)
        if match is None or line.rstrip().endswith((";", "}")):
            continue
        closing = re.compile(re.escape(match["indent"]) + r"[})]")
        body = next(
            (
                i
                for i in range(number + 1, len(lines))
                if closing.match(lines[i]) and not lines[i].rstrip().endswith("{")
            ),
            number,
        )
        yield line.strip(), code_lines(lines[number : body + 1])


def imports_of(path: Path) -> Iterator[str]:
    """Every module that a Python file imports, also inside functions."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", tracked(".py", ".pyi", ".rs", ".ts", ".vue"), ids=relative)
def test_a_file_stays_under_the_ceiling(path: Path) -> None:
    length = len(path.read_text().splitlines())
    assert length <= FILE_LINES, f"{relative(path)} has {length} lines: split it by concept"


@pytest.mark.parametrize("path", tracked(".py", ".rs", ".ts", ".vue"), ids=relative)
def test_a_function_stays_under_the_ceiling(path: Path) -> None:
    functions = python_functions(path) if path.suffix == ".py" else brace_functions(path)
    long = [f"{name}: {length} lines" for name, length in functions if length > FUNCTION_LINES]
    assert not long, f"{relative(path)}: {long}"


@pytest.mark.parametrize("floor", FLOORS)
def test_a_floor_imports_only_what_is_below_it(floor: str) -> None:
    above = set(FLOORS[: FLOORS.index(floor)])
    for path in tracked(".py"):
        if path.relative_to(ROOT).parts[0] == floor:
            wrong = [name for name in imports_of(path) if name.split(".")[0] in above]
            assert not wrong, f"{relative(path)} imports upwards: {wrong}"


def test_the_media_plane_takes_its_policy_from_outside() -> None:
    for path in tracked(".py"):
        if path.relative_to(ROOT).parts[0] == "streaming":
            names = [name for name in imports_of(path) if name.startswith("bandwidth")]
            wrong = [name for name in names if name != "bandwidth" and not name.startswith("bandwidth.columns")]
            assert not wrong, f"{relative(path)} imports {wrong}: only bandwidth.columns is allowed"


def test_policy_reads_no_clock_and_does_no_io() -> None:
    for path in tracked(".py"):
        if path.relative_to(ROOT).parts[0] == "bandwidth":
            wrong = {name.split(".")[0] for name in imports_of(path)} & CLOCKS_AND_IO
            assert not wrong, f"{relative(path)} imports {wrong}: time is an argument"


def test_crates_below_net_read_no_clock_and_open_nothing() -> None:
    words = re.compile(r"Instant::now|SystemTime|std::net::(Udp|Tcp)|std::thread|std::fs|libc::")
    for path in tracked(".rs"):
        parts = path.relative_to(ROOT).parts
        if parts[:2] == ("streaming", "core") and parts[2] in {"sim", "wire", "sfu", "netem"} and "src" in parts:
            if path.stem == "tests" or path.stem.startswith("test_") or path.stem.endswith("_tests"):
                continue  # modules of tests alone
            code = path.read_text().split("#[cfg(test)]")[0]
            assert not words.search(code), f"{relative(path)} touches the outside world"


@pytest.mark.parametrize("path", tracked(".md"), ids=relative)
def test_links_in_the_documents_resolve(path: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text()):
        if re.match(r"[a-z]+:", target) or target.startswith("#"):
            continue
        assert (path.parent / target.split("#")[0]).exists(), f"{relative(path)} links to {target}"


def documented_commands() -> list[str]:
    """Every line of a code block in the documents that a reader might type."""
    lines: list[str] = []
    for path in tracked(".md"):
        for block in re.findall(r"```(?:sh|bash|console|shell)?\n(.*?)```", path.read_text(), re.DOTALL):
            lines += [line.strip().removeprefix("$ ") for line in block.splitlines()]
    return lines


def test_commands_in_the_documents_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for line in documented_commands():
        if match := re.match(r"make ([a-z-]+)", line):
            assert match[1] in targets, f"`{line}`: no such target"
        if match := re.search(r"python3? -m ((?:benchmarks|tests|recorder|streaming|signaling)[\w.]*)", line):
            module = ROOT / match[1].replace(".", "/")
            assert module.with_suffix(".py").exists() or (module / "__main__.py").exists(), f"`{line}`: no such module"


def test_nothing_tells_of_one_machine_or_of_a_registry() -> None:
    paths = re.compile(r"/(?:work/(?:main|wt|shared)|root/|home/[a-z]+/)")
    hosts = re.compile(
        r"(?:pypi\.org|files\.pythonhosted|registry\.npmjs|static\.crates\.io|deb\.debian\.org|proxy\.golang)"
    )
    for path in tracked(
        ".py", ".pyi", ".rs", ".ts", ".vue", ".md", ".toml", ".json", ".lock", ".in", ".yml", "Makefile", "run"
    ):
        if path == Path(__file__) or path.name == "Cargo.lock":  # Cargo always names its index
            continue
        text = path.read_text()
        found = paths.search(text) or hosts.search(text)
        assert found is None, f"{relative(path)} says {found and found[0]}"
