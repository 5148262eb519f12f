"""The addresses at which other machines reach this one (rtnetlink(7); no packet is sent)."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import struct

RTM_NEWADDR, RTM_GETADDR, NLMSG_DONE = 20, 22, 3
NLM_F_REQUEST_DUMP = 0x301
IFA_ADDRESS, IFA_LOCAL, IFA_FLAGS = 1, 2, 8
IFA_F_TEMPORARY, IFA_F_DEPRECATED, IFA_F_TENTATIVE = 0x01, 0x20, 0x40
HEADER = struct.Struct("=IHHII")
ADDRESS = struct.Struct("=BBBBI")
# Documentation addresses (RFC 5737, RFC 3849): a UDP connect asks the routing table and sends nothing.
ELSEWHERE = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))
# A listener on one of these listens on every address.
ANYWHERE = ("", "0.0.0.0", "::")


def reachable_host(listens: str, addresses: list[str]) -> str:
    """The host of a URL by which other machines reach a listener, as it stands between `//` and the port."""
    address = addresses[0] if listens in ANYWHERE else listens
    return f"[{address}]" if ":" in address else address


def machine_addresses() -> list[str]:
    """IPv4 first, the default route's address before others; loopback only when there is nothing else."""
    found = [a for a in _interface_addresses() if _useful(a)]
    preferred = _default_addresses()
    ordered = sorted(
        dict.fromkeys(found),
        key=lambda a: (":" in a, ipaddress.ip_address(a).is_link_local, a not in preferred),
    )
    return ordered or ["127.0.0.1"]


def _useful(text: str) -> bool:
    address = ipaddress.ip_address(text)
    return not (address.is_loopback or address.is_unspecified or (address.version == 6 and address.is_link_local))


def _interface_addresses() -> list[str]:
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as netlink:  # 0: NETLINK_ROUTE
            netlink.settimeout(2)
            netlink.send(HEADER.pack(HEADER.size + ADDRESS.size, RTM_GETADDR, NLM_F_REQUEST_DUMP, 1, 0) + bytes(8))
            found: list[str] = []
            while True:
                done = _read_messages(netlink.recv(1 << 16), found)
                if done:
                    return found
    except OSError:
        return _default_addresses()


def _read_messages(data: bytes, found: list[str]) -> bool:
    at = 0
    while at + HEADER.size <= len(data):
        length, kind, *_ = HEADER.unpack_from(data, at)
        if kind == NLMSG_DONE or length < HEADER.size:
            return True
        if kind == RTM_NEWADDR:
            address = _read_address(data[at + HEADER.size : at + length])
            if address is not None:
                found.append(address)
        at += (length + 3) & ~3
    return False


def _read_address(body: bytes) -> str | None:
    family, _, flags, _, _ = ADDRESS.unpack_from(body)
    fields: dict[int, bytes] = {}
    at = ADDRESS.size
    while at + 4 <= len(body):
        length, kind = struct.unpack_from("=HH", body, at)
        if length < 4:
            break
        fields[kind] = body[at + 4 : at + length]
        at += (length + 3) & ~3
    if IFA_FLAGS in fields:
        (flags,) = struct.unpack("=I", fields[IFA_FLAGS])
    if flags & (IFA_F_TEMPORARY | IFA_F_DEPRECATED | IFA_F_TENTATIVE):
        return None
    raw = fields.get(IFA_LOCAL) or fields.get(IFA_ADDRESS)  # IFA_LOCAL is our end of a point-to-point link
    return socket.inet_ntop(family, raw) if raw and family in (socket.AF_INET, socket.AF_INET6) else None


def _default_addresses() -> list[str]:
    found: list[str] = []
    for family, elsewhere in ELSEWHERE:
        with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((elsewhere, 9))
            found.append(probe.getsockname()[0])
    return found
