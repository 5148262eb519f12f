"""The ways in to this server over emulated links: which request came by which, and what its page must be told."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import structlog

from signaling.config import EmulatedLink
from signaling.emulator.datagrams import Address
from signaling.emulator.profiles import named_profile, profile_names
from signaling.emulator.relay import Relay
from signaling.messages import Links, Refused, ServerMessage

if TYPE_CHECKING:
    from streaming._core import LocalTransport

log = structlog.get_logger()
Say = Callable[[ServerMessage], None]


class Ways:
    """Empty in production. A page's way is known by the port that its `Host` names: who lies gets a port of ours
    that is open to everybody anyway."""

    def __init__(self, links: Iterable[EmulatedLink]) -> None:
        self._links = list(links)
        self._relays: dict[int, Relay] = {}
        self._profiles: dict[int, str] = {}
        self._foreign: set[int] = set()  # served by `zhuandi link`
        self._watchers: dict[Say, int | None] = {}

    async def start(self, host: str, https: Address, media: Address | None, addresses: list[str]) -> None:
        """Open them in front of the HTTPS and, where it is known, the media address; raises `OSError`."""
        for link in self._links:
            if not link.profile:
                self._foreign.add(link.port)
                continue
            seed = zlib.crc32(link.profile.encode())
            relay = Relay(named_profile(link.profile), https, host=host, addresses=addresses, seed=seed)
            await relay.start(link.port)
            if media is not None:  # sessions of before a restart of ours go on
                relay.media_port(media)
            self._relays[relay.port] = relay
            self._profiles[relay.port] = link.profile
            log.info("an emulated link is open", port=relay.port, profile=link.profile)

    async def stop(self) -> None:
        """Hang up."""
        for relay in self._relays.values():
            await relay.stop()

    def ports(self) -> dict[str, int]:
        """The first link of ours, as the banner shows it."""
        return {"link": next(iter(self._relays))} if self._relays else {}

    def watch(self, send: Say, own: int | None) -> None:
        """Tell this page now, and at each change, what the links are."""
        self._watchers[send] = own
        self._tell(send, own)

    def unwatch(self, send: Say) -> None:
        """The page is gone."""
        self._watchers.pop(send, None)

    def of_host(self, host: str) -> int | None:
        """The link by which a request for `host` came, by its port."""
        port = host.rpartition(":")[2]
        known = {str(number): number for number in (*self._relays, *self._foreign)}
        return known.get(port)

    def through(self, way: int | None, local: LocalTransport) -> LocalTransport:
        """What an answer over this link names: its own ports instead of the media process's. Raises `Refused`."""
        if way is None:
            return local
        relay = self._relays.get(way)
        first = next((c for c in local["candidates"] if c["protocol"] == "udp"), None)
        if first is None:
            return local
        try:
            port = way if relay is None else relay.media_port((first["address"], first["port"]))
        except OSError as error:
            raise Refused("internal", f"the emulated link has no port for media: {error}") from None
        # TCP to our number goes to the first media address alone.
        named = [c for c in local["candidates"] if c["protocol"] == "udp" or port == way]
        return {**local, "candidates": [{**c, "port": port} for c in named]}

    def choose(self, way: int, profile: str) -> None:
        """Make a link another one; raises `Refused`."""
        relay = self._relays.get(way)
        if relay is None:
            raise Refused("forbidden", "there is no such emulated link here")
        try:
            relay.bucket.set_profile(named_profile(profile))
        except ValueError as error:
            raise Refused("bad_message", str(error)) from None
        self._profiles[way] = profile
        log.info("an emulated link has changed", port=way, profile=profile)
        for send, own in list(self._watchers.items()):
            self._tell(send, own)

    def _tell(self, send: Say, own: int | None) -> None:
        if self._profiles:
            links = [{"link": port, "profile": name} for port, name in self._profiles.items()]
            send(Links(links, own, profile_names()))
