"""The error tree. Every message is a receipt: what happened, was it charged, which request, what next.

PackError
  ConfigError                      bad token, bad base URL, no state folder
    NoToken                        nothing is set up yet
  InvalidInput(field)              before anything is spent
  OverBudget                       before anything is spent
  ApiError
    ConnectionFailed               nothing was sent
    AnswerLost                     sent; the answer did not arrive whole
    SubmissionUnknown              sent; the answer was lost
    StatusError -> Unauthorized, InsufficientBalance, Rejected, NotFound, RateLimited, ServerFault
    ProtocolError                  unreadable, or an unknown state
  JobError -> JobFailed, JobCancelled, JobTimedOut
  DownloadError -> UntrustedUrl, TooLarge, Undecodable, FileGone
  JournalError                     the record of paid jobs cannot be kept

The host's interrupt is outside the tree and is never wrapped.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import ClassVar

GENERATIONS_PAGE = "https://www.runcomfy.com/generations"
PROFILE_PAGE = "https://www.runcomfy.com/profile"


class Charge(Enum):
    """Whether money was taken, in the words shown to a person."""

    NO = "no"
    YES = "yes"
    UNKNOWN = "not known"


class PackError(Exception):
    """A failure that a person can act on.

    ``message`` says what happened in one sentence. ``reason`` is the provider's own text, ``cost`` is in USD.
    ``charge`` and ``advice`` have a default for each class. ``str(error)`` is the whole receipt.
    """

    charge: Charge = Charge.NO
    advice: str = ""
    default_charge: ClassVar[Charge] = Charge.NO
    default_advice: ClassVar[str] = ""

    def __init__(
        self,
        message: str,
        request_id: str | None = None,
        *,
        reason: str | None = None,
        charge: Charge | None = None,
        cost: float | None = None,
        advice: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.request_id = request_id
        self.reason = reason
        self.cost = cost
        self.charge = charge or self.default_charge
        self.advice = self.default_advice if advice is None else advice

    def __str__(self) -> str:
        lines = [self.message]
        if self.reason:
            lines.append(f"Reason given: {self.reason}")
        lines.append(f"Charged: {self.charge.value}{money(self.cost, ', ')}.")
        if self.request_id:
            lines.append(f"Request: {self.request_id}")
        if self.advice:
            lines.append(f"Next: {self.advice}")
        return "\n".join(lines)


def money(usd: float | None, before: str = "") -> str:
    """Write an amount in USD, four decimals at most and two at least; nothing when it is not known."""
    if usd is None:
        return ""
    text = f"{usd:.4f}"
    return f"{before}${text[:-2] if text.endswith('00') else text}"


class ConfigError(PackError):
    """The pack is not set up: no token, a bad base URL, an unusable state folder."""


class NoToken(ConfigError):
    """There is no token yet; the page asks for one."""


class InvalidInput(PackError):
    """An input was refused before anything was sent. ``field`` is the widget's or socket's name.

    Where several inputs are refused together, ``inputs`` names them, and stands in ``problem`` for ``{}``.
    """

    def __init__(self, field: str, problem: str, inputs: str = "") -> None:
        told = problem.format(inputs) if inputs else problem
        super().__init__(f"{field}: {told}", advice=f"Change {field} and run again. Nothing was sent.")
        self.field = field
        self.problem = problem
        self.inputs = inputs


class OverBudget(PackError):
    """The day's budget would be passed; nothing was sent."""


class ApiError(PackError):
    """A call of the model API did not succeed."""


class ConnectionFailed(ApiError):
    """No connection was made, so nothing was sent. ``may_repeat`` is false where another try cannot help.

    ``obstacle`` is what stood in the way: ``certificate``, ``proxy``, ``address`` or ``network``.
    """

    default_advice = "Check the network, the proxy and the certificates, then run again."

    def __init__(
        self, message: str, *, may_repeat: bool = True, advice: str | None = None, obstacle: str = "network"
    ) -> None:
        super().__init__(message, advice=advice)
        self.may_repeat = may_repeat
        self.obstacle = obstacle


