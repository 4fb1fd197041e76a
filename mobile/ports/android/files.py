"""Choosing and taking pictures on Android: owns the system's own pages for it and reading what they give.

ACTION_OPEN_DOCUMENT needs no permission and hands over a content address, which is read as a stream: paths of other
apps' files cannot be read since Android 10. A photo is written by the camera app to a file of the system's media store,
is read and is then taken away again.
"""

from __future__ import annotations

import asyncio
from typing import Any

from android import mActivity
from jnius import JavaException, autoclass

from mobile.ports.android.system import result_of
from mobile.ports.files import FILE_BYTES_MAX, FileUnreadable, GivenFile, Kind

_CHOOSE, _PHOTOGRAPH = 0x15A1, 0x15A2
_TYPES = {Kind.PICTURE: ("image/*",), Kind.PAPER: ("image/*", "application/pdf")}
_PIECE_BYTES = 256 * 1024


class AndroidFiles:
    """The system's chooser and the camera app."""

    can_photograph = True

    async def choose(self, kind: Kind) -> GivenFile | None:
        """A file that the person picks."""
        intents = autoclass("android.content.Intent")
        intent = intents(intents.ACTION_OPEN_DOCUMENT)
        intent.addCategory(intents.CATEGORY_OPENABLE)
        intent.setType(_TYPES[kind][0] if len(_TYPES[kind]) == 1 else "*/*")
        intent.putExtra(intents.EXTRA_MIME_TYPES, list(_TYPES[kind]))
        data = await result_of(intent, _CHOOSE)
        return None if data is None else await asyncio.to_thread(_read, data.getData())

    async def photograph(self) -> GivenFile | None:
        """A photo by the phone's camera app."""
        store = autoclass("android.provider.MediaStore")
        address = _new_picture()
        try:
            intent = autoclass("android.content.Intent")(store.ACTION_IMAGE_CAPTURE)
            intent.putExtra(store.EXTRA_OUTPUT, address)
            taken = await result_of(intent, _PHOTOGRAPH)
            return None if taken is None else await asyncio.to_thread(_read, address)
        finally:
            mActivity.getContentResolver().delete(address, None, None)


def _new_picture() -> Any:
    """Where the camera app may write. Raises FileUnreadable where the system gives no place."""
    try:
        images = autoclass("android.provider.MediaStore$Images$Media")
        values = autoclass("android.content.ContentValues")()
        return mActivity.getContentResolver().insert(images.EXTERNAL_CONTENT_URI, values)
    except JavaException as error:
        raise FileUnreadable(f"no photo can be taken from here ({error}); choose one from the gallery.") from error


def _read(address: Any) -> GivenFile:
    """The bytes behind a content address. Raises FileUnreadable."""
    name = str(address.getLastPathSegment())
    try:
        stream = mActivity.getContentResolver().openInputStream(address)
        try:
            return GivenFile(name, _pieces(stream, name))
        finally:
            stream.close()
    except JavaException as error:
        raise FileUnreadable(f"{name} cannot be read ({error}); choose another file.") from error


def _pieces(stream: Any, name: str) -> bytes:
    content, piece = bytearray(), bytearray(_PIECE_BYTES)
    while (count := stream.read(piece)) > 0:
        content += piece[:count]
        if len(content) > FILE_BYTES_MAX:
            raise FileUnreadable(f"{name} has more than {FILE_BYTES_MAX} bytes; choose a smaller file.")
    return bytes(content)
