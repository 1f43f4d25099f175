"""What is told before a run: what it would cost, and which takes of the same inputs there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..core.config.settings import local_origin
from ..core.errors import InvalidInput
from ..core.request.build import check_inputs, take_of
from ..core.schema.kind import Given, Unsent
from ..core.schema.model import ModelSpec
from ..core.store import budget, history
from ..core.store.budget import Budget
from ..core.store.job import NewJob
from ..core.store.journal import Journal
from .entries import JSONObject
from .record import Record
from .service import Service

MOST_NODES = 200

# What a node is asked about: how the page calls it, its model, and the values of its widgets.
Asked = tuple[object, ModelSpec, Mapping[str, object]]


def estimates(record: Record, service: Service | None, asked: Sequence[Asked]) -> list[JSONObject]:
    """Return what one job of each node would cost in USD; None where nothing tells.

    ``source`` says what tells it: the ``cost`` of such jobs, the live base ``price``, or ``none``. Blocking.
    """
    # All at once, before the first is waited for.
    prices = [service.prices.of(spec.model_id) if service else None for _, spec, _ in asked]
    told = [price.result() if price else None for price in prices]
    return [
        {"node": node, "node_id": spec.node_id, **_estimate(record.journal, spec, values, price)}
        for (node, spec, values), price in zip(asked, told, strict=True)
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


def _estimate(journal: Journal, spec: ModelSpec, values: Mapping[str, object], price: float | None) -> JSONObject:
    try:
        size, wanted = (_role(spec, role, values) for role in ("size", "count"))
    except InvalidInput:
        # It comes over a link, or cannot be sent.
        return {"usd": None, "source": "none", "count": None}
    count = wanted if isinstance(wanted, int) else 1
    base = None if price is None else price * count
    new_job = NewJob("", "", spec.model_id, str(size or ""), count, base)
    found = journal.read(lambda db, _: budget.estimate(db, new_job, Budget(0.0)))
    source = "none" if found.usd is None else "price" if found.base_only else "cost"
    return {"usd": found.usd, "source": source, "count": count}


def _role(spec: ModelSpec, role: str, values: Mapping[str, object]) -> object:
    field = spec.role(role)
    value = field.kind.check(field, Given(values)) if field else None
    return None if isinstance(value, Unsent) else value
