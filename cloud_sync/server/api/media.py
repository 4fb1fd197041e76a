"""Evidence pictures: gateways put them under their hash, signed-in people look at them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import FileResponse

from cloud_sync.server import auth, media_rows, queries
from cloud_sync.server.api.address import API
from cloud_sync.server.problems import Problem
from cloud_sync.server.services import Services, services

router = APIRouter(prefix=API, tags=["media"])
Given = Annotated[Services, Depends(services)]
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cache-Control": "private, max-age=86400, immutable",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@router.put("/media/{sha256}", status_code=201, responses={200: {"description": "was here already"}})
async def put_media(
    sha256: str, request: Request, given: Given, gateway: Annotated[str, Depends(auth.gateway_of_token)]
) -> Response:
    """Takes a picture; 201 when new, 200 when it is known, also when retention has deleted it since."""
    given.media.path_of(sha256)
    if await media_rows.was_stored(given.pool, sha256):
        return Response(status_code=200)
    media_type, size_bytes = await given.media.take(sha256, request.stream())
    await media_rows.note(given, gateway, sha256, media_type, size_bytes)
    given.metrics.media_taken.inc()
    return Response(status_code=201)


@router.get("/media/{sha256}", response_class=FileResponse)
async def get_media(sha256: str, user: auth.GateViewer, given: Given) -> FileResponse:
    """The picture's bytes."""
    path = given.media.path_of(sha256)
    found = await queries.stored_media(given.pool, sha256)
    if found is None or not path.is_file():
        raise Problem("not_found")
    return FileResponse(path, media_type=found.media_type, headers={**_HEADERS, "ETag": f'"{sha256}"'})
