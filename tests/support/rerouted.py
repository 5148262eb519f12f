"""A browser's media through an emulated link of which the server knows nothing: its answers are changed on the way."""

from __future__ import annotations

import re

from playwright.async_api import Page, WebSocketRoute


async def answers_name(page: Page, media_port: int, port: int) -> None:
    """From now on the page is told that media is reached at this port of this machine alone, by UDP alone."""

    def changed(text: str) -> str:
        text = re.sub(r"a=candidate:[^\\]* tcp [^\\]*\\r\\n", "", text, flags=re.IGNORECASE)
        return re.sub(rf" \S+ {media_port} typ host", f" 127.0.0.1 {port} typ host", text)

    def route(ws: WebSocketRoute) -> None:
        server = ws.connect_to_server()
        server.on_message(lambda message: ws.send(changed(message) if isinstance(message, str) else message))

    await page.route_web_socket(re.compile(r"/ws$"), route)
