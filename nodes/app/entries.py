"""Jobs of the record as JSON values for the page, and as rows of a table. No token is in them."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from ..core.media.file_type import HEAD_BYTES, FileType, type_of_head
from ..core.schema.outputs import DEFAULT_OUTPUT
from ..core.store.history import Entry
from ..core.store.job import Job, JobInputs
from .catalogue.here import HERE

JSONObject = dict[str, object]

PROMPT_START = 300
COLUMNS = (
    "id",
    "request_id",
    "model_id",
    "node_id",
    "kind",
    "prompt",
    "seed",
    "size",
    "count",
    "state",
    "created_at",
    "submitted_at",
    "ended_at",
    "duration",
    "estimate",
    "cost",
    "charge",
)
TIMES = ("created_at", "submitted_at", "ended_at")
# A spreadsheet takes what begins so for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def model_view(model_id: str) -> JSONObject:
    """Return the id of a model and the name that people know it by."""
    spec = HERE.model(model_id)
    return {"model_id": model_id, "model": spec.display_name if spec else model_id}


def kind_of(job: Job) -> str:
    """Return the kind of a job's files; where nothing tells it, the usual one."""
    spec = HERE.model(job.model_id)
    return job.kind or (spec.output_kind if spec else DEFAULT_OUTPUT)


def charge_of(job: Job) -> str:
    """Return whether money was taken for a job: ``charged``, ``none`` or ``unknown``."""
    if job.state in ("refused", "cancelled"):
        return "none"
    if job.cost is None:
        return "unknown"
    return "charged" if job.cost > 0 else "none"


def type_of_kept(path: Path) -> FileType | None:
    """Return what a kept file is; None where it is not known, or not there any more. Blocking."""
    try:
        with path.open("rb") as file:
            return type_of_head(file.read(HEAD_BYTES))
    except OSError:
        return None


def entry_view(entry: Entry, kept: Mapping[int, Path]) -> JSONObject:
    """Return a job as the page lists it; ``kept`` are its files on this machine. Blocking."""
    job = entry.job
    count = max((len(job.files), *(index + 1 for index in kept)))
    return {
        **_plain(job),
        **model_view(job.model_id),
        "prompt": entry.prompt[:PROMPT_START],
        "seed": entry.seed,
        "files": [_file_view(index, kept.get(index)) for index in range(count)],
        "hosted": [file for file in job.files if file.startswith(("https://", "http://"))],
        "outcome": job.outcome.payload() if job.outcome else None,
        "needs": entry.need,
        "live": entry.live,
        "retry_allowed": job.retry_allowed,
    }


def inputs_view(inputs: JobInputs | None) -> JSONObject:
    """Return the inputs that are kept of a job: ``inputs`` by name, and ``media``."""
    media = inputs.media if inputs else ()
    return {
        "inputs": dict(inputs.scalars) if inputs else {},
        "media": [{"socket": socket, "sha256": digest} for socket, digest in media],
    }


def receipt_view(job: Job, inputs: JobInputs | None) -> JSONObject:
    """Return what is kept beside saved files: model, inputs, request, cost and times."""
    plain = {name: value for name, value in _plain(job).items() if name not in ("id", "estimate")}
    times = {name: _moment(plain[name]) for name in TIMES}
    return {**plain, **model_view(job.model_id), **times, **inputs_view(inputs)}


def table(entries: Iterable[Entry]) -> str:
    """Return jobs as CSV, without a heading; times are local ones as ISO 8601 writes them."""
    text = io.StringIO()
    writer = csv.writer(text)
    for entry in entries:
        row = {**_plain(entry.job), "prompt": entry.prompt, "seed": entry.seed}
        for name in TIMES:
            row[name] = _moment(row[name])
        writer.writerow([_cell(row[name]) for name in COLUMNS])
    return text.getvalue()


def heading() -> str:
    """Return the heading of the table."""
    return ",".join(COLUMNS) + "\r\n"


def _plain(job: Job) -> JSONObject:
    spec = HERE.model(job.model_id)
    return {
        "id": job.id,
        "request_id": job.request_id or "",
        "model_id": job.model_id,
        "node_id": job.node_id or (spec.node_id if spec else ""),
        "kind": kind_of(job),
        "size": job.size,
        "count": job.count,
        "state": job.state,
        "created_at": job.created_at,
        "submitted_at": job.submitted_at,
        "ended_at": job.ended_at,
        "duration": job.duration,
        "estimate": job.estimate,
        "cost": job.cost,
        "charge": charge_of(job),
    }


def _file_view(index: int, path: Path | None) -> JSONObject:
    found = type_of_kept(path) if path else None
    return {"index": index, "kept": path is not None, "type": found.mime if found else ""}


def _moment(value: object) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S%z", time.localtime(value)) if isinstance(value, float) else ""


def _cell(value: object) -> object:
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return "" if value is None else value
