"""Datagrams through the bucket: for each peer outside a socket of its own inside, as a NAT has."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from functools import partial
from typing import Any

from signaling.emulator.bucket import Bucket

HEADERS = 28  # IPv4 and UDP
MAX_BYTES = 2048
BATCH = 32
MAX_PEERS = 64
IDLE_S = 60.0
Address = tuple[str, int]


def open_sockets(addresses: list[str], port: int) -> list[socket.socket]:
    """UDP sockets on one number at these addresses, or at all where one is not of this machine; raises `OSError`."""
    try:
        return _bound(addresses, port)
    except OSError:
        return _bound(["0.0.0.0", "::"] if socket.has_ipv6 else ["0.0.0.0"], port)


def _bound(addresses: list[str], port: int) -> list[socket.socket]:
    with contextlib.ExitStack() as failed:
        opened: list[socket.socket] = []
        for address in addresses:
            sock = failed.enter_context(_socket(address))
            sock.bind((address, port))
            port = sock.getsockname()[1]
            opened.append(sock)
        failed.pop_all()
        return opened


def _socket(address: str) -> socket.socket:
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    sock.setblocking(False)
    if sock.family is socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    return sock


class _Peer:
    """One address outside, and our socket towards the target."""

    def __init__(self, outside: socket.socket, address: Any, target: Address, heard_s: float) -> None:
        self.outside = outside
        self.address = address
        self.heard_s = heard_s
        self.inside = _socket(target[0])
        self.inside.connect(target)

    def to_target(self, data: bytes) -> None:
        """As a network would: what cannot be sent is lost."""
        with contextlib.suppress(OSError):
            self.inside.send(data)

    def to_peer(self, data: bytes) -> None:
        """The same, outwards."""
        with contextlib.suppress(OSError):
            self.outside.sendto(data, self.address)


class DatagramRelay:
    """Forwards between `sockets` and one target until `close`."""

    def __init__(self, bucket: Bucket, sockets: list[socket.socket], target: Address) -> None:
        self._bucket = bucket
        self._sockets = sockets
        self._target = target
        self._peers: dict[Any, _Peer] = {}
        self._loop = asyncio.get_running_loop()
        for sock in sockets:
            self._loop.add_reader(sock.fileno(), self._from_peers, sock)
        self.port: int = sockets[0].getsockname()[1]

    def close(self) -> None:
        """Forget everybody."""
        for sock in self._sockets:
            self._loop.remove_reader(sock.fileno())
            sock.close()
        for key in list(self._peers):
            self._forget(key)

    def _from_peers(self, sock: socket.socket) -> None:
        for data, address in _read(sock):
            peer = self._peers.get(address) or self._meet(sock, address)
            if peer is not None:
                peer.heard_s = self._loop.time()
                self._bucket.up.send(len(data) + HEADERS, partial(peer.to_target, data))

    def _meet(self, sock: socket.socket, address: Any) -> _Peer | None:
        now_s = self._loop.time()
        for key in [key for key, peer in self._peers.items() if now_s - peer.heard_s > IDLE_S]:
            self._forget(key)
        if len(self._peers) >= MAX_PEERS:
            return None
        try:
            peer = _Peer(sock, address, self._target, now_s)
        except OSError:
            return None
        self._peers[address] = peer
        self._loop.add_reader(peer.inside.fileno(), self._from_target, peer)
        return peer

    def _from_target(self, peer: _Peer) -> None:
        for data, _ in _read(peer.inside):
            self._bucket.down.send(len(data) + HEADERS, partial(peer.to_peer, data))

    def _forget(self, key: Any) -> None:
        peer = self._peers.pop(key)
        self._loop.remove_reader(peer.inside.fileno())
        peer.inside.close()


def _read(sock: socket.socket) -> Iterator[tuple[bytes, Any]]:
    for _ in range(BATCH):
        try:
            yield sock.recvfrom(MAX_BYTES)
        except OSError:  # nothing more, or an ICMP error of an earlier datagram
            return
