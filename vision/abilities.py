"""What a folder of models can see: owns which of them it takes to see vehicles. Plates every folder can read."""

from __future__ import annotations

from pathlib import Path

from vision.runtime import model_names

VEHICLE_MODELS = frozenset({"vehicle_detector", "vehicle_backbone"})


def sees_vehicles(models_dir: Path | None = None) -> bool:
    """Whether the folder, or the program's own, has the models for vehicles. Raises ConfigurationError."""
    return model_names(models_dir) >= VEHICLE_MODELS
