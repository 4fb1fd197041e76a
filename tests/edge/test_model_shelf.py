"""The versions of the models: one file says which is in use, and there is always a way back to one that works."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.model_shelf import KEPT_VERSIONS_MAX, SHIPPED, ModelShelf, ModelShelfError, Standing


def put(shelf: ModelShelf, version: str) -> None:
    with shelf.receiving() as place:
        (place / "models").mkdir(parents=True)
        (place / "models" / "models.toml").write_text(version)
        shelf.put(place, version)


def use(shelf: ModelShelf, *versions: str) -> None:
    for number, version in enumerate(versions):
        put(shelf, version)
        shelf.use(version, at=f"2026-11-2{number}", made_at=f"2026-11-1{number}")


@pytest.fixture
def shelf(tmp_path: Path) -> ModelShelf:
    return ModelShelf(tmp_path / "models")


def test_nothing_was_ever_installed(shelf: ModelShelf, tmp_path: Path) -> None:
    assert shelf.read() == Standing()
    assert shelf.versions() == ()
    assert shelf.models_dir(SHIPPED, None) is None
    assert shelf.models_dir(SHIPPED, tmp_path) == tmp_path
    with pytest.raises(ModelShelfError, match="no way further back"):
        shelf.back(at="now")


def test_a_version_comes_into_use_and_the_one_before_is_known(shelf: ModelShelf) -> None:
    use(shelf, "v1", "v2")
    standing = shelf.read()
    assert (standing.in_use, standing.before, standing.since) == ("v2", "v1", "2026-11-21")
    assert standing.newest_made_at == "2026-11-11"
    models_dir = shelf.models_dir("v2", None)
    assert models_dir is not None
    assert (models_dir / "models.toml").read_text() == "v2"


def test_a_failed_version_is_marked_and_the_one_before_is_back(shelf: ModelShelf) -> None:
    use(shelf, "v1", "v2")
    shelf.back(at="now", failed="it crashed")
    assert shelf.read().in_use == "v1"
    assert shelf.read().failed == {"v2": "it crashed"}
    shelf.back(at="now", failed="this one too")
    assert shelf.read().in_use == SHIPPED
    assert set(shelf.read().failed) == {"v1", "v2"}


def test_back_does_not_lead_to_a_version_that_failed_or_is_gone(shelf: ModelShelf) -> None:
    use(shelf, "v1")
    shelf.back(at="now", failed="bad")
    use(shelf, "v2")
    assert shelf.read().before == SHIPPED
    use(shelf, "v3")
    (shelf.folder("v2") / "models" / "models.toml").unlink()
    (shelf.folder("v2") / "models").rmdir()
    shelf.folder("v2").rmdir()
    shelf.back(at="now", failed="bad")
    assert shelf.read().in_use == SHIPPED


def test_using_a_version_again_takes_its_mark_away(shelf: ModelShelf) -> None:
    use(shelf, "v1")
    shelf.back(at="now", failed="bad")
    shelf.use("v1", at="later")
    assert shelf.read().failed == {}


def test_what_is_not_there_cannot_be_used(shelf: ModelShelf) -> None:
    use(shelf, "v1")
    with pytest.raises(ModelShelfError, match="no version 'v9'; there are v1"):
        shelf.use("v9", at="now")
    assert shelf.read().in_use == "v1"


def test_the_version_in_use_is_never_overwritten(shelf: ModelShelf) -> None:
    use(shelf, "v1")
    with pytest.raises(ModelShelfError, match="in use already"):
        put(shelf, "v1")
    models_dir = shelf.models_dir("v1", None)
    assert models_dir is not None
    assert (models_dir / "models.toml").exists()


def test_what_was_received_and_not_put_is_gone(shelf: ModelShelf) -> None:
    with shelf.receiving() as place:
        place.mkdir()
    assert shelf.versions() == ()
    assert not place.exists()


def test_old_versions_make_room(shelf: ModelShelf) -> None:
    names = [f"v{number}" for number in range(KEPT_VERSIONS_MAX + 4)]
    use(shelf, *names)
    assert len(shelf.versions()) == KEPT_VERSIONS_MAX + 2
    assert {names[-1], names[-2]} <= set(shelf.versions())


@pytest.mark.parametrize("text", ["", "{", "[]", '{"colour": 1}'])
def test_a_pointer_of_no_use_says_what_to_do(shelf: ModelShelf, tmp_path: Path, text: str) -> None:
    use(shelf, "v1")
    (tmp_path / "models" / "current.json").write_text(text)
    with pytest.raises(ModelShelfError, match="remove it to go back to the shipped models"):
        shelf.read()
