"""The wire forms: how each answer is written, in every form the API is known to speak."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

from .jobs import CANCELLED, COMPLETED, FAILED, IN_PROGRESS, IN_QUEUE, Job, iso_time

Payload = dict[str, Any]

BAD_MODEL, NO_BALANCE, BAD_TOKEN, NOT_FINISHED = 400001, 400002, 400004, 400005
NOT_YOURS, NO_SUCH_REQUEST, INVALID_BODY, SERVER_ERROR = 403001, 404001, 422001, 500001
TOO_LARGE, NOT_JSON, NO_SUCH_PATH = 413001, 415001, 404002
_HTTP_STATUS = {
    BAD_MODEL: 404, NO_BALANCE: 402, BAD_TOKEN: 401, NOT_FINISHED: 400, NOT_YOURS: 403,
    NO_SUCH_REQUEST: 404, INVALID_BODY: 422, SERVER_ERROR: 500,
}  # fmt: skip
_ALWAYS = {TOO_LARGE: 413, NOT_JSON: 415, NO_SUCH_PATH: 404, SERVER_ERROR: 500}
"""A web server's own refusals: they have one status in every form."""


class Refusal(Exception):
    """A call that is answered with an error: its code, its text, and the field at fault if there is one."""

    def __init__(self, code: int, text: str, where: str | None = None) -> None:
        super().__init__(text)
        self.code, self.text, self.where = code, text, where


@dataclass(frozen=True)
class Answers:
    """The form of each answer; the defaults are the documented ones.

    With `finished="documented"` the end is `completed` in status and `succeeded` in result; else one word in both.
    With `output="documented"` one image comes as `image`, several as `images`; so do videos and sounds.
    """

    submit_status: int = 200
    submit: Literal["urls", "state"] = "urls"
    queued: Literal["in_queue", "pending", "waiting"] = "in_queue"
    running: Literal["in_progress", "processing", "starting"] = "in_progress"
    finished: Literal["documented", "completed", "succeeded"] = "documented"
    cancelled: Literal["cancelled", "canceled"] = "cancelled"
    cancel_outcome: Literal["cancelled", "cancellation_requested"] = "cancelled"
    unfinished: Literal["state", "error"] = "state"
    output: Literal["documented", "image", "images", "bare_string", "bare_list"] = "documented"
    fails_in: Literal["status", "result"] = "status"
    errors: Literal["documented", "http", "ok"] = "documented"
    """HTTP 400 always; 401, 402, 403, 404, 422; or 200 with the code in the body."""
    error_code: Literal["error_code", "code"] = "error_code"
    error_text: Literal["error_message", "message", "error", "detail", "problems"] = "error_message"
    """The name of the text; `problems` is `detail` as a list of validation problems."""
    urls: Literal["own", "foreign", "none"] = "own"
    echo: bool = False
    """The result repeats the inputs."""


TOLERATED = (
    Answers(
        submit_status=202, submit="state", queued="pending", running="processing", finished="succeeded",
        cancelled="canceled", unfinished="error", output="bare_string", errors="http", error_code="code",
        error_text="detail", urls="none",
    ),
    Answers(
        submit_status=202, submit="state", queued="waiting", running="starting", finished="completed",
        cancelled="canceled", cancel_outcome="cancellation_requested", unfinished="error", output="bare_list",
        fails_in="result", errors="http", error_code="code", error_text="message", urls="none", echo=True,
    ),
    Answers(
        submit_status=202, submit="urls", finished="succeeded", cancelled="canceled", unfinished="error",
        output="images", errors="http", error_text="error",
    ),
    Answers(
        submit_status=202, submit="state", queued="pending", running="processing", cancelled="canceled",
        unfinished="error", output="documented", fails_in="result", errors="http", error_code="code",
        error_text="problems", echo=True,
    ),
    Answers(
        submit_status=202, submit="urls", queued="waiting", running="starting", finished="succeeded",
        cancelled="canceled", unfinished="error", output="image", errors="ok", error_text="message",
    ),
)  # fmt: skip
"""Together they speak every form that is known beside the documented one; they take turns."""


class Forms:
    """Chooses the form: the same for all, or in turns, by the job's number or by the number of errors so far."""

    def __init__(self, answers: str | Payload | Answers) -> None:
        if isinstance(answers, dict):
            answers = Answers(**answers)
        if isinstance(answers, Answers):
            self._turns: tuple[Answers, ...] = (answers,)
        elif answers in ("documented", "tolerated"):
            self._turns = TOLERATED if answers == "tolerated" else (Answers(),)
        else:
            raise ValueError(f"answers is {answers!r}; documented, tolerated, a dict of forms, or Answers")
        self._errors = 0

    def of_job(self, job: Job) -> Answers:
        return self._turns[job.index % len(self._turns)]

    def of_error(self, code: int) -> Answers:
        """Take the next turn. While turns are taken, a bad token and an unfinished result keep their status."""
        form = self._turns[self._errors % len(self._turns)]
        self._errors += 1
        keeps = code in (BAD_TOKEN, NOT_FINISHED) and len(self._turns) > 1
        return replace(form, errors="http") if keeps else form


