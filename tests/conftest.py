"""The order of all tests, and fixtures of the whole-house tests: a running server, a lesson in it, browsers."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, settings
from playwright.async_api import Browser

from signaling.ends.demo_media import LessonMedia
from tests.support.browser import chromium
from tests.support.media import make_camera, make_microphone
from tests.support.played import small_lesson
from tests.support.server import Server

# How long an example takes says how busy the machine is, and nothing about the code.
settings.register_profile("house", parent=settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")

TESTS = Path(__file__).parent
# What needs a whole server, browsers or minutes comes last: whoever broke something small is told at once.
LAST = ("recorder", "benchmarks", "interop", "e2e")
# Fixtures of the loop that outlives a test; whoever asks for one runs in it.
SHARED = {"browser", "lesson"}


def place(path: Path) -> int:
    """Where the tests of a file come in the order: files of other folders first, those of `LAST` in its order."""
    folder = path.relative_to(TESTS).parts[0]
    return LAST.index(folder) + 1 if folder in LAST else 0


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Fast tests first, otherwise the order stays; on a person's own machine without root, no network namespaces."""
    items.sort(key=lambda item: place(item.path))
    for item in items:
        # One loop for all that share a browser; whatever else a test awaits keeps a loop of its own.
        if SHARED.intersection(getattr(item, "fixturenames", ())) and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)
    if os.geteuid() != 0 and "CI" not in os.environ:
        left_out = [item for item in items if item.get_closest_marker("netns")]
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests that leave it standing."""
    with Server(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Server]:
    """A server that the test may kill."""
    with Server(tmp_path) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def lesson(server: Server) -> dict[str, Any]:
    """A new lesson on the shared server."""
    return await server.create_lesson()


@pytest.fixture(scope="session")
def camera_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the browsers' camera shows."""
    return make_camera(tmp_path_factory.mktemp("media") / "camera.mjpeg")


@pytest.fixture(scope="session")
def microphone_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the browsers' microphone hears."""
    return make_microphone(tmp_path_factory.mktemp("media") / "microphone.wav")


@pytest.fixture(scope="session")
def media(tmp_path_factory: pytest.TempPathFactory) -> LessonMedia:
    """What a headless teacher sends: seconds that repeat."""
    return small_lesson(tmp_path_factory.mktemp("media"))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromiums(camera_file: Path, microphone_file: Path) -> AsyncIterator[Callable[[], Awaitable[Browser]]]:
    """Gives the one Chromium of all tests, or another where it has fallen."""
    async with AsyncExitStack() as stack:
        running: list[Browser] = []

        async def standing() -> Browser:
            if not (running and running[-1].is_connected()):
                running.append(await stack.enter_async_context(chromium(camera_file, microphone_file)))
            return running[-1]

        yield standing


@pytest_asyncio.fixture(loop_scope="session")
async def browser(chromiums: Callable[[], Awaitable[Browser]]) -> AsyncIterator[Browser]:
    """A Chromium without a page; each page of a test has a profile of its own, and goes with it."""
    running = await chromiums()
    yield running
    for context in running.contexts:
        await context.close()
