"""How the provider's answers are written: the documented forms, and those that clients have met beside them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .provider import Job

JSONObject = dict[str, object]

BAD_MODEL, NO_BALANCE, BAD_TOKEN, NOT_FINISHED = 400001, 400002, 400004, 400005
NOT_YOURS, NO_SUCH_REQUEST = 403001, 404001
_STATUS = {NO_BALANCE: 402, BAD_TOKEN: 401, NOT_YOURS: 403, NO_SUCH_REQUEST: 404}
_REFUSED_CANCEL = "The job can no longer be cancelled."


class Refusal(Exception):
    """A call that is answered with an error."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


@dataclass(frozen=True)
class Form:
    """One way to write the answers about a job; the defaults are the documented ones."""

    submit_status: int = 200
    submit: str = "urls"
    queued: str = "in_queue"
    running: str = "in_progress"
    finished: str = "completed"
    finished_in_result: str = "succeeded"
    cancelled: str = "cancelled"
    cancel: str = "documented"
    unfinished: str = "state"
    output: str = "documented"
    errors: str = "http"
    code: str = "error_code"
    text: str = "error_message"
    echo: bool = False
    bare_host: bool = False


CHOICES: dict[str, tuple[object, ...]] = {
    "submit_status": (200, 202, 201),
    "submit": ("urls", "state", "foreign"),
    "queued": ("in_queue", "pending", "waiting"),
    "running": ("in_progress", "processing", "starting"),
    "finished": ("completed", "succeeded"),
    "finished_in_result": ("succeeded", "completed"),
    "cancelled": ("cancelled", "canceled"),
    "cancel": ("documented", "requested", "state"),
    "unfinished": ("state", "error"),
    "output": ("documented", "image", "images", "bare", "list", "objects"),
    "errors": ("http", "400", "200"),
    "code": ("error_code", "code"),
    "text": ("error_message", "message", "error", "detail", "problems"),
    "echo": (False, True),
}
"""Every form that the pack has always taken."""

VENDOR_CHOICES: dict[str, tuple[object, ...]] = {
    "cancel": ("empty", "requested_and_cancelled"),
    "output": ("empty_object_beside_image",),
    "bare_host": (True,),
}
"""Forms that the vendor's own client takes beside them."""


def draw_form(random: Random, vendor: bool) -> Form:
    """Return the documented form, or one of any mixture."""
    if random.random() < 0.3 and not vendor:
        return Form()
    values = {name: choices[int(random.random() * len(choices))] for name, choices in CHOICES.items()}
    if vendor:
        name = sorted(VENDOR_CHOICES)[int(random.random() * len(VENDOR_CHOICES))]
        values[name] = VENDOR_CHOICES[name][int(random.random() * len(VENDOR_CHOICES[name]))]
    assert set(values) <= {field.name for field in fields(Form)}
    return Form(**values)  # type: ignore[arg-type]


def word(job: Job, state: str, *, in_result: bool = False) -> str:
    """Name a state as the job's form does."""
    form = job.form
    if state == "failed" and not in_result and job.fate.kind == "fails_late":
        return form.finished
    if state == "completed":
        return form.finished_in_result if in_result else form.finished
    return {"in_queue": form.queued, "in_progress": form.running, "cancelled": form.cancelled}.get(state, state)


def submitted(job: Job) -> JSONObject:
    """Write the answer to an accepted submission."""
    if job.form.submit == "state":
        return {"request_id": job.request_id, "status": job.form.queued}
    base = "https://model-api.runcomfy.net/v1" if job.form.submit == "urls" else "https://elsewhere.example/v1"
    start = f"{base}/requests/{job.request_id}"
    urls = {f"{name}_url": f"{start}/{name}" for name in ("status", "result", "cancel")}
    return {"request_id": job.request_id, **urls}


def status(job: Job, state: str, now: float) -> JSONObject:
    """Write the answer about a state."""
    answer: JSONObject = {"request_id": job.request_id, "status": word(job, state)}
    if state == "in_queue":
        answer["queue_position"] = int(job.starts - now)
    if answer["status"] == "failed":
        answer["error"] = "The model refused."
        if job.fate.kind == "fails_charged":
            answer["cost"] = job.cost
    return answer


def result(job: Job, state: str, uris: list[str], now: float) -> JSONObject:
    """Write the result.

    Raises:
        Refusal: it is not finished, in the form that has an error for that.
    """
    if state in ("in_queue", "in_progress") and job.form.unfinished == "error":
        raise Refusal(NOT_FINISHED, "The request is not finished yet.")
    answer: JSONObject = {
        "request_id": job.request_id,
        "status": word(job, state, in_result=True),
        "model_id": job.model_id,
    }
    if job.form.echo:
        answer["input"] = job.body
    if state == "failed":
        answer["error"] = {"message": "The model refused."}
    if state == "completed":
        answer["output"] = output(job, uris)
    if state in ("completed", "failed", "cancelled") and _cost_is_told(job, now):
        answer["cost"] = job.cost
    return answer


def _cost_is_told(job: Job, now: float) -> bool:
    if job.fate.kind in ("cost_never", "blocked_no_cost"):
        return False
    return job.fate.kind != "cost_late" or now >= job.ends + job.fate.value


def output(job: Job, uris: list[str]) -> object:
    """Write the files of a result."""
    if job.fate.kind == "output_unread":
        return {"images": [{"image_url": uri} for uri in uris]}
    match job.form.output:
        case "bare" if len(uris) == 1:
            return uris[0]
        case "bare" | "list":
            return list(uris)
        case "images":
            return {"images": list(uris)}
        case "objects":
            return {"images": [{"url": uri} for uri in uris]}
        case "empty_object_beside_image" if len(uris) == 1:
            return {"images": [{}], "image": uris[0]}
    if not uris:
        return {}
    return {"image": uris[0]} if len(uris) == 1 else {"images": list(uris)}


def cancelled(job: Job, was_queued: bool, state: str) -> JSONObject:
    """Write what became of a cancel."""
    answer: JSONObject = {"request_id": job.request_id, "status": word(job, state)}
    gone = state == "cancelled"
    match job.form.cancel:
        case "empty" if not gone:
            return {}
        case "requested" if gone and was_queued:
            return {**answer, "status": job.form.queued, "outcome": "cancellation_requested"}
        case "requested_and_cancelled" if gone:
            return {**answer, "outcome": "cancellation_requested"}
        case "state":
            return answer
    return {**answer, "outcome": "cancelled" if gone else "not_cancellable"}


def refused(form: Form, refusal: Refusal) -> tuple[int, JSONObject]:
    """Return the HTTP status and the body of an error."""
    status = {"400": 400, "200": 200}.get(form.errors, _STATUS.get(refusal.code, 400))
    if form.text == "problems":
        return status, {form.code: refusal.code, "detail": [{"loc": ["body"], "msg": refusal.text}]}
    return status, {form.code: refusal.code, form.text: refusal.text}
