"""The calls of the model API as typed functions. Each makes one attempt; the retry rule decides on repeats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from .. import urls
from ..errors import (
    AnswerLost,
    InsufficientBalance,
    NotFound,
    PackError,
    ProtocolError,
    RateLimited,
    Rejected,
    StatusError,
    SubmissionUnknown,
    TooLarge,
    Unauthorized,
)
from ..http.transport import Answer, Transport
from ..redact import without
from . import responses

CANCEL_TIMEOUT = 5.0
MAX_BYTES = 2**20
# Four 4K images as data URIs in one JSON answer.
MAX_RESULT_BYTES = 256 * 2**20
_REFUSALS = (Unauthorized, InsufficientBalance, Rejected, NotFound, RateLimited)
# A server that gave up, met a conflict or saw its caller leave may have accepted the job before.
_PERHAPS_ACCEPTED = frozenset({408, 409, 499})


@dataclass(frozen=True)
class Timeouts:
    """How many seconds a whole answer may take."""

    submit: float = 120.0
    read: float = 30.0
    result: float = 120.0


class Client:
    """The API of one account. Blocking and safe to use from several threads."""

    def __init__(
        self,
        base_url: str,
        token: str,
        user_agent: str,
        *,
        balance_url: str | None = None,
        timeouts: Timeouts | None = None,
    ) -> None:
        self._timeouts = timeouts or Timeouts()
        origins = {urls.origin(base_url)}
        if balance_url:
            origins.add(urls.origin(balance_url))
        self._base = base_url
        self._balance_url = balance_url
        self._token = token
        self._transport = Transport(token, frozenset(origins), user_agent)

    def submit(self, model_id: str, body: bytes) -> str:
        """Submit a job and return its request id, whatever stands beside it. This is the one call that costs money.

        Raises:
            ConnectionFailed: nothing was accepted.
            StatusError: of a refusal. Where it names a request id, that of the error's ``failure``, a job may have
                been accepted all the same.
            SubmissionUnknown: the job may have been accepted and charged.
        """
        try:
            url, seconds = f"{self._base}/models/{model_id}", self._timeouts.submit
            answer = self._transport.call("POST", url, body=body, timeout=seconds)
            payload = self._json(answer)
            error = responses.find_error(answer.status, payload, answer.headers)
            named = responses.find_request_id(payload)
            if error is None or (named and not _is_refusal(error)):
                return responses.parse_request_id(payload)
            raise error.but(request_id=named)
        except (AnswerLost, ProtocolError, StatusError, TooLarge) as error:
            if _is_refusal(error):
                raise
            raise SubmissionUnknown("answer_lost", cause=error.note, reason=error.failure.reason) from None

    def status(self, request_id: str) -> responses.State:
        """Return the state of a job; a finished one has no files here."""
        payload = self._get(f"/requests/{_checked(request_id)}/status")
        return responses.parse_state(self._asked_for(payload, request_id))

    def result(self, request_id: str, model_id: str) -> responses.State:
        """Return the state of a job with the files and the cost of a finished one.

        A result that is not ready (code 400005) is ``Running``. ``model_id`` is the job's, '' where not known.

        Raises:
            ProtocolError: the request is one of another model.
        """
        path = f"/requests/{_checked(request_id)}/result?include_cost=true"
        try:
            payload = self._get(path, max_bytes=MAX_RESULT_BYTES, timeout=self._timeouts.result)
        except StatusError as error:
            if error.code == responses.NOT_FINISHED:
                return responses.Running()
            raise
        state = responses.parse_state(self._asked_for(payload, request_id))
        found = responses.told(payload, "model_id")
        if found and model_id and found != model_id:
            raise ProtocolError("another_model", may_repeat=False)
        return state

    def cancel(self, request_id: str, timeout: float = CANCEL_TIMEOUT) -> responses.CancelOutcome:
        """Ask for the end of a queued job and return what the API says of it."""
        url = f"{self._base}/requests/{_checked(request_id)}/cancel"
        payload = self._payload(self._transport.call("POST", url, timeout=timeout))
        return responses.parse_cancel(self._asked_for(payload, request_id))

    def entry(self, model_id: str) -> Mapping[str, Any]:
        """Return the entry of a model as the catalog writes it now.

        Raises:
            ProtocolError: it is none, or that of another model.
        """
        found: Any = self._get(f"/models/{quote(model_id)}")
        if not isinstance(found, Mapping) or found.get("model_id", model_id) != model_id:
            raise ProtocolError("catalogue_unreadable", may_repeat=False)
        return found

    def entries(self, offset: int, limit: int, *, max_bytes: int, timeout: float) -> responses.CatalogPage:
        """Return the entries of the catalog from number ``offset`` on, as it writes them.

        Raises:
            ProtocolError: there is no list of them, or it is too large.
        """
        path = f"/models?include_schema=true&limit={limit}&offset={offset}"
        return responses.parse_catalog(self._get(path, max_bytes=max_bytes, timeout=timeout))

    def balance(self) -> float | None:
        """Return the account's balance in USD, which may be negative; None where it cannot be asked for."""
        if self._balance_url is None:
            return None
        payload = self._payload(self._transport.call("GET", self._balance_url, timeout=self._timeouts.read))
        return responses.parse_balance(payload)

    def close(self) -> None:
        """Close idle connections."""
        self._transport.close()

    def _asked_for(self, payload: object, request_id: str) -> object:
        """Return an answer that names this request, or none. One of another request is lost to this one."""
        if responses.told(payload, "request_id") in (request_id, ""):
            return payload
        # A connection has mixed up its answers. It is idle by now, and which one it was is not known.
        self._transport.close()
        raise AnswerLost("another_request")

    def _get(self, path: str, *, max_bytes: int = MAX_BYTES, timeout: float | None = None) -> object:
        seconds = self._timeouts.read if timeout is None else timeout
        try:
            answer = self._transport.call("GET", self._base + path, max_bytes=max_bytes, timeout=seconds)
            return self._payload(answer)
        except TooLarge as error:
            # A large one is not fetched again and again: it would be as large the next time.
            raise ProtocolError("answer_unusable", cause=error.note, may_repeat=max_bytes <= MAX_BYTES) from None

    def _payload(self, answer: Answer) -> object:
        """Return the JSON of a good answer, and raise the error of a bad one."""
        payload = self._json(answer)
        error = responses.find_error(answer.status, payload, answer.headers)
        if error is not None:
            raise error
        return payload

    def _json(self, answer: Answer) -> object:
        """Return the JSON of an answer without the token in it; None where a bad one has none."""
        try:
            return without(self._token, answer.json())
        except (ProtocolError, RecursionError):
            if 200 <= answer.status < 300:
                raise ProtocolError("answer_unreadable", status=answer.status, length=len(answer.body)) from None
            return None


def _is_refusal(error: PackError) -> bool:
    """Whether the answer to a submission says that nothing was accepted."""
    return isinstance(error, _REFUSALS) and error.status not in _PERHAPS_ACCEPTED


def _checked(request_id: str) -> str:
    if not responses.is_request_id(request_id):
        raise ProtocolError("not_a_request_id")
    return request_id
