"""WHIP and WHEP from the client's side, spoken by aiortc: an independent peer for operators and tests (RFC 9725)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urljoin

import aiohttp
from aiortc import RTCPeerConnection, RTCSessionDescription

from signaling.ends.door import DoorPlan, Refused

PATIENCE_S = 10.0
TIMEOUT = aiohttp.ClientTimeout(total=15)
SENTENCES = {
    401: "the token is not valid (expired, or not from this server)",
    403: "the token does not allow this",
    404: "there is no such lesson",
    409: "nobody publishes in this lesson yet, or somebody else does",
    410: "the lesson is closed",
    503: "the server is full or not ready",
}


@asynccontextmanager
async def http_session(plan: DoorPlan, endpoint: str, pc: RTCPeerConnection) -> AsyncIterator[str]:
    """Offer what `pc` has and take the answer; yields the session's URL, which is deleted at exit. Raises `Refused`."""
    await pc.setLocalDescription(await pc.createOffer())
    headers = {"Authorization": f"Bearer {plan.token}", "Content-Type": "application/sdp"}
    url = plan.url.rstrip("/") + endpoint
    async with aiohttp.ClientSession(timeout=TIMEOUT, headers=headers) as http:
        session, sdp = await _post(http, plan, url, pc.localDescription.sdp)
        try:
            await pc.setRemoteDescription(RTCSessionDescription(sdp, "answer"))
            yield session
        finally:
            try:
                async with http.delete(session, ssl=plan.trust()):
                    pass
            except (aiohttp.ClientError, TimeoutError):
                pass  # the server is gone, and the session with it


async def _post(http: aiohttp.ClientSession, plan: DoorPlan, url: str, offer: str) -> tuple[str, str]:
    """The session's URL and the answer; waits a while for somebody to publish."""
    clock = asyncio.get_running_loop().time
    deadline_s = clock() + PATIENCE_S
    while True:
        async with http.post(url, data=offer, ssl=plan.trust()) as answer:
            if answer.status == 201:
                return urljoin(url, answer.headers["Location"]), await answer.text()
            pause = answer.headers.get("Retry-After", "")
            if answer.status != 409 or not pause.isdigit() or clock() > deadline_s:
                raise await _refusal(answer)
        await asyncio.sleep(min(float(pause), 1.0))


async def _refusal(answer: aiohttp.ClientResponse) -> Refused:
    try:
        value = await answer.json(content_type=None)
        return Refused(value["code"], value["detail"])
    except (ValueError, KeyError, TypeError):
        return Refused(str(answer.status), SENTENCES.get(answer.status, answer.reason or "refused"))
