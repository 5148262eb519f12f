"""`zhuandi doctor`: whether lessons would come through to this computer, in a sentence, with what to do."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

HELP = """Try the way to a server from here, through the real media server, and say what to do.

With --code (the operator's code of today) or --token the line itself is measured, for about 20 s, and the operator
gets the finding under a code of six characters.

\b
  zhuandi doctor https://school.example:8443 --code 482913
"""
WORDS = {
    "zh": {
        "reach": "找服务器…",
        "udp": "试 UDP 和 TCP…",
        "down": "量下行…",
        "up": "量上行…",
        "code": "报告码",
        "numbers": "数据",
    },
    "en": {
        "reach": "Looking for the server…",
        "udp": "Trying UDP and TCP…",
        "down": "Measuring what comes down…",
        "up": "Measuring what goes up…",
        "code": "Report code",
        "numbers": "Numbers",
    },
}


@dataclass(frozen=True)
class Visit:
    """Where to, and as whom."""

    url: str
    code: str = ""
    token: str = ""
    ca_file: str | None = None
    insecure: bool = False
    purpose: str = "receive"
    cache: Path | None = None


async def examine(visit: Visit, told: Callable[[str], None] = lambda _: None) -> tuple[dict[str, Any], str | None]:
    """Facts, and the code of the report where the server keeps one. A bad line never raises."""
    from signaling.checks.reach import reach

    told("reach")
    try:
        trust = _trust(visit)
    except (OSError, ssl.SSLError) as error:
        raise typer.BadParameter(f"the certificate authority cannot be read: {error}") from None
    facts: dict[str, Any] = {"tool": "doctor", "purpose": visit.purpose, **await reach(visit.url, trust)}
    if facts.get("socket") is None:
        return facts, None
    return await _measure(visit, facts, told)


async def _measure(
    visit: Visit, facts: dict[str, Any], told: Callable[[str], None]
) -> tuple[dict[str, Any], str | None]:
    # The packet core is loaded only where there is a server.
    import aiohttp

    from signaling.checks.line import LineCheck
    from signaling.checks.stream import prepare_stream, user_cache
    from signaling.ends.client_core import ClientCore
    from signaling.ends.door import DoorPlan, Refused, post

    plan = DoorPlan(visit.url, visit.token, "classroom", visit.ca_file, visit.insecure)
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as http:
        try:
            if facts["socket"] == "ok":
                begun = await post(http, plan, "/api/checks/begin", {"code": visit.code})
                facts["entry"] = "ok"
                stream = await prepare_stream(visit.cache or user_cache())
                with ClientCore() as client:
                    facts |= await LineCheck(http, plan, begun["check"], client, stream, told).run()
                await post(http, plan, f"/api/checks/{begun['check']}/end")
        except Refused as refused:
            if "entry" not in facts:
                facts["entry"] = "busy" if refused.code == "busy" else "refused"
            else:
                facts["media"] = "interrupted"
        except (aiohttp.ClientError, OSError):  # TimeoutError is one
            facts["media"] = "interrupted"
        try:
            kept = await post(http, plan, "/api/checks", {"code": visit.code, "facts": facts})
            return facts, str(kept["code"])
        except (Refused, aiohttp.ClientError, OSError):
            return facts, None


def _trust(visit: Visit) -> ssl.SSLContext | bool:
    if visit.insecure:
        return False
    return True if visit.ca_file is None else ssl.create_default_context(cafile=visit.ca_file)


def doctor(
    url: Annotated[str, typer.Argument(help="The server, as https://192.168.1.5:8443.")],
    code: Annotated[str, typer.Option("--code", help="The operator's check code of today.")] = "",
    token: Annotated[str, typer.Option("--token", help="An access token in place of a code.")] = "",
    teach: Annotated[bool, typer.Option("--teach", help="Judge the line for teaching, not for receiving.")] = False,
    ca: Annotated[Path | None, typer.Option("--ca", help="The server's own certificate authority.")] = None,
    insecure: Annotated[bool, typer.Option("--insecure", help="Trust any certificate.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The finding as one JSON object.")] = False,
    language: Annotated[str, typer.Option("--language", help="zh or en; default: the system's.")] = "",
) -> None:
    from signaling.banner import user_language
    from signaling.checks.rules import Facts, verdict

    spoken = "en" if (language or user_language()) == "en" else "zh"
    words = WORDS[spoken]
    visit = Visit(
        url if "://" in url else f"https://{url}", code, token, str(ca) if ca else None, insecure,
        "teach" if teach else "receive",
    )  # fmt: skip
    found, kept = asyncio.run(examine(visit, lambda step: typer.echo(words[step], err=True)))
    facts = Facts.model_validate(found)
    said = verdict(facts, "en" if spoken == "en" else "zh")
    if as_json:
        typer.echo(
            json.dumps({**asdict(said), "code": kept, "facts": facts.model_dump(exclude_none=True)}, ensure_ascii=False)
        )
    else:
        typer.echo(f"\n{said.sentence}{'' if spoken == 'zh' else ' '}{said.cause}")
        for number, step in enumerate(said.steps, 1):
            typer.echo(f"  {number}. {step}")
        if kept:
            typer.echo(f"\n{words['code']}: {kept[:3]} {kept[3:]}")
        numbers = ", ".join(f"{name} {value}" for name, value in facts.model_dump(exclude_none=True).items())
        typer.echo(f"{words['numbers']}: {numbers}")
    raise SystemExit(0 if said.level in ("well", "limited") else 1)