def state_word(form: Answers, job: Job, state: str, *, in_result: bool) -> str:
    """Name the job's state as this form does."""
    fails_in = (job.outcome.fails_in if job.outcome else None) or form.fails_in
    if state == FAILED and not in_result and fails_in == "result":
        state = COMPLETED
    if state == COMPLETED:
        return ("succeeded" if in_result else COMPLETED) if form.finished == "documented" else form.finished
    return {IN_QUEUE: form.queued, IN_PROGRESS: form.running, CANCELLED: form.cancelled}.get(state, state)


def submitted(form: Answers, base: str, job: Job) -> Payload:
    """Write the answer to an accepted submit."""
    if form.submit == "state":
        return {"request_id": job.request_id, "status": IN_QUEUE}
    return {"request_id": job.request_id} | _urls(form, base, job, ("status", "result", "cancel"))


def status(form: Answers, base: str, job: Job) -> Payload:
    """Write the state of now."""
    state = job.state
    word = state_word(form, job, state, in_result=False)
    payload: Payload = {"request_id": job.request_id, "status": word}
    if state == IN_QUEUE:
        payload["queue_position"] = job.queue_position
    if word == FAILED:
        payload |= _reason(job)
    return payload | _urls(form, base, job, ("status", "result"))


def result(form: Answers, job: Job, state: str, uris: list[str], *, with_cost: bool) -> Payload:
    """Write the result of a job that was found in this state.

    Raises: Refusal while the job is unfinished, in the form that has an error for it.
    """
    word = state_word(form, job, state, in_result=True)
    unfinished = state in (IN_QUEUE, IN_PROGRESS)
    if unfinished and form.unfinished == "error":
        raise Refusal(NOT_FINISHED, f"The request is not finished yet: {word}.")
    payload: Payload = {
        "request_id": job.request_id, "status": word,
        "model_id": job.model_id, "created_at": iso_time(job.created_at),
    }  # fmt: skip
    if form.echo:
        payload["input"] = job.body
    if state == COMPLETED:
        outcome = job.outcome
        medium = (outcome.medium if outcome else None) or job.asked.output
        payload["output"] = output(form, uris * 2 if outcome and outcome.repeated else uris, medium)
    if state == FAILED:
        payload |= _reason(job)
    if not unfinished:
        payload["finished_at"] = iso_time(job.finished_at)
        if with_cost:
            payload["cost"] = job.cost
    return payload


def cancel_answer(form: Answers, job: Job, *, was_queued: bool, cancelled: bool) -> Payload:
    """Write what became of a cancel; where it is only requested, the state told is still the queue's."""
    if cancelled and was_queued and form.cancel_outcome == "cancellation_requested":
        return {"request_id": job.request_id, "status": form.queued, "outcome": "cancellation_requested"}
    outcome = "cancelled" if cancelled else "not_cancellable"
    word = state_word(form, job, job.state, in_result=False)
    return {"request_id": job.request_id, "status": word, "outcome": outcome}


def output(form: Answers, uris: list[str], medium: str = "image") -> Payload | str | list[str]:
    """Write the files; a form for one file falls back to its list where there are several."""
    if form.output in ("bare_string", "bare_list"):
        return uris[0] if form.output == "bare_string" and len(uris) == 1 else uris
    if not uris and form.output != "images":
        return {}
    return {medium: uris[0]} if len(uris) == 1 and form.output != "images" else {f"{medium}s": uris}


def error(form: Answers, refusal: Refusal) -> tuple[int, Payload]:
    """Return the HTTP status and the body of an error."""
    by_form = {"http": _HTTP_STATUS.get(refusal.code, 400), "ok": 200, "documented": 400}
    http_status = _ALWAYS.get(refusal.code, by_form[form.errors])
    payload: Payload = {form.error_code: refusal.code}
    if form.error_text == "problems":
        where = ["body", *(refusal.where or "").split(".")] if refusal.where else ["body"]
        return http_status, payload | {"detail": [{"loc": where, "msg": refusal.text, "type": "value_error"}]}
    return http_status, payload | {form.error_text: refusal.text}


def _reason(job: Job) -> Payload:
    reason = job.outcome.fails if job.outcome else None
    return {"error": reason} if reason else {}


def _urls(form: Answers, base: str, job: Job, names: tuple[str, ...]) -> Payload:
    if form.urls == "none":
        return {}
    start = base if form.urls == "own" else "https://collector.example/v1"
    return {f"{name}_url": f"{start}/requests/{job.request_id}/{name}" for name in names}
