"""The pages: static files of web_client/dist, and the certificate authority."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

PAGES = ("index", "teacher", "classroom", "operator", "library", "watch", "trust", "check", "sign-in")
DIST: web.AppKey[Path] = web.AppKey("dist", Path)
AUTHORITY: web.AppKey[Path] = web.AppKey("authority", Path)
# Names carry a content hash (Vite), so they never change.
FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable"}
FRESH = {"Cache-Control": "no-cache"}


def add_pages(app: web.Application, dist: Path, authority: Path | None) -> None:
    """Routes of pages and their assets."""
    app[DIST] = dist
    app.router.add_get("/", page)
    for name in PAGES[1:]:
        app.router.add_get(f"/{name}", page)
        app.router.add_get(f"/{name}/", page)
    app.router.add_get("/assets/{file:[A-Za-z0-9._-]+}", asset)
    app.router.add_get("/{file:[A-Za-z0-9_-]+\\.(?:svg|ico|png|webmanifest|js|txt)}", root_file)
    if authority is not None:
        app[AUTHORITY] = authority
        app.router.add_get("/ca.crt", authority_file)


async def page(request: web.Request) -> web.StreamResponse:
    """One HTML page."""
    name = request.path.strip("/") or "index"
    path = request.app[DIST] / f"{name}.html"
    if not path.is_file():
        raise web.HTTPNotFound
    return web.FileResponse(path, headers=FRESH)


def lost(request: web.Request) -> web.StreamResponse | None:
    """The first page for a browser that asked for a page that is not there; None for everybody else."""
    first = request.app[DIST] / "index.html"
    asks_for_page = request.method == "GET" and "text/html" in request.headers.get("Accept", "")
    return web.FileResponse(first, status=404, headers=FRESH) if asks_for_page and first.is_file() else None


async def asset(request: web.Request) -> web.StreamResponse:
    """A script, style or picture with a hashed name."""
    return _file(request.app[DIST] / "assets" / request.match_info["file"], FOR_EVER)


async def root_file(request: web.Request) -> web.StreamResponse:
    """An icon, a manifest, a service worker."""
    return _file(request.app[DIST] / request.match_info["file"], FRESH)


async def authority_file(request: web.Request) -> web.StreamResponse:
    """The local certificate authority, to be installed on other machines."""
    headers = {
        "Content-Disposition": 'attachment; filename="ca.crt"',
        "Content-Type": "application/x-x509-ca-cert",
        **FRESH,
    }
    return web.Response(body=request.app[AUTHORITY].read_bytes(), headers=headers)


def _file(path: Path, headers: dict[str, str]) -> web.StreamResponse:
    # The route's pattern has no slash, so the path cannot leave its folder; links would.
    if not path.is_file() or path.is_symlink():
        raise web.HTTPNotFound
    return web.FileResponse(path, headers=headers)
