"""The answers that commands print as JSON: the one place that knows which model each answer has, and its schema."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Literal, NamedTuple

__all__ = ["ANSWERS", "Answered", "schema_of"]

_DRAFT = "https://json-schema.org/draft/2020-12/schema"


class Answered(NamedTuple):
    """One answer: the command that prints it, or "" for all of them, what it holds, and where its model is."""

    command: str
    meaning: str
    module: str
    model: str
    mode: Literal["serialization", "validation"] | None = "serialization"
    """validation: fields may be left out, as in a file of the user's own. None: `model` is a function of the schema."""


ANSWERS = {
    "size": Answered("size", "what one cluster needs, and why", "etcdsize.sizing.answer", "Sizing"),
    "fleet": Answered("fleet", "the summary of a file of clusters", "etcdsize.files.summary", "FleetSummary"),
    "fleet-row": Answered(
        "fleet", "a row that is written as JSON", "etcdsize.cli.row_schemas", "fleet_row_schema", None
    ),
    "fit": Answered("fit", "the machines and disks that are enough", "etcdsize.fitting.model", "Fit"),
    "resources": Answered(
        "resources", "what a load takes of every member", "etcdsize.resources.resources", "Resources"
    ),
    "settings": Answered("settings", "etcd's settings for a load", "etcdsize.plan.settings", "EtcdSettings"),
    "runbook": Answered("runbook", "the commands to operate a cluster", "etcdsize.operations.runbook", "Runbook"),
    "terraform-external": Answered(
        "terraform-external", "the answer to a query of Terraform", "etcdsize.plan.terraform", "answer_schema", None
    ),
    "observe": Answered(
        "observe",
        "the load of one running cluster, and what it needs",
        "etcdsize.observation.answer",
        "ObservedCluster",
    ),
    "observe-targets": Answered(
        "observe", "the summary of many running clusters, with --targets", "etcdsize.observation.fleet", "ObservedFleet"
    ),
    "observe-row": Answered(
        "observe",
        "a row that is written as JSON, with --targets",
        "etcdsize.cli.row_schemas",
        "observed_row_schema",
        None,
    ),
    "tiers": Answered("tiers", "the bounds of the tiers", "etcdsize.tiers", "TierTable"),
    "machines": Answered("machines", "the machines of a catalog", "etcdsize.catalog.catalog", "Catalog"),
    "catalog": Answered(
        "catalog import",
        "a catalog, as catalog import writes it and --catalog reads it",
        "etcdsize.catalog.catalog",
        "Catalog",
        "validation",
    ),
    "measured-disk": Answered(
        "catalog from-fio", "what a disk sustains, as fio measured it", "etcdsize.catalog.fio", "MeasuredDisk"
    ),
    "model": Answered(
        "calibrate",
        "a model, as calibrate writes it and --model reads it",
        "etcdsize.resources.calibrated_model",
        "CalibratedModel",
    ),
    "error": Answered(
        "", "an error, on standard error, of a command with --json", "etcdsize.cli.error_report", "error_schema", None
    ),
}
"""Every answer by the name of its schema."""


def schema_of(name: str) -> dict[str, Any]:
    """Return the JSON schema (draft 2020-12) of an answer."""
    answer = ANSWERS[name]
    described = getattr(import_module(answer.module), answer.model)
    schema = described() if answer.mode is None else described.model_json_schema(mode=answer.mode)
    for part in (schema, *schema.get("$defs", {}).values()):
        if "description" in part:
            # A docstring goes on with errors and examples in Python.
            part["description"] = " ".join(part["description"].split("\n\n")[0].split())
    # Rows have the columns of their file, and so no version.
    version = schema["properties"].get("format_version", {}).get("const", 1)
    return {"$schema": _DRAFT, "$id": f"urn:etcdsize:schema:{name}:{version}", **schema}
