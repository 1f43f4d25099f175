"""The commands that ask and cost nothing: the models that are here, the balance, what was spent."""

from __future__ import annotations

import argparse
import csv
import io
import os
import time
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

from ..app.catalogue.here import HERE
from ..core.config.settings import read_settings
from ..core.errors import PackError
from ..core.money import money
from ..core.store.spending import By, Spent, spent
from .jobs import record
from .report import Report, Status, table


def list_models(options: argparse.Namespace) -> Report:
    """List the models that are here, or those with every word in their id, name or description."""
    words = [word.casefold() for word in options.words]
    found = [
        spec
        for spec in HERE.models()
        if all(word in f"{spec.model_id} {spec.display_name} {spec.description}".casefold() for word in words)
    ]
    rows = [(spec.model_id, spec.output.medium, spec.command or f"run {spec.model_id}") for spec in found]
    payload = {
        "models": [
            {
                "model_id": spec.model_id,
                "node_id": spec.node_id,
                "name": spec.display_name,
                "command": command,
                "output": output,
                "source": HERE.source(spec.model_id),
            }
            for spec, (_, output, command) in zip(found, rows, strict=True)
        ]
    }
    lines = table([("MODEL", "OUTPUT", "COMMAND"), *rows]) if rows else ["No model here is like that."]
    return Report(payload, lines)


def show_balance(options: argparse.Namespace) -> Report:  # noqa: ARG001
    """Ask for the account's balance.

    Raises:
        PackError: it cannot be had.
    """
    from ..app.service import close_services, open_service

    settings = read_settings(os.environ, Path.home())
    try:
        usd = open_service(settings).client.balance()
    finally:
        close_services()
    if usd is None:
        raise PackError("no_balance_there")
    return Report({"state": "done", "balance_usd": usd}, [money(usd)], Status.DONE)


def show_spending(options: argparse.Namespace) -> Report:
    """Show what the recorded jobs have cost: by day, model, user, project or host."""
    first = date.today() - timedelta(days=options.days - 1)
    since = time.mktime((first.year, first.month, first.day, 0, 0, 0, 0, 0, -1))
    by: By = options.by
    with record() as found:
        sums = [one for one in found.journal.read(lambda db, _: spent(db, by, since)) if one.jobs] if found else []
    total = sum(one.usd for one in sums)
    payload = {
        "state": "done",
        "since": first.isoformat(),
        "spent_usd": round(total, 6),
        f"{options.by}s": [
            {options.by: one.name, "spent_usd": round(one.usd, 6), "jobs": one.jobs} for one in sums
        ],
    }
    if options.csv:
        return Report(payload, _csv(options.by, sums))
    rows = [
        (options.by.upper(), "JOBS", "SPENT"),
        *((one.name or "-", str(one.jobs), money(one.usd)) for one in sums),
    ]
    rows.append((f"since {first.isoformat()}", str(sum(one.jobs for one in sums)), money(total)))
    return Report(payload, table(rows, right=(1, 2)))


def _csv(by: str, sums: Sequence[Spent]) -> list[str]:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow((by, "jobs", "spent_usd"))
    writer.writerows((one.name, one.jobs, round(one.usd, 6)) for one in sums)
    return text.getvalue().splitlines()
