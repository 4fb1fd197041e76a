"""What the database knows of evidence pictures that come in: owns whether one came before, and its row."""

from __future__ import annotations

from cloud_sync.server.live import Change, announce
from cloud_sync.server.services import Services
from cloud_sync.server.sql import Reader


async def was_stored(db: Reader, sha256: str) -> bool:
    """Whether the bytes came before, also when retention has deleted them since."""
    return bool(await db.fetchval("SELECT stored_at IS NOT NULL FROM media WHERE sha256 = $1", sha256))


async def note(given: Services, gateway_id: str, sha256: str, media_type: str, size_bytes: int) -> None:
    """Writes that a gateway's picture is here, and tells the pages that show it."""
    async with given.change() as connection:
        await connection.execute(
            "INSERT INTO media (sha256, media_type, size_bytes, gateway_id, stored_at) VALUES ($1, $2, $3, $4, $5)"
            " ON CONFLICT (sha256) DO UPDATE SET media_type = excluded.media_type, size_bytes = excluded.size_bytes,"
            " gateway_id = excluded.gateway_id, stored_at = excluded.stored_at WHERE media.stored_at IS NULL",
            *(sha256, media_type, size_bytes, gateway_id, given.clock()),
        )
        rows = await connection.fetch("SELECT DISTINCT arrival_id FROM media_links WHERE sha256 = $1", sha256)
        await announce(connection, [Change("media", row["arrival_id"], gateway_id) for row in rows])
