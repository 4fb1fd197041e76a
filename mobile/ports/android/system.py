"""Android through pyjnius: owns the classes and constants of the platform that the other ports here share.

`android` and `jnius` are packages that python-for-android puts into every app built with its sdl2 bootstrap.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
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


async def result_of(intent: Any, request: int) -> Any:
    """Starts another app's page and waits for its answer: an Intent, or None where the person went back."""
    loop = asyncio.get_running_loop()
    waiting: asyncio.Future[Any] = loop.create_future()

    def answered(request_code: int, result_code: int, data: Any) -> None:
        if request_code == request:
            activity.unbind(on_activity_result=answered)
            loop.call_soon_threadsafe(_settle, waiting, data if result_code == _RESULT_OK else None)

    activity.bind(on_activity_result=answered)
    mActivity.startActivityForResult(intent, request)
    return await waiting


def _settle(waiting: asyncio.Future[Any], data: Any) -> None:
    if not waiting.done():
        waiting.set_result(data)
