"""The jobs of kept files, beside these: what is known of them while the record cannot be reached."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from typing import Any

from ..file_cache import FileCache
from ..job import Job, NewJob

# The id of a job that the record does not have.
UNRECORDED = 0
_KNOWN = ("fingerprint", "account", "model_id", "size", "count", "request_id", "created_at", "submitted_at",
          "duration", "cost", "files", "name", "kind", "node_id")  # fmt: skip
_NOTHING = dict.fromkeys((column.name for column in fields(Job)), None)


def label(cache: FileCache, job: Job) -> None:
    """Write beside the kept files of a job what it is."""
    known = asdict(job)
    cache.label(job.name, json.dumps({name: known[name] for name in _KNOWN}))


def kept_job(cache: FileCache, fingerprint: str = "", request_id: str = "") -> Job | None:
    """Return the delivered job of these inputs, or of this id, whose files are kept here; None where none is."""
    found = [job for job in map(_parse, cache.labels()) if job is not None]
    same = [job for job in found if fingerprint in ("", job.fingerprint) and request_id in ("", job.request_id)]
    return max(same, key=lambda job: job.created_at, default=None)


def unrecorded(new_job: NewJob, request_id: str, now: float) -> Job:
    """Return a job of which nothing is known but its id, to collect it."""
    given = {"fingerprint": new_job.fingerprint, "account": new_job.account, "model_id": new_job.model_id}
    text = {**_NOTHING, **given, "size": "", "request_id": request_id, "created_at": now, "submitted_at": now}
    job = _made({**text, "files": (), "name": f"unrecorded-{request_id}", "kind": "", "node_id": ""})
    return replace(job, state="submitted", has_result=False)


def _parse(text: str) -> Job | None:
    """Read a label; None for what another version wrote."""
    try:
        known = json.loads(text)
        return _made({**_NOTHING, **known, "files": tuple(map(str, known["files"]))})
    except (ValueError, KeyError, TypeError):
        return None


def _made(given: Mapping[str, Any]) -> Job:
    known = {"id": UNRECORDED, "state": "delivered", "owner": "", "has_result": True, "retry_allowed": False}
    return Job(**{**given, **known})
