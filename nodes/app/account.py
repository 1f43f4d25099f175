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
    ConnectionFailed,
    InsufficientBalance,
    NotFound,
    NoToken,
    PackError,
    ServerFault,
    StatusError,
    Unauthorized,
)
from ..core.request.variant import asked_in
from ..core.schema.kind import Field
from ..core.schema.model import ModelSpec
from ..core.store.job import Job
from .service import Service

JSONObject = dict[str, object]

COLLECTABLE = ("submitted", "delivered")
# No request has this id, so that the answer tells about the token and about nothing else.
_NO_REQUEST = "connection-test"


@dataclass(frozen=True)
class Check:
    """One finding of a test: ``ok`` is None where it could not be found out. ``code`` is for translations."""

    ok: bool | None
    code: str = ""
    message: str = ""
    advice: str = ""

    def payload(self) -> JSONObject:
        """Return it as a JSON value."""
        return {"ok": self.ok, "code": self.code, "message": self.message, "advice": self.advice}


def account_view(environ: Mapping[str, str], home: Path, host_state_folder: Path | None) -> JSONObject:
    """Return which token is used, masked: ``state`` is ``ready``, ``missing`` or ``unusable``. Blocking."""
    try:
        token, source = find_token(environ, home, host_state_folder)
    except NoToken as error:
        return {"state": "missing", "message": error.message, "advice": error.advice}
    except ConfigError as error:
        return {"state": "unusable", "message": error.message, "advice": error.advice}
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
        return Check(True), Check(False, "refused", error.message, error.advice)
    except ServerFault as error:
        return Check(False, "server", error.message, error.advice), Check(None)
    except StatusError as error:
        return Check(True), Check(None, "", error.message)
    except ConnectionFailed as error:
        return Check(False, error.obstacle, error.message, error.advice), Check(None)
    except PackError as error:
        return Check(False, "broken", error.message, error.advice), Check(None)
    return Check(True), Check(True)


def prices_view(service: Service | None, specs: Iterable[ModelSpec]) -> JSONObject:
    """Return by node id the live base price of one output in USD, and the widget that says how many. Blocking.

    Each is None where it is not told.
    """
    return {
        spec.node_id: {"usd": service.price(spec.model_id) if service else None, "count": _name(spec.role("count"))}
        for spec in specs
    }


def jobs_view(service: Service, spec: ModelSpec, limit: int = 50) -> list[JSONObject]:
    """Return the newest recorded jobs of a model with a request id, newest first. Blocking."""
    now = service.journal.now()
    return [_job_view(job, spec, now) for job in service.journal.recent(limit, spec.model_id, service.account)]


def _job_view(job: Job, spec: ModelSpec, now: float) -> JSONObject:
    asked = asked_in(spec, job.variant)
    return {
        "request_id": job.request_id,
        "state": job.state,
        "age_seconds": max(0.0, now - job.created_at),
        "cost_usd": job.cost,
        "images": len(job.files),
        "size": asked.get("size"),
        "asked": int(asked["count"]) if asked.get("count", "").isdecimal() else None,
        "outcome": job.outcome,
        "collectable": job.state in COLLECTABLE,
    }


def _name(field: Field | None) -> str | None:
    return field.name if field else None


def _balance(client: Client) -> float | None:
    try:
        return client.balance()
    except PackError:
        return None
