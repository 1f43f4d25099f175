"""What a person asks about the account: which token is used, does it work, what was spent. Nothing is generated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..core.api.client import Client
from ..core.config.settings import LOGIN_SOURCE, STORED_SOURCE, find_token
from ..core.config.token_file import masked
from ..core.errors import (
    ConfigError,
    Failure,
    InsufficientBalance,
    NotFound,
    NoToken,
    PackError,
    ServerFault,
    StatusError,
    Unauthorized,
)
from ..core.jobs.receipts import of_unknown
from ..core.money import Price
from ..core.schema.kind import Field
from ..core.schema.model import ModelSpec
from ..core.store.job import Job
from ..core.store.journal import Journal
from ..core.texts import Note, note
from .collecting import cancel
from .service import Service

JSONObject = dict[str, object]

# No request has this id, so that the answer tells about the token and about nothing else.
_NO_REQUEST = "connection-test"


@dataclass(frozen=True)
class Check:
    """One finding of a test: ``ok`` is None where it could not be found out, and ``failure`` says why not."""

    ok: bool | None
    failure: Failure | None = None

    def payload(self) -> JSONObject:
        """Return it as a JSON value."""
        return {"ok": self.ok, "failure": self.failure.payload() if self.failure else None}


def account_view(environ: Mapping[str, str], home: Path, host_state_folder: Path | None) -> JSONObject:
    """Return which token is used, masked: ``state`` is ``ready``, ``missing`` or ``unusable``. Blocking."""
    try:
        token, source = find_token(environ, home, host_state_folder)
    except NoToken as error:
        return {"state": "missing", "failure": error.failure.payload()}
    except ConfigError as error:
        return {"state": "unusable", "failure": error.failure.payload()}
    kind = {STORED_SOURCE: "stored", LOGIN_SOURCE: "login"}.get(source, "environment")
    return {"state": "ready", "kind": kind, "source": source, "masked": masked(token)}


def try_connection(service: Service) -> JSONObject:
    """Ask what can be asked for free: is the API reached, the token accepted, what is the balance. Blocking."""
    reachable, token = probe(service.client)
    balance = _balance(service.client) if token.ok is not False and reachable.ok else None
    return {
        "reachable": reachable.payload(),
        "token": token.payload(),
        "balance_usd": balance,
        "spent_today_usd": service.journal.spent_today(),
        "budget_usd": service.settings.daily_budget_usd,
    }


def probe(client: Client) -> tuple[Check, Check]:
    """Return whether the API answers and accepts the token: it is asked for a request that is not there."""
    try:
        client.status(_NO_REQUEST)
    except (NotFound, InsufficientBalance):
        pass
    except Unauthorized as error:
        return Check(True), Check(False, error.failure)
    except ServerFault as error:
        return Check(False, error.failure), Check(None)
    except StatusError as error:
        return Check(True), Check(None, error.failure)
    except PackError as error:
        return Check(False, error.failure), Check(None)
    return Check(True), Check(True)


def prices_view(service: Service | None, specs: Iterable[ModelSpec]) -> JSONObject:
    """Return by node id the live base price in USD and what it is the price of, and the widgets that say how many
    and how long. Blocking.

    Each is None where it is not told.
    """
    asked = list(specs)
    told = service.entries.told([spec.model_id for spec in asked]) if service else {}
    return {spec.node_id: _price_view(spec, told[spec.model_id].price if told else None) for spec in asked}


def allow_retry(journal: Journal, request_id: object) -> JSONObject:
    """Let a new job be paid for, once, in place of one that failed or expired. Blocking.

    Raises:
        InvalidInput: this is not the request id of a recorded job. PackError: it needs no permission.
    """
    job = journal.allow_retry(str(request_id))
    return {"request_id": job.request_id, "note": note("note.retry_allowed", request_id=job.request_id).payload()}


def cancel_by_id(service: Service, request_id: str) -> tuple[Job, Note]:
    """Ask for the end of a job of the account, recorded or not; return it, and what became of that. Blocking.

    Raises:
        InvalidInput: this can be no request id. PackError: RunComfy does not know it.
    """
    job = service.find(request_id)
    if job is None:
        try:
            service.client.status(request_id)
        except PackError as error:
            raise of_unknown(error, request_id) from None
        job = service.adopt(request_id)
    told = cancel(service.jobs, job)
    return service.find(request_id) or job, told


def _price_view(spec: ModelSpec, price: Price | None) -> JSONObject:
    return {
        "usd": price.usd if price else None,
        "unit": price.unit if price else None,
        "count": _name(spec.role("count")),
        "duration": _name(spec.role("duration")),
    }


def _name(field: Field | None) -> str | None:
    return field.name if field else None


def _balance(client: Client) -> float | None:
    try:
        return client.balance()
    except PackError:
        return None
