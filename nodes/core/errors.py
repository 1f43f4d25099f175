"""The error tree. A failure is data: what happened, was it charged, which request, what next.

PackError
  ConfigError                      bad token, bad base URL, no state folder
    NoToken                        nothing is set up yet
  InvalidInput(field)              before anything is spent
  OverBudget                       before anything is spent
  ModelChanged                     before anything is spent
  ApiError
    ConnectionFailed               nothing was sent
    AnswerLost                     sent; the answer did not arrive whole
    SubmissionUnknown              sent; the answer was lost
    StatusError -> Unauthorized, InsufficientBalance, Rejected, NotFound, RateLimited, ServerFault
                     NotFound -> OtherAccount
    ProtocolError                  unreadable, or an unknown state
  JobError -> JobFailed, JobCancelled, JobTimedOut
  DownloadError -> UntrustedUrl, TooLarge, Undecodable, OtherMedium, FileGone
  JournalError                     the record of paid jobs cannot be kept

A raise site names a kind and its values; the words are in ``locales/<language>/messages.json``: ``failure.<kind>``
for what happened, ``next.<kind>`` for what to do. The class decides what the code does, and the charge by default.
The host's interrupt is outside the tree and is never wrapped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, ClassVar, TypeVar

from .texts import Note, Param, note, say

E = TypeVar("E", bound="PackError")

INPUT_PARAMS = ("field", "first", "last")

GENERATIONS_PAGE = "https://www.runcomfy.com/generations"
PROFILE_PAGE = "https://www.runcomfy.com/profile"
BALANCE_PAGE = "https://www.runcomfy.com"
_FAMILY = "failure."


class Charge(str, Enum):
    """Whether money was taken."""

    NO = "no"
    YES = "yes"
    UNKNOWN = "unknown"


def failed(kind: str, /, **params: Param) -> Note:
    """Return what happened."""
    return note(f"{_FAMILY}{kind}", **params)


def step(kind: str, /, **params: Param) -> Note:
    """Return a next step for a person."""
    return note(f"next.{kind}", **params)


RUN_AGAIN = step("run_again")
RUN_SAME_INPUTS = step("run_same_inputs")
COLLECT = step("collect")
FETCH_AGAIN = step("fetch_again")
NEW_JOB = step("new_job")
FREE_DISK = step("free_disk")
LOOK_AT_GENERATIONS = step("look_at_generations", url=GENERATIONS_PAGE)


@dataclass(frozen=True)
class Failure:
    """What happened, as data: ``note`` says it, ``next`` what to do about it.

    ``reason`` is the provider's own text, ``cost`` is in USD. Of a list, ``items`` tell what befell each of those
    that failed, and ``cost`` is that of the whole run; of a refusal, they name each input.
    """

    note: Note
    charge: Charge
    next: tuple[Note, ...] = ()
    reason: str | None = None
    cost: float | None = None
    request_id: str | None = None
    items: tuple[Note, ...] = ()

    @property
    def kind(self) -> str:
        """A stable word for what happened."""
        return self.note.kind.removeprefix(_FAMILY)

    @property
    def charged(self) -> Note:
        """Whether money was taken, and how much where that is known."""
        paid = "" if self.cost is None or self.charge is not Charge.YES else "_cost"
        return note(f"receipt.{self.charge.value}{paid}", cost_usd=self.cost)

    def payload(self) -> dict[str, object]:
        """Return it as a JSON value: what the page says in its own words."""
        return {
            **self.note.payload(),
            "kind": self.kind,
            "charge": self.charge.value,
            "cost": self.cost,
            "request_id": self.request_id,
            "reason": self.reason,
            "next": [each.payload() for each in self.next],
            "items": [each.payload() for each in self.items],
        }

    def receipt(self) -> str:
        """Return the whole of it in English, a line each."""
        lines = [str(self.note)]
        if self.reason:
            lines.append(say("receipt.reason", reason=self.reason))
        lines += map(str, self.items)
        lines.append(str(self.charged))
        if self.request_id:
            lines.append(say("receipt.request", request_id=self.request_id))
        if self.next:
            lines.append(say("receipt.next", steps=" ".join(map(str, self.next))))
        return "\n".join(lines)


class PackError(Exception):
    """A failure that a person can act on: ``failure`` is all of it, ``str(error)`` the receipt in English.

    ``kind`` names a text, and ``params`` are the values in it; a note has both. ``charge`` and ``next`` have a
    default for each class.
    """

    default_charge: ClassVar[Charge] = Charge.NO
    default_next: ClassVar[tuple[Note, ...]] = ()

    def __init__(
        self,
        kind: str | Note,
        *,
        reason: str | None = None,
        charge: Charge | None = None,
        cost: float | None = None,
        request_id: str | None = None,
        next: tuple[Note, ...] | None = None,
        **params: Param,
    ) -> None:
        told = failed(kind, **params) if isinstance(kind, str) else kind
        super().__init__(told.kind)
        steps = self.default_next if next is None else next
        self.failure = Failure(told, charge or self.default_charge, steps, reason, cost, request_id)

    _follow: tuple[Callable[[], object], ...] = ()

    def once_told(self: E, *follow: Callable[[], object]) -> E:
        """Return this error, with what is to be done once a person has been told of it."""
        self._follow += follow
        return self

    def was_told(self) -> None:
        """Do what was to be done then. Whoever shows the error calls this right after."""
        for do in self._follow:
            do()

    def __str__(self) -> str:
        return self.failure.receipt()

    @property
    def note(self) -> Note:
        """What happened, alone."""
        return self.failure.note

    @property
    def message(self) -> str:
        """What happened, in one English sentence."""
        return str(self.failure.note)

    def but(self: E, **changes: Any) -> E:
        """Return the same error with another ``failure``; this one stays as it was raised."""
        made = type(self).__new__(type(self), *self.args)
        made.__dict__.update(self.__dict__, failure=replace(self.failure, **changes))
        return made


class ConfigError(PackError):
    """The pack is not set up: no token, a bad base URL, an unusable state folder."""


class NoToken(ConfigError):
    """There is no token yet; the page asks for one."""


class InvalidInput(PackError):
    """An input was refused before anything was sent. ``field`` is the widget's or socket's name.

    Which values name inputs, ``INPUT_PARAMS`` tells: a shell has flags for them.
    """

    def __init__(self, field: str, kind: str, **params: Param) -> None:
        super().__init__(failed(kind, field=field, **params), next=(step("change_field", field=field),))
        self.field = field


class OverBudget(PackError):
    """The day's budget would be passed; nothing was sent."""

    default_next = (step("raise_budget"),)


