"""A model of your own: coefficients that `calibrate` measured on your machine, disk and etcd, beside ours."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from etcdsize.base.model import Answer, Date, Model, Name, Positive, read_table
from etcdsize.base.text import shown
from etcdsize.errors import OptionError, TableError
from etcdsize.resources.coefficients import Coefficient, CoefficientTable, load_coefficients, minor_version

__all__ = ["CalibratedDisk", "CalibratedModel", "calibrated_model", "given_model", "load_model", "model_of"]


class CalibratedDisk(Model):
    """The disk that was measured."""

    mb_per_second: Annotated[Positive, Field(description="How much it writes. [MB/s]")]
    fsync_seconds: Annotated[
        Positive, Field(description="How long etcd's fsyncs of its log take while clients write, on average. [s]")
    ]
    fsync_p99_seconds: Annotated[Positive, Field(description="The 99th percentile of the same fsyncs. [s]")]


class CalibratedModel(CoefficientTable, Answer):
    """The coefficients of one version of etcd, some of them measured on a machine of yours.

    It is what `etcdsize calibrate` writes. Coefficients that are not `calibrated` are those of etcdsize, and
    `measured_on`, `date` and `machine` are about them.
    """

    calibrated_on: Annotated[Name, Field(description="The version of etcd that was measured, such as 3.6.16.")]
    calibrated_date: Annotated[Date, Field(description="When it was measured.")]
    calibrated_machine: Annotated[
        dict[str, str], Field(description="The machine that it was measured on, and what was measured.")
    ]
    disk: Annotated[
        CalibratedDisk | None, Field(description="The disk that was measured. None: its fsyncs could not be measured.")
    ]

    @model_validator(mode="after")
    def _check_version(self) -> "CalibratedModel":
        if not self.calibrated_on.startswith(f"{self.etcd_version}."):
            raise TableError(
                f"got {shown(self.calibrated_on)}, expected a version of etcd {self.etcd_version}; calibrate again",
                field="calibrated_on",
            )
        return self

    def __hash__(self) -> int:
        """Return the same for equal models: an answer's cases are kept by what was asked."""
        return hash((self.calibrated_on, self.calibrated_date, len(self.calibrated)))

    @property
    def calibrated(self) -> tuple[str, ...]:
        """The names of the coefficients that were measured on this machine."""
        return tuple(name for name, one in self.coefficients.items() if one.how == "calibrated")

    @property
    def cpu_machine(self) -> dict[str, str]:
        """The machine whose cores the figures of the CPU count."""
        return self.calibrated_machine if "cpu_put" in self.calibrated else self.machine


def calibrated_model(
    etcd_version: str,
    found: Mapping[str, Coefficient],
    *,
    date: str,
    machine: Mapping[str, str],
    disk: CalibratedDisk | None,
) -> CalibratedModel:
    """Return the model of what was found on a patch of etcd: it replaces our coefficients of that version.

    Raises
    ------
    OptionError
        If the version is not known.
    """
    ours = load_coefficients(etcd_version)
    return CalibratedModel(
        etcd_version=ours.etcd_version,
        measured_on=ours.measured_on,
        date=ours.date,
        machine=ours.machine,
        coefficients={**ours.coefficients, **found},
        calibrated_on=etcd_version,
        calibrated_date=date,
        calibrated_machine=dict(machine),
        disk=disk,
    )


def load_model(path: str | Path) -> CalibratedModel:
    """Return the model in a file that `etcdsize calibrate` wrote.

    Parameters
    ----------
    path : str or Path
        The file.

    Raises
    ------
    OptionError
        If there is no such file.
    TableError
        If the file cannot be read, is not such a model, or lacks a coefficient that this version of etcdsize uses.

    Examples
    --------
    >>> load_model("my-model.json")
    Traceback (most recent call last):
    etcdsize.errors.OptionError: path: got "my-model.json", expected a file that etcdsize calibrate wrote
    """
    return _read("path", path)


def _read(option: str, value: object) -> CalibratedModel:
    try:
        found = isinstance(value, (str, Path)) and Path(value).is_file()
    except OSError:
        found = False  # the name is too long, or a directory is not accessible
    if not found:
        text = str(value) if isinstance(value, Path) else value
        raise OptionError(
            f"{option}: got {shown(text)}, expected a file that etcdsize calibrate wrote", option=option, value=text
        )
    return read_table(CalibratedModel, Path(str(value)), is_own=True)


def given_model(model: str | Path | CalibratedModel | None) -> CalibratedModel | None:
    """Return the model, read if it is a file."""
    return model if model is None or isinstance(model, CalibratedModel) else _read("model", model)


def model_of(model: str | Path | CalibratedModel | None, etcd_version: str) -> CalibratedModel | None:
    """Return the model, read if it is a file; reject one of another version of etcd."""
    model = given_model(model)
    if model is None:
        return None
    name = minor_version(etcd_version)
    if model.etcd_version != name:
        raise OptionError(
            f"model: got one that was calibrated on etcd {model.calibrated_on}, expected one for etcd {name}; "
            f"calibrate etcd {name}, or ask for etcd {model.etcd_version}",
            option="model",
            value=model.calibrated_on,
        )
    return model
