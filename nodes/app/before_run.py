"""What is told before a run: what it would cost, what it leads to, and which takes of the same inputs there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ..core.config.settings import local_origin
from ..core.errors import InvalidInput, JournalError
from ..core.money import Price
from ..core.request import sizes
from ..core.request.build import check_inputs, take_of
from ..core.request.validate import Arguments
from ..core.schema.kind import Given
from ..core.schema.model import ModelSpec
from ..core.store import budget, claims, history
from ..core.store.away.kept_jobs import kept_job
from ..core.store.budget import Budget
from ..core.store.engines.engine import Lease, Session
from ..core.store.job import Job, NewJob
from ..core.store.journal import Journal
from .catalogue.keep_up import asked_of
from .entries import JSONObject
from .host import Host
from .record import Record
from .run import current_settings
from .service import Service, open_service

MOST_NODES = 200
_COSTLY = ("count", "size", "width", "height", "duration", "duration_ms")

# What a node is asked about: how the page calls it, its model, and the values of its widgets.
Asked = tuple[object, ModelSpec, Mapping[str, object]]


@dataclass(frozen=True)
class Forecast:
    """What a run of some inputs leads to; runs of the same inputs have one ``fingerprint``.

    ``job`` is one that it would be handed out of, or go on with, without a charge. Otherwise ``usd`` is what a new
    one is reckoned to cost, at least that where ``base_only``; None where nothing tells.
    """

    fingerprint: str
    job: Job | None
    usd: float | None
    base_only: bool = False


def estimates(record: Record, service: Service | None, asked: Sequence[Asked]) -> list[JSONObject]:
    """Return what one job of each node would cost in USD; None where nothing tells.

    ``source`` says what tells it: the ``cost`` of such jobs, the live base ``price``, or ``none``. Blocking.
    """
    told = service.entries.told([spec.model_id for _, spec, _ in asked]) if service else {}
    prices = {model_id: entry.price for model_id, entry in told.items()}
    return [
        {
            "node": node,
            "node_id": spec.node_id,
            **_estimate(record.journal, spec, values, prices.get(spec.model_id)),
        }
        for node, spec, values in asked
    ]


def takes(
    record: Record, base_url: str, spec: ModelSpec | None, values: Mapping[str, object], job_id: object
) -> list[JSONObject]:
    """Return the delivered jobs of the same inputs but the seed, the newest first. Blocking.

    The inputs are those of a job of the record, or the ``values`` of a node's widgets without anything on its
    sockets.

    Raises:
        InvalidInput: there is no such job, or a value cannot be sent.
    """
    if job_id is not None:
        number = record.entry(job_id).job.id
        return record.takes(record.journal.read(lambda db, _: history.take_of(db, number)))
    if spec is None:
        raise InvalidInput("node_id", "no_such_node")
    arguments, _ = check_inputs(spec, values, local_origin(base_url))
    return record.takes(record.journal.fingerprint(base_url, take_of(arguments, arguments.body({}))))


def forecast(spec: ModelSpec, values: Mapping[str, object], host: Host) -> Forecast:
    """Check the inputs of a run and return what it leads to. Only the catalogue is asked. Blocking.

    Raises:
        PackError: a receipt.
    """
    settings = current_settings(host)
    arguments, references = check_inputs(spec, values, settings.local_origin)
    service = open_service(settings)
    price = service.entries.in_time(spec.model_id).price
    new_job = service.request(arguments, references, price).new_job

    def look(db: Session, _: Lease) -> Forecast:
        job = _at_hand(db, new_job)
        reckoned = budget.estimate(db, new_job, budget.Budget(0.0, settings.max_cost_usd))
        return Forecast(new_job.fingerprint, job, None if job else reckoned.usd, reckoned.base_only)

    try:
        told = service.journal.read(look)
    except JournalError:
        kept = kept_job(service.jobs.file_cache, new_job.fingerprint)
        if kept is None:
            raise
        return Forecast(new_job.fingerprint, kept, None)
    if told.job is None:
        service.keep_up.check(asked_of(arguments, references))
    return told


def _estimate(journal: Journal, spec: ModelSpec, values: Mapping[str, object], price: Price | None) -> JSONObject:
    try:
        arguments = _sized(spec, values)
    except InvalidInput:
        # It comes over a link, or cannot be sent.
        return {"usd": None, "source": "none", "count": None}
    wanted = arguments.role("count")
    count = wanted if isinstance(wanted, int) else 1
    base = price.of(count, sizes.seconds(arguments)) if price else None
    new_job = NewJob("", "", spec.model_id, sizes.label(arguments), count, base)
    found = journal.read(lambda db, _: budget.estimate(db, new_job, Budget(0.0)))
    source = "none" if found.usd is None else "price" if found.base_only else "cost"
    return {"usd": found.usd, "source": source, "count": count}


def _sized(spec: ModelSpec, values: Mapping[str, object]) -> Arguments:
    """Return the values that tell how much is made; nothing is asked of the others.

    Raises:
        InvalidInput.
    """
    fields = [field for field in spec.fields if field.role in _COSTLY]
    return Arguments(spec, {field.name: field.kind.check(field, Given(values)) for field in fields}, {})


def _at_hand(db: Session, new_job: NewJob) -> Job | None:
    same = (replace(new_job, fingerprint=name) for name in (new_job.fingerprint, *new_job.former_fingerprints))
    found = (job for one in same for job in claims.live(db, one))
    return next((job for job in found if job.state in ("submitted", "delivered")), None)
