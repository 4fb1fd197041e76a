"""Android through pyjnius: owns the classes and constants of the platform that the other ports here share.

`android` and `jnius` are packages that python-for-android puts into every app built with its sdl2 bootstrap.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from android import activity, mActivity
from android.permissions import Permission, check_permission, request_permissions
from jnius import autoclass

CAMERA: str = Permission.CAMERA
_RESULT_OK = -1


def allowed(permission: str) -> bool:
    """Whether the person gave this permission."""
    return bool(check_permission(permission))


def ask_for(permission: str, answered: Callable[[bool], None]) -> None:
    """Asks the person; `answered` is called from another thread."""
    request_permissions([permission], lambda _names, results: answered(all(results)))


def open_app_settings() -> None:
    """The page of this app in the system's settings, where a permission is given that was refused for good."""
    intent = autoclass("android.content.Intent")(
        autoclass("android.provider.Settings").ACTION_APPLICATION_DETAILS_SETTINGS
    )
    intent.setData(autoclass("android.net.Uri").fromParts("package", mActivity.getPackageName(), None))
    mActivity.startActivity(intent)


async def granted(permission: str) -> bool:
    """Asks the person where they did not give this permission before; whether the app has it then."""
    if allowed(permission):
        return True
    loop = asyncio.get_running_loop()
    waiting: asyncio.Future[bool] = loop.create_future()
    ask_for(permission, lambda given: loop.call_soon_threadsafe(_settle, waiting, given))
    return await waiting


@dataclass(frozen=True, slots=True)
class Answer:
    """What another app's page answered. A camera app answers without `data`, for it wrote where it was told to."""

    is_given: bool
    data: Any


async def result_of(intent: Any, request: int) -> Answer:
    """Starts another app's page and waits for its answer. Raises JavaException where no app has such a page."""
    loop = asyncio.get_running_loop()
    waiting: asyncio.Future[Answer] = loop.create_future()

    def answered(request_code: int, result_code: int, data: Any) -> None:
        if request_code == request:
            loop.call_soon_threadsafe(_settle, waiting, Answer(result_code == _RESULT_OK, data))

    # Never unbound inside `answered`: Android is then going through the list of those who listen.
    activity.bind(on_activity_result=answered)
    try:
        mActivity.startActivityForResult(intent, request)
        return await waiting
    finally:
        activity.unbind(on_activity_result=answered)


def opened(address: Any, mode: str) -> int:
    """A file descriptor of what is behind a content address; the caller closes it. Raises JavaException, OSError."""
    descriptor = mActivity.getContentResolver().openFileDescriptor(address, mode)
    if descriptor is None:
        raise OSError("the app that has the file does not answer")
    return int(descriptor.detachFd())


def _settle(waiting: asyncio.Future[Any], answer: Any) -> None:
    if not waiting.done():
        waiting.set_result(answer)
