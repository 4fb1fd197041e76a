"""What the parts of points share: a code as a picture is read back by a camera's reader."""

from __future__ import annotations

import re

import numpy as np
import pytest
import zxingcpp

from cloud_sync.server.points.parts import qr_svg

MODULE_PX = 4
QUIET = 4  # modules, ISO/IEC 18004


@pytest.mark.parametrize("text", ["7K3MX9PQRT4W", "island-device:" + "ab12" * 30])
def test_a_code_is_read_back(text: str) -> None:
    svg = qr_svg(text)
    side = int(re.search(r'viewBox="0 0 (\d+) \1"', svg)[1])  # type: ignore[index]
    picture = np.full((side, side), 255, np.uint8)
    for x, y, run in re.findall(r"M(\d+) (\d+)\.5h(\d+)", svg):
        picture[int(y), int(x) : int(x) + int(run)] = 0
    inner = picture[QUIET:-QUIET, QUIET:-QUIET]
    assert (picture == 0).sum() == (inner == 0).sum()
    large = np.kron(picture, np.ones((MODULE_PX, MODULE_PX), np.uint8))
    assert [one.text for one in zxingcpp.read_barcodes(large)] == [text]
