"""What networks run on, and that no model file is used that was changed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from control.domain.errors import ConfigurationError
from vision import runtime
from vision.runtime import CPU, MODELS_DIR, check_models, open_model, run_on


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = runtime._execution
    yield
    runtime._execution = before


@pytest.mark.parametrize("name", ["cpu", "CPU", "CPUExecutionProvider", " cpuexecutionprovider "])
def test_providers_have_short_names(name: str) -> None:
    assert run_on([name]).providers == (CPU,)


def test_the_cpu_takes_over_what_another_provider_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["OpenVINOExecutionProvider", CPU])
    assert run_on(["openvino"], threads=2) == runtime.Execution(("OpenVINOExecutionProvider", CPU), 2)
    assert run_on([]).providers == (CPU,)


def test_a_provider_that_is_not_installed_names_what_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["AzureExecutionProvider", CPU])
    with pytest.raises(ConfigurationError, match=r"'openvino' is not available.*azure, cpu"):
        run_on(["openvino"])
    with pytest.raises(ConfigurationError, match="0 threads"):
        run_on([], threads=0)


def test_a_provider_that_does_not_start_is_no_silent_fall_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """onnxruntime lists what it was built with; whether the device is there shows only in the session."""
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider", CPU])
    real = onnxruntime.InferenceSession
    monkeypatch.setattr(
        onnxruntime, "InferenceSession", lambda data, options, providers: real(data, options, providers=[CPU])
    )
    run_on(["cuda"])
    with pytest.raises(ConfigurationError, match="CUDAExecutionProvider does not start on this machine"):
        open_model("plate_detector")


def test_threads_reach_the_network() -> None:
    run_on([], threads=3)
    options = open_model("plate_detector").session.get_session_options()
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (3, 1)
    run_on([])
    assert open_model("plate_detector").session.get_session_options().intra_op_num_threads == 1


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return Path(shutil.copytree(MODELS_DIR, tmp_path / "models"))


def test_every_shipped_model_has_its_checksum() -> None:
    assert set(check_models()) >= {"plate_detector", "plate_recogniser"}


def test_each_file_is_compared_with_its_checksum(models: Path) -> None:
    for path in sorted(models.glob("*.onnx")):
        data = path.read_bytes()
        path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        with pytest.raises(ConfigurationError, match=f"{path.name} does not have the checksum"):
            check_models(models)
        path.unlink()
        with pytest.raises(ConfigurationError, match=f"{path.name} is missing"):
            check_models(models)
        path.write_bytes(data)
    assert check_models(models) == check_models()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "names no model"),
        ("[a]\nfile = 'a.onnx'\n", "lacks sha256"),
        ("[a]\nfile = '../a.onnx'\nsha256 = ''\ninput = 'x'\noutputs = []\n", "a name without a folder"),
        ("[a", "no valid TOML"),
    ],
)
def test_rows_of_no_use_are_said(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "models.toml").write_text(text)
    with pytest.raises(ConfigurationError, match=words):
        check_models(tmp_path)


def test_a_file_that_is_no_network_is_said(models: Path) -> None:
    import hashlib

    junk = np.random.default_rng(1).bytes(1000)
    (models / "plate_detector.onnx").write_bytes(junk)
    toml = (models / "models.toml").read_text(encoding="utf-8")
    row = toml.split("[plate_detector]")[1]
    old = row.split('sha256 = "')[1].split('"')[0]
    (models / "models.toml").write_text(toml.replace(old, hashlib.sha256(junk).hexdigest()), encoding="utf-8")
    with pytest.raises(ConfigurationError, match="'plate_detector' cannot be loaded"):
        open_model("plate_detector", models)
