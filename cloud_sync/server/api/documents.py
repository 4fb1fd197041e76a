"""Papers: uploaded as raw bytes, sent out as downloads that no browser runs."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import FileResponse

from cloud_sync.server import auth
from cloud_sync.server.api.address import API
from cloud_sync.server.api.session import remote_of
from cloud_sync.server.permits import documents
from cloud_sync.server.permits.records import DocumentRecord
from cloud_sync.server.problems import Problem
from cloud_sync.server.roles import Can
from cloud_sync.server.services import Services, services

router = APIRouter(prefix=API, tags=["documents"])
Given = Annotated[Services, Depends(services)]
Sender = auth.who_may(Can.APPLY, Can.REVIEW, Can.KEEP_LEDGER)


@router.post(
    "/documents",
    status_code=201,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                media_type: {"schema": {"type": "string", "format": "binary"}}
                for media_type in ("application/pdf", "image/jpeg", "image/png", "image/webp")
            },
        }
    },
)
async def take(user: Sender, given: Given, request: Request) -> DocumentRecord:
    """Keeps one paper; its type is told by its bytes. The same bytes again are the same document."""
    async with documents.admitted(given, user):
        content = await _body(request, await documents.bytes_max(given))
        return await documents.take(given, user, content, remote=remote_of(request))


async def _body(request: Request, bytes_max: int) -> bytes:
    """The whole body, read no further than one paper may be long. Raises Problem `too_large`."""
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > bytes_max:
            raise Problem("too_large", detail=f"more than {bytes_max} bytes")
    return bytes(content)


@router.get("/documents/{sha256}", response_class=FileResponse)
async def opened(sha256: str, user: auth.AnyPerson, given: Given, request: Request) -> FileResponse:
    """The bytes, for who sent them, whose application they belong to, and the office."""
    path, headers = await documents.opened(given, user, sha256, remote=remote_of(request))
    return FileResponse(path, headers=headers, media_type=headers["Content-Type"])
