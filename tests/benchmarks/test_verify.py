"""The benchmark of verification at a tiny size: both ledgers hold, and a folder that is kept is used again."""

from __future__ import annotations

import json

import pytest

from benchmarks import verify
from benchmarks._filled import kept_or_made


def test_both_ledgers_hold_and_a_kept_folder_is_used_again(capfd: pytest.CaptureFixture[str]) -> None:
    with kept_or_made(None, "island-test-verify-") as keep:
        small = ["--json", "--entries", "400", "--accounts", "40", "--keep", str(keep)]
        assert verify.main(small) == 0
        told = capfd.readouterr()
        first = json.loads(told.out.splitlines()[-1])
        assert (first["carbon_holds"], first["points_holds"], first["points_rows"]) == (True, True, 400)
        assert first["carbon_rows"] > 300
        assert first["points_peer_rows_per_s"] > 0
        assert "writing rows" in told.err

        assert verify.main(small) == 0
        told = capfd.readouterr()
        assert json.loads(told.out.splitlines()[-1])["carbon_rows"] == first["carbon_rows"]
        assert "writing rows" not in told.err

        with pytest.raises(SystemExit, match="name another folder"):
            verify.main([*small, "--entries", "500"])
