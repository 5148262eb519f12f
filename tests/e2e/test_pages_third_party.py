"""No page, script, style or answer of ours names a third party's address, and the policy would refuse one anyway."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urldefrag, urlsplit

import pytest
from playwright.async_api import Browser, BrowserContext, Page, Response

from signaling.web.pages import PAGES
from tests.support.browser import eventually
from tests.support.server import Server, make_token

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]
# Names inside documents and standards, which no browser ever asks for.
NAMES = re.compile(r"https?://(?:www\.w3\.org|vuejs\.org)/")
ADDRESS = re.compile(
    r"(?:https?:|wss?:|stuns?:|turns?:)?//(?!www\.w3)[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,}|\bstuns?:|\bturns?:"
)
TEXTS = ("text/", "application/json", "application/javascript", "image/svg+xml", "application/manifest+json")
OWN_SOURCES = {"'self'", "'none'", "data:", "blob:"}
LINKS = """() => [...document.querySelectorAll('[href], [src], [action]')]
  .map((one) => one.href?.baseVal ?? one.href ?? one.src ?? one.action)"""


class Crawl:
    """Follows every link from every page with the operator's eyes; what was asked for and said on the way."""

    def __init__(self, context: BrowserContext, server: Server) -> None:
        self._context = context
        self._server = server
        self.hosts: set[str] = set()
        self.pages: set[str] = set()
        self.links: set[str] = set()
        self.texts: dict[str, str] = {}
        self.policies: dict[str, str] = {}
        self._reading: set[asyncio.Task[None]] = set()
        context.on("request", lambda request: self.hosts.add(urlsplit(request.url).netloc or "data"))
        context.on("response", self._noted)

    def _noted(self, response: Response) -> None:
        task = asyncio.create_task(self._read(response))
        self._reading.add(task)
        task.add_done_callback(self._reading.discard)

    async def _read(self, response: Response) -> None:
        if response.url.startswith(("data:", "blob:")):
            return
        headers = await response.all_headers()
        self.policies[response.url] = headers.get("content-security-policy", "")
        if headers.get("content-type", "").startswith(TEXTS) and response.status == 200:
            self.texts[response.url] = await response.text()

    async def run(self) -> None:
        """Until every link was followed."""
        waiting = [f"{self._server.url}/{'' if name == 'index' else name}" for name in PAGES]
        token = make_token("operator", None)
        while waiting:
            url = waiting.pop()
            if url in self.pages:
                continue
            self.pages.add(url)
            page = await self._context.new_page()
            await page.goto(f"{url}#token={token}")
            await page.locator("#app *").first.wait_for()
            for tab in await page.get_by_role("tab").all():
                await tab.click()
            found = [urldefrag(link).url for link in await page.evaluate(LINKS) if link]
            self.links.update(found)
            waiting += [link for link in found if self._is_page(link)]
            await page.close()
        await asyncio.gather(*self._reading)

    def _is_page(self, link: str) -> bool:
        parts = urlsplit(link)
        return f"{parts.scheme}://{parts.netloc}" == self._server.url and "." not in parts.path.rsplit("/", 1)[-1]


@asynccontextmanager
async def crawled(browser: Browser, server: Server) -> AsyncIterator[Crawl]:
    context = await browser.new_context(ignore_https_errors=True, locale="zh-CN")
    crawl = Crawl(context, server)
    await crawl.run()
    yield crawl
    await context.close()


async def test_nothing_of_ours_names_a_third_party(browser: Browser, server: Server) -> None:
    async with crawled(browser, server) as crawl:
        own = urlsplit(server.url).netloc
        assert len(crawl.pages) >= len(PAGES)
        assert crawl.hosts <= {own, "data"}, crawl.hosts
        assert {urlsplit(link).netloc for link in crawl.links if not link.startswith(("data:", "blob:"))} <= {own}
        assert any(url.endswith(".js") for url in crawl.texts) and any(url.endswith(".css") for url in crawl.texts)
        named = {url: ADDRESS.findall(NAMES.sub("", text)) for url, text in crawl.texts.items()}
        assert {url: found for url, found in named.items() if found} == {}
        for url, policy in crawl.policies.items():
            sources = [source for directive in policy.split(";") for source in directive.split()[1:]]
            assert policy, url
            allowed = OWN_SOURCES | {f"wss://{own}"}
            assert set(sources) <= allowed | {"'unsafe-inline'"}, url
            scripts = next((one for one in policy.split(";") if one.split()[:1] == ["script-src"]), "")
            assert "'unsafe-inline'" not in scripts and "default-src 'self';" in policy


VIOLATION = """(url) => new Promise((resolve) => {
  document.addEventListener('securitypolicyviolation', (event) => resolve(event.effectiveDirective), { once: true })
  if (url.startsWith('wss:')) try { new WebSocket(url) } catch { /* refused at once */ }
  else fetch(url, { mode: 'no-cors' }).catch(() => undefined)
})"""


OPENED = """(url) => new Promise((resolve) => {
  const socket = new WebSocket(url)
  socket.onopen = () => resolve(true)
  socket.onerror = () => resolve(false)
})"""


async def test_the_policy_refuses_a_stranger_and_lets_our_own_socket_pass(browser: Browser, server: Server) -> None:
    context = await browser.new_context(ignore_https_errors=True)
    page: Page = await context.new_page()
    await page.goto(server.url)
    for url in ("https://192.0.2.1/pixel", "wss://192.0.2.1/ws"):
        assert await page.evaluate(VIOLATION, url) == "connect-src"
    own = f"wss://{urlsplit(server.url).netloc}/ws"
    await eventually(lambda: page.evaluate(OPENED, own), bool)
    await context.close()
