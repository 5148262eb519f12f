"""A file that a form sends, bounded."""

from __future__ import annotations

from aiohttp import BodyPartReader, web

from signaling.messages import Refused
from signaling.people.sheets import MAX_BYTES, RowError, SheetRefused

SHOWN_ERRORS = 200


async def uploaded_table(request: web.Request) -> bytes:
    """The part `file` of a multipart body; raises `Refused`, or `SheetRefused` when it is too big."""
    if request.content_type != "multipart/form-data":
        raise Refused("bad_message", "the file comes as the part `file` of multipart/form-data")
    try:
        async for part in await request.multipart():
            if isinstance(part, BodyPartReader) and part.name == "file":
                return await _bounded(part)
    except (ValueError, AssertionError, RuntimeError):
        raise Refused("bad_message", "the body is no multipart/form-data") from None
    raise Refused("bad_message", "the part `file` is missing")


async def _bounded(part: BodyPartReader) -> bytes:
    data = b""
    while chunk := await part.read_chunk(64 * 1024):
        data += chunk
        if len(data) > MAX_BYTES:
            zh, en = "文件太大：最多 2 MB", "the file is too big: at most 2 MB"
            raise SheetRefused([RowError(0, "", "too_big", zh, en)])
    return data


def table_refusal(refused: SheetRefused) -> web.Response:
    """What is wrong with a table, cell by cell; nothing was changed."""
    count = len(refused.errors)
    detail = f"the table has {count} mistake{'s' * (count != 1)}; nothing was changed"
    errors = [error.plain() for error in refused.errors[:SHOWN_ERRORS]]
    body = {"code": "bad_table", "detail": detail, "count": count, "errors": errors}
    return web.json_response(body, status=422)