class AnswerLost(ApiError):
    """The call was sent and its answer did not arrive, or not whole. Reads are repeated after it."""

    default_advice = "Run the same inputs again."


class SubmissionUnknown(ApiError):
    """The job was sent and the answer was lost: it may have been accepted and charged."""

    default_charge = Charge.UNKNOWN
    default_advice = (
        f"Look at {GENERATIONS_PAGE} whether the job is there. "
        "Running again submits a new job, which is charged on its own."
    )


class StatusError(ApiError):
    """The API answered with an error.

    ``status`` is the HTTP status, ``code`` the API's own (0 when absent), ``headers`` those of the answer.
    """

    def __init__(
        self,
        message: str,
        request_id: str | None = None,
        *,
        status: int = 0,
        code: int = 0,
        reason: str | None = None,
        charge: Charge | None = None,
        advice: str | None = None,
    ) -> None:
        detail = f"HTTP {status}" + (f", code {code}" if code else "")
        super().__init__(f"{message} ({detail})", request_id, reason=reason, charge=charge, advice=advice)
        self.status = status
        self.code = code
        self.headers: Mapping[str, str] = {}


class Unauthorized(StatusError):
    """The token is missing, wrong or expired, or the account is inactive."""

    default_advice = f"Check the token in Settings > RunComfy or RUNCOMFY_API_TOKEN; it is made at {PROFILE_PAGE}."


class InsufficientBalance(StatusError):
    """The account has no balance for this job."""

    default_advice = "Add balance at https://www.runcomfy.com, then run again."


class Rejected(StatusError):
    """The API refused the input of the job."""

    default_advice = "Change the input that the reason names, then run again."


class NotFound(StatusError):
    """No such request or model, or it has expired, or it belongs to another account."""


class RateLimited(StatusError):
    """Too many calls for now (HTTP 429)."""

    default_advice = "Wait a minute, then run again."


class ServerFault(StatusError):
    """The API itself failed (5xx, or a server-side code)."""

    default_advice = "Run again in a few minutes."


class ProtocolError(ApiError):
    """The answer could not be read (``may_repeat``), or it names a state that is not known."""

    def __init__(self, message: str, *, may_repeat: bool = True) -> None:
        super().__init__(message)
        self.may_repeat = may_repeat


class JobError(PackError):
    """The job was accepted and did not end with images."""

    default_charge = Charge.UNKNOWN


class JobFailed(JobError):
    """The provider ended the job without a result."""


class JobCancelled(JobError):
    """The job was cancelled while it was queued."""

    default_charge = Charge.NO
    default_advice = "Run again to submit a new job."


class JobTimedOut(JobError):
    """The job's own deadline passed; the job may still finish and can be collected."""

    default_advice = "Run the same inputs again: the pack goes on waiting for this job and does not pay twice."


class DownloadError(PackError):
    """An image that was paid for could not be fetched; the job stays recoverable."""

    default_charge = Charge.YES
    default_advice = "Run the same inputs again: the images are fetched again, without a new charge."


class UntrustedUrl(DownloadError):
    """The answer named an address that is not fetched."""

    default_advice = (
        "If you trust this host, add it to RUNCOMFY_DOWNLOAD_HOSTS and run the same inputs again; "
        "there is no new charge."
    )


class TooLarge(DownloadError):
    """A file has more bytes or pixels than the pack reads."""


class Undecodable(DownloadError):
    """A file is not an image that can be decoded."""


class FileGone(DownloadError):
    """The hosted file is not there. ``status`` is 404 or 403, which may pass just after the job's end, or 410."""

    default_advice = (
        "The hosted files of a job expire. "
        "Running the same inputs again submits a new job, which is charged on its own."
    )

    def __init__(self, message: str, status: int) -> None:
        super().__init__(f"{message} (HTTP {status})")
        self.status = status


class JournalError(PackError):
    """The record of paid jobs cannot be read or written, so nothing is spent."""