class ModelChanged(PackError):
    """The model does not take these inputs any more; nothing was sent. ``items`` of the failure name each."""


class ApiError(PackError):
    """A call of the model API did not succeed."""


class ConnectionFailed(ApiError):
    """No connection was made, so nothing was sent. ``may_repeat`` is false where another try cannot help."""

    default_next = (step("check_network"),)

    def __init__(
        self, kind: str, *, may_repeat: bool = True, next: tuple[Note, ...] | None = None, **params: Param
    ) -> None:
        super().__init__(failed(kind, **params), next=next)
        self.may_repeat = may_repeat


class AnswerLost(ApiError):
    """The call was sent and its answer did not arrive, or not whole. Reads are repeated after it."""

    default_next = (RUN_SAME_INPUTS,)


class SubmissionUnknown(ApiError):
    """The job was sent and the answer was lost: it may have been accepted and charged."""

    default_charge = Charge.UNKNOWN
    default_next = (step("look_for_job", url=GENERATIONS_PAGE), NEW_JOB)


class StatusError(ApiError):
    """The API answered with an error.

    ``status`` is the HTTP status, ``code`` the API's own (0 when absent), ``headers`` those of the answer.
    """

    def __init__(
        self,
        kind: str,
        *,
        status: int,
        code: int = 0,
        reason: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        answer = note("http.code", status=status, code=code) if code else note("http.status", status=status)
        super().__init__(kind, reason=reason, status=status, code=code, answer=answer)
        self.status = status
        self.code = code
        self.headers = headers or {}


class Unauthorized(StatusError):
    """The token is missing, wrong or expired, or the account is inactive."""

    default_next = (step("check_token", url=PROFILE_PAGE),)


class InsufficientBalance(StatusError):
    """The account has no balance for this job."""

    default_next = (step("add_balance", url=BALANCE_PAGE),)


class Rejected(StatusError):
    """The API refused the input of the job."""

    default_next = (step("change_named_input"),)


class NotFound(StatusError):
    """No such request or model, or it has expired."""


class OtherAccount(NotFound):
    """The request belongs to another account: nothing else says that a job is not this account's."""


class RateLimited(StatusError):
    """Too many calls for now (HTTP 429)."""

    default_next = (step("wait_a_minute"),)


class ServerFault(StatusError):
    """The API itself failed (5xx, or a server-side code)."""

    default_next = (step("run_later"),)


class ProtocolError(ApiError):
    """The answer could not be read (``may_repeat``), or it names a state that is not known."""

    def __init__(self, kind: str, *, may_repeat: bool = True, **params: Param) -> None:
        super().__init__(failed(kind, **params))
        self.may_repeat = may_repeat


class JobError(PackError):
    """The job was accepted and did not end with images."""

    default_charge = Charge.UNKNOWN


class JobFailed(JobError):
    """The provider ended the job without a result."""


class JobCancelled(JobError):
    """The job was cancelled while it was queued."""

    default_charge = Charge.NO
    default_next = (step("submit_new_job"),)


class JobTimedOut(JobError):
    """The job's own deadline passed; the job may still finish and can be collected."""

    default_next = (step("wait_on"),)


class DownloadError(PackError):
    """An image that was paid for could not be fetched; the job stays recoverable."""

    default_charge = Charge.YES
    default_next: ClassVar[tuple[Note, ...]] = (FETCH_AGAIN,)


class UntrustedUrl(DownloadError):
    """The answer named an address that is not fetched."""

    default_next = (step("trust_host"),)


class TooLarge(DownloadError):
    """A file has more bytes or pixels than the pack reads, or makes more work. It would the next time as well."""

    default_next = (LOOK_AT_GENERATIONS,)


class Undecodable(DownloadError):
    """A file cannot be decoded."""


class OtherMedium(DownloadError):
    """A whole file is there, and kept, that is a video where images were expected, or the like."""

    default_next = (LOOK_AT_GENERATIONS,)


class FileGone(DownloadError):
    """The hosted file is not there. ``status`` is 404 or 403, which may pass just after the job's end, or 410."""

    default_next = (step("files_expire"), NEW_JOB)

    def __init__(self, kind: str, *, status: int) -> None:
        super().__init__(kind, status=status)
        self.status = status


class JournalError(PackError):
    """The record of paid jobs cannot be read or written, so nothing is spent."""
