"""A calibrated model, as `etcdsize calibrate` writes it, of a machine that is unlike ours."""

from __future__ import annotations

from pathlib import Path

from etcdsize import CalibratedDisk, CalibratedModel
from etcdsize.resources.calibrated_model import calibrated_model
from etcdsize.resources.coefficients import Coefficient, load_coefficients

__all__ = ["model_with", "write_model"]

MACHINE = {"cpu": "A slow one", "cores": "2"}
DISK = CalibratedDisk(mb_per_second=40, fsync_seconds=0.0055, fsync_p99_seconds=0.0075)


def model_with(etcd_version: str = "3.6.16", factor: float = 2, names: tuple[str, ...] = ()) -> CalibratedModel:
    """Return a model whose coefficients of these names are so many times ours; by default some of each group."""
    names = names or ("cpu_put", "heap_base", "index_per_key", "election", "defragment_per_mb", "write_wait_fsyncs")
    ours = load_coefficients(etcd_version).coefficients
    found = {
        name: Coefficient(
            value=ours[name].value * factor,
            low=ours[name].low * factor,
            high=ours[name].high * factor,
            unit=ours[name].unit,
            how="calibrated",
            source=f"calibrated on {etcd_version}, 2026-11-27",
        )
        for name in names
    }
    return calibrated_model(etcd_version, found, date="2026-11-27", machine=MACHINE, disk=DISK)


def write_model(file: Path, model: CalibratedModel | None = None) -> Path:
    """Write a model to a file, and return the file."""
    file.write_text((model or model_with()).model_dump_json())
    return file
