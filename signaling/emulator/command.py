"""`zhuandi link`: an emulated link in front of a server of ours, in a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from signaling.addresses import machine_addresses
from signaling.emulator.datagrams import Address

if TYPE_CHECKING:
    from signaling.emulator.relay import Relay

MEDIA_PORT = 7882
REPORT_S = 1.0
HELP = """Emulate one classroom's link in front of a server on this machine.

Pages, WebSocket and media that come through its port share one bucket per direction. The server is started with
--set links=PORT, so that such pages are told to send their media there as well. One JSON line of counters a second.

\b
  zhuandi serve --set links=9443
  zhuandi link --profile satellite --listen 9443 --to 127.0.0.1:8443
  zhuandi link --trace bus.csv --delay-ms 60 --loss 0.02 --listen 9443 --to 127.0.0.1:8443

\b
Then open https://127.0.0.1:9443/
"""


def link(
    listen: Annotated[
        int, typer.Option("--listen", help="TCP and UDP port to listen on; 0 finds one.", min=0, max=65535)
    ],
    to: Annotated[str, typer.Option("--to", help="HOST:PORT of the server's HTTPS.")],
    profile: Annotated[str, typer.Option("--profile", help="A named link; a wrong name lists all.")] = "64k-loss10",
    trace: Annotated[Path | None, typer.Option("--trace", help="CSV time_s,capacity_kbps instead of a name.")] = None,
    delay_ms: Annotated[int, typer.Option("--delay-ms", help="One way, with --trace.", min=0)] = 50,
    loss: Annotated[float, typer.Option("--loss", help="Ratio, with --trace.", min=0, max=1)] = 0.0,
    queue_ms: Annotated[int, typer.Option("--queue-ms", help="Of the mean rate, with --trace.", min=1)] = 300,
    media: Annotated[
        str | None, typer.Option("--media", help="HOST:PORT of the server's media; default: port 7882 here.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="The same seed loses the same packets.", min=0)] = 1,
) -> None:
    # The packet core is loaded for this command alone.
    from signaling.emulator.profiles import named_profile, trace_profile
    from signaling.emulator.relay import Relay

    addresses = machine_addresses()
    try:
        if trace is None:
            chosen = named_profile(profile)
        else:
            chosen = trace_profile(trace, delay_ms=delay_ms, loss=loss, queue_ms=queue_ms)
        targets = _resolve(to), _resolve(media or f"[{addresses[0]}]:{MEDIA_PORT}")
        asyncio.run(_run(Relay(chosen, targets[0], host="", addresses=addresses, seed=seed), listen, targets[1]))
    except (ValueError, OSError) as error:
        typer.echo(str(error), err=True)
        raise SystemExit(1) from None


async def _run(relay: Relay, port: int, media: Address) -> None:
    await relay.start(port)
    relay.media_port(media)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    while not stop.is_set():
        typer.echo(json.dumps({"port": relay.port, **relay.bucket.counters()}))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), REPORT_S)
    await relay.stop()


def _resolve(text: str) -> Address:
    """`HOST:PORT` or `[HOST]:PORT` as a socket wants it; raises `ValueError` or `OSError`."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit():
        raise ValueError(f"{text} is not HOST:PORT")
    found = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)
    return str(found[0][4][0]), int(port)
