"""WHIP and WHEP from the client's side, spoken by aiortc: an independent peer for operators and tests (RFC 9725)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urljoin

import aiohttp
from aiortc import RTCPeerConnection, RTCSessionDescription

from signaling.ends.door import DoorPlan, Refused

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
        async with http.post(url, data=pc.localDescription.sdp, ssl=plan.trust()) as answer:
            if answer.status != 201:
                raise await _refusal(answer)
            session = urljoin(url, answer.headers["Location"])
            sdp = await answer.text()
        try:
            await pc.setRemoteDescription(RTCSessionDescription(sdp, "answer"))
            yield session
        finally:
            try:
                async with http.delete(session, ssl=plan.trust()):
                    pass
            except (aiohttp.ClientError, TimeoutError):
                pass  # the server is gone, and the session with it


async def _refusal(answer: aiohttp.ClientResponse) -> Refused:
    try:
        value = await answer.json(content_type=None)
        return Refused(value["code"], value["detail"])
    except (ValueError, KeyError, TypeError):
        return Refused(str(answer.status), SENTENCES.get(answer.status, answer.reason or "refused"))
