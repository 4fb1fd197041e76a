"""Choosing and taking pictures on Android: owns the system's own pages for it and reading what they give.

ACTION_OPEN_DOCUMENT needs no permission and hands over a content address, which is read through a file descriptor:
paths of other apps' files cannot be read since Android 10. A photo is written by the camera app to an entry of the
system's media store, is read and is then taken away again.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from android import mActivity
from jnius import JavaException, autoclass, cast

from mobile.ports.android import system
from mobile.ports.files import FILE_BYTES_MAX, FileUnreadable, GivenFile, Kind

_CHOOSE, _PHOTOGRAPH = 0x15A1, 0x15A2
_TYPES = {Kind.PICTURE: ("image/*",), Kind.PAPER: ("image/*", "application/pdf")}


class AndroidFiles:
    """The system's chooser and the camera app."""

    can_photograph = True

    async def choose(self, kind: Kind) -> GivenFile | None:
        """A file that the person picks."""
        with _told("no file can be chosen here"):
            intents = autoclass("android.content.Intent")
            intent = intents(intents.ACTION_OPEN_DOCUMENT)
            intent.addCategory(intents.CATEGORY_OPENABLE)
            intent.setType(_TYPES[kind][0] if len(_TYPES[kind]) == 1 else "*/*")
            intent.putExtra(intents.EXTRA_MIME_TYPES, list(_TYPES[kind]))
            answer = await system.result_of(intent, _CHOOSE)
            if not answer.is_given or answer.data is None:
                return None
            return await asyncio.to_thread(_read, answer.data.getData())

    async def photograph(self) -> GivenFile | None:
        """A photo by the phone's camera app.

        Whoever declares the permission CAMERA, as this app does for its own scanner, must have it even for this.
        """
        if not await system.granted(system.CAMERA):
            raise FileUnreadable("the camera may not be used; allow it in the phone's settings, or choose a picture.")
        with _told("no photo can be taken from here"):
            address = _new_picture()
            try:
                store = autoclass("android.provider.MediaStore")
                intent = autoclass("android.content.Intent")(store.ACTION_IMAGE_CAPTURE)
                intent.putExtra(store.EXTRA_OUTPUT, cast("android.os.Parcelable", address))
                answer = await system.result_of(intent, _PHOTOGRAPH)
                return await asyncio.to_thread(_read, address) if answer.is_given else None
            finally:
                with suppress(JavaException):
                    mActivity.getContentResolver().delete(address, None, None)


@contextmanager
def _told(sentence: str) -> Iterator[None]:
    """What Android refuses becomes a FileUnreadable with a sentence."""
    try:
        yield
    except (JavaException, OSError) as error:
        raise FileUnreadable(f"{sentence} ({error}); choose another file.") from error


def _new_picture() -> Any:
    """Where the camera app may write. Raises JavaException, OSError."""
    images = autoclass("android.provider.MediaStore$Images$Media")
    values = autoclass("android.content.ContentValues")()
    address = mActivity.getContentResolver().insert(images.EXTERNAL_CONTENT_URI, values)
    if address is None:
        raise OSError("the phone has no place for it")
    return address


def _read(address: Any) -> GivenFile:
    """The bytes behind a content address. Raises FileUnreadable."""
    name = _name(address)
    with _told(f"{name} cannot be read"), os.fdopen(system.opened(address, "r"), "rb") as file:
        content = file.read(FILE_BYTES_MAX + 1)
    if len(content) > FILE_BYTES_MAX:
        raise FileUnreadable(f"{name} has more than {FILE_BYTES_MAX} bytes; choose a smaller file.")
    return GivenFile(name, content)


def _name(address: Any) -> str:
    """As the app that has the file calls it; the address itself often ends in a bare number."""
    with suppress(JavaException):
        column = autoclass("android.provider.OpenableColumns").DISPLAY_NAME
        cursor = mActivity.getContentResolver().query(address, [column], None, None, None)
        if cursor is not None:
            try:
                if cursor.moveToFirst() and not cursor.isNull(0):
                    return str(cursor.getString(0))
            finally:
                cursor.close()
    return str(address.getLastPathSegment())
