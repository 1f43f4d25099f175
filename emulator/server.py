"""The routes of the API, their authorization, and the record of every call."""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from aiohttp import web
from multidict import CIMultiDict

from . import answers, catalog, files
from .account import OTHERS_PREFIX, Account
from .answers import Refusal
from .asked import read_body
from .calls import Call, Exchange
from .controls import Controls
from .jobs import COMPLETED, IN_PROGRESS, IN_QUEUE, Job
from .misbehaviour import misbehave
from .moving import require_library
from .validation import validate

BODY_LIMIT = 64 * 1024 * 1024
"""Bytes of a submit's body."""
_LARGE = 256 * 1024
"""Bytes from which reading and checking a body would be felt by other calls, and is done in a thread."""

Handler = Callable[[Exchange], Awaitable[web.StreamResponse]]


class Api:
    """Answers HTTP requests out of an account."""

    def __init__(self, account: Account, origin: str) -> None:
        self._account = account
        self._origin = origin
        self._base = f"{origin}/v1"
        self._files = account.files
        self._files.origin = origin

    def application(self) -> web.Application:
        """Build the routes; each names the kind of call that is recorded."""
        app = web.Application()
        add, add_get = app.router.add_route, app.router.add_get
        add("POST", "/v1/models/{model_id:.+}", self._route("submit", self.submit))
        add_get("/v1/requests/{request_id}/status", self._route("status", self.status))
        add_get("/v1/requests/{request_id}/result", self._route("result", self.result))
        add("POST", "/v1/requests/{request_id}/cancel", self._route("cancel", self.cancel))
        add_get("/v1/models", self._route("catalog", self.catalog_list))
        add_get("/v1/models/categories", self._route("catalog", self.catalog_categories))
        add_get("/v1/models/{model_id:.+}", self._route("catalog", self.catalog_entry))
        add_get("/prod/v2/balance", self._route("balance", self.balance))
        add_get("/files/{request_id}/{name}", self._route("file", self.file))
        Controls(self._account).add_routes(app.router)
        add("*", "/{path:.*}", self._route("other", self.other))
        return app

    def _route(self, what: str, handler: Handler) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def receive(request: web.Request) -> web.StreamResponse:
            call = Call(what, request.method, request.raw_path, CIMultiDict(request.headers))
            call.request_id = request.match_info.get("request_id")
            self._account.record(call)
            exchange = Exchange(request, call)
            exchange.body = await _read_body(exchange)
            process = partial(self._process, handler, exchange)
            fault = self._account.faults.strike(what, call.path)
            answer = await (process() if fault is None else misbehave(fault, exchange, process))
            call.status = None if exchange.cut else answer.status
            return answer

        return receive

    async def _process(self, handler: Handler, exchange: Exchange) -> web.StreamResponse:
        try:
            if exchange.call.what not in ("file", "other"):
                self._authorize(exchange.request)
            return await handler(exchange)
        except Refusal as refusal:
            form = self._account.forms.of_error(refusal.code)
            status, payload = answers.error(form, refusal)
            return web.json_response(payload, status=status)

    def _authorize(self, request: web.Request) -> None:
        given = request.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {self._account.token}".encode()):
            raise Refusal(
                answers.BAD_TOKEN, "The API token is missing, invalid or expired, or the account is inactive."
            )

    async def submit(self, exchange: Exchange) -> web.Response:
        if exchange.request.content_type != "application/json":
            raise Refusal(answers.NOT_JSON, "The Content-Type must be application/json.")
        if exchange.call.size > BODY_LIMIT:
            raise Refusal(answers.TOO_LARGE, f"The body is larger than {BODY_LIMIT} bytes.")
        model_id = exchange.request.match_info["model_id"]
        if exchange.call.size < _LARGE:
            body = self._check(model_id, exchange.body)
        else:
            body = await asyncio.to_thread(self._check, model_id, exchange.body)
        account = self._account
        asked = read_body(account.models[model_id], body)
        job = account.book.accept(
            model_id, body, asked,
            queue=account.queue_seconds, run=account.run_seconds,
            base_price=account.prices.get(model_id, 0.0), outcome=account.faults.strike("job", asked.prompt),
        )  # fmt: skip
        exchange.call.request_id = job.request_id
        form = account.forms.of_job(job)
        return web.json_response(answers.submitted(form, self._base, job), status=form.submit_status)

    def _check(self, model_id: str, data: bytes) -> dict[str, Any]:
        try:
            body = json.loads(data)
        except ValueError:
            raise Refusal(answers.INVALID_BODY, "The body is not JSON.") from None
        if not isinstance(body, dict):
            raise Refusal(answers.INVALID_BODY, "The body is not a JSON object.")
        model = self._account.models.get(model_id)
        if model is None:
            raise Refusal(answers.BAD_MODEL, f"There is no model {model_id!r}.")
        if self._account.balance_usd <= 0:
            raise Refusal(answers.NO_BALANCE, "The account's balance is used up.")
        if model.output != "image":
            _require_pyav()
        if self._account.validation == "strict":
            validate(body, model.input_schema, self._origin)
        return body

    async def status(self, exchange: Exchange) -> web.Response:
        job = self._job(exchange)
        return web.json_response(answers.status(self._account.forms.of_job(job), self._base, job))

    async def result(self, exchange: Exchange) -> web.Response:
        job = self._job(exchange)
        state = job.state
        uris = await asyncio.to_thread(self._files.uris, job) if state == COMPLETED else []
        with_cost = exchange.request.query.get("include_cost") == "true"
        if with_cost and state not in (IN_QUEUE, IN_PROGRESS):
            job.costs_asked += 1
            with_cost = job.costs_asked > ((job.outcome.late_cost if job.outcome else None) or 0)
        form = self._account.forms.of_job(job)
        return web.json_response(answers.result(form, job, state, uris, with_cost=with_cost))

    async def cancel(self, exchange: Exchange) -> web.Response:
        job = self._job(exchange)
        was_queued = job.state == IN_QUEUE
        cancelled = self._account.book.cancel(job)
        form = self._account.forms.of_job(job)
        payload = answers.cancel_answer(form, job, was_queued=was_queued, cancelled=cancelled)
        return web.json_response(payload, status=202)

    async def catalog_list(self, exchange: Exchange) -> web.Response:
        try:
            page = catalog.listing(self._account.models, self._account.prices, dict(exchange.request.query))
        except ValueError:
            raise Refusal(answers.INVALID_BODY, "limit and offset must be whole numbers.", "limit") from None
        return web.json_response(page)

    async def catalog_entry(self, exchange: Exchange) -> web.Response:
        model = self._account.models.get(exchange.request.match_info["model_id"])
        if model is None:
            raise Refusal(answers.BAD_MODEL, f"There is no model {exchange.request.match_info['model_id']!r}.")
        return web.json_response(catalog.entry(model, self._account.prices.get(model.model_id, 0.0)))

    async def balance(self, _exchange: Exchange) -> web.Response:
        return web.json_response({"balance_usd": self._account.balance_usd, "currency": "USD"})

    async def file(self, exchange: Exchange) -> web.StreamResponse:
        found = self._files.find(exchange.call.path)
        if found is None:
            return web.Response(status=404, text="No such file.")
        file = await asyncio.to_thread(self._files.open, *found)
        ranges, kind = self._account.ranges and not exchange.whole, found[1].content_type
        if file.padding:
            return await files.stream(exchange.request, file, kind, ranges=ranges, half=exchange.half)
        return files.answer(exchange.request, file.data, kind, ranges=ranges)

    async def catalog_categories(self, _exchange: Exchange) -> web.Response:
        return web.json_response(catalog.categories(self._account.models))

    async def other(self, exchange: Exchange) -> web.Response:
        raise Refusal(answers.NO_SUCH_PATH, f"No such path: {exchange.call.method} {exchange.call.path}")

    def _job(self, exchange: Exchange) -> Job:
        request_id = exchange.request.match_info["request_id"]
        if request_id.startswith(OTHERS_PREFIX):
            raise Refusal(answers.NOT_YOURS, "The request belongs to another account.")
        job = self._account.book.find(request_id)
        if job is None:
            raise Refusal(answers.NO_SUCH_REQUEST, "There is no such request, or it has expired.")
        return job


def _require_pyav() -> None:
    try:
        require_library()
    except RuntimeError as error:
        raise Refusal(answers.SERVER_ERROR, f"The emulator cannot make this: {error}") from None


async def _read_body(exchange: Exchange) -> bytes:
    """Read the body to its end, so that a refusal reaches the sender; past the limit it is counted, not kept."""
    kept = bytearray()
    async for chunk in exchange.request.content.iter_chunked(1 << 20):
        exchange.call.size += len(chunk)
        if exchange.call.size <= BODY_LIMIT:
            kept += chunk
    return bytes(kept)
