"""The network between the pack and the provider, under ``requests``: it loses, delays, doubles, cuts and lies."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from random import Random
from types import TracebackType
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

import requests
import urllib3

from . import forms
from .forms import Form, JSONObject, Refusal
from .provider import UNIT_PRICES, Job, Provider, uris
from .scheduler import Dying, Scheduler

SUBMIT, STATUS, RESULT, CANCEL = "submit", "status", "result", "cancel"
FILE, PRICE, OTHER = "file", "price", "other"
_PAGE = b"<!doctype html><html><title>Welcome</title></html>"
_SLOWEST = 0.12


@dataclass(frozen=True)
class Trouble:
    """What befalls one call: a kind, and a value in seconds or as its kind says."""

    kind: str
    value: float = 0.0


@dataclass(eq=False)
class Call:
    """One call as it was sent, and what came of it: ``answered`` where its answer arrived whole."""

    op: str
    method: str
    url: str
    token: str
    run: object
    at: float
    request_id: str = ""
    trouble: Trouble | None = None
    job: Job | None = None
    status: int = 0
    answered: bool = False
    costs: bool = False


class Surroundings(Protocol):
    """What the network asks the world for."""

    @property
    def scheduler(self) -> Scheduler:
        """The scheduler of fibers."""

    def trouble(self, op: str) -> Trouble | None:
        """Return what befalls the next call of a kind."""

    def running(self) -> object:
        """Return the run that the running fiber works for."""

    def die(self) -> None:
        """End the process of the running fiber as ``kill -9`` does."""

    def tell(self, text: str) -> None:
        """Note an event of the story."""

    def wall(self) -> float:
        """What the computer's clock shows."""


@dataclass
class Answer:
    """An HTTP answer on its way; ``announced`` is the length in its head, where that is not the body's."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    announced: int | None = None


class Network:
    """Carries calls to the provider."""

    def __init__(self, world: Surroundings, provider: Provider, random: Random) -> None:
        self.calls: list[Call] = []
        self._world = world
        self._provider = provider
        self._random = random
        self._counts: Counter[str] = Counter()

    def session(self, _user_agent: str) -> Session:
        """Return what stands for a session of ``requests``."""
        return Session(self)

    def carry(self, call: Call, body: Any, headers: Mapping[str, str], timeout: tuple[float, float]) -> Answer:
        """Carry a call to the provider and its answer back.

        Raises:
            requests.RequestException: as the real library does.
        """
        world, scheduler = self._world, self._world.scheduler
        self.calls.append(call)
        call.trouble = trouble = world.trouble(call.op)
        kind, value = (trouble.kind, trouble.value) if trouble else ("", 0.0)
        if kind == "refused":
            scheduler.sleep(self._latency())
            raise _refused()
        data = body.read() if body is not None else b""
        patience = timeout[1]
        if kind in ("slow", "hang"):
            return self._after(call, data, headers, patience, value if kind == "slow" else None)
        try:
            if kind == "killed_before":
                world.die()
            scheduler.sleep(self._latency())
        except Dying:
            # What was sent arrives, or not, without its sender.
            if self._random.random() < 0.5:
                self._handle(call, data, headers)
            raise
        if kind == "broken":
            raise _broken()
        try:
            answer = self._answer(call, data, headers, kind, value)
        except Refusal as refusal:
            answer = _json_answer(*forms.refused(Form(), refusal))
        if kind == "killed_after":
            world.die()
        if kind in ("late", "hang_after"):
            late = value if kind == "late" else patience + 1
            if late >= patience:
                scheduler.sleep(patience)
                raise requests.exceptions.ReadTimeout("Read timed out.")
            scheduler.sleep(late)
        scheduler.sleep(self._latency())
        if kind == "lost":
            raise _broken()
        call.status, call.answered = answer.status, answer.announced is None
        call.costs = b'"cost"' in answer.body
        return answer

    def _after(
        self, call: Call, data: bytes, headers: Mapping[str, str], patience: float, seconds: float | None
    ) -> Answer:
        """Let the call arrive after some seconds, whether or not somebody still waits for its answer; or never."""
        scheduler = self._world.scheduler
        arrived: list[Answer] = []
        if seconds is not None:
            scheduler.call_at(scheduler.now + seconds, lambda: arrived.append(self._handle(call, data, headers)))
        scheduler.sleep(patience if seconds is None else min(patience, seconds + self._latency()))
        if not arrived:
            raise requests.exceptions.ReadTimeout("Read timed out.")
        call.status, call.answered = arrived[0].status, True
        call.costs = b'"cost"' in arrived[0].body
        return arrived[0]

    def _latency(self) -> float:
        return 0.002 + self._random.random() ** 3 * _SLOWEST

    def _answer(self, call: Call, data: bytes, headers: Mapping[str, str], kind: str, value: float) -> Answer:
        """Answer a call as its trouble demands; some of them do it before anybody has handled the call."""
        if kind == "status":
            return _json_answer(int(value), {"message": "Try again."}) if value != 502 else Answer(502, _PAGE)
        if kind == "busy":
            retry_after = {"Retry-After": _number(value)} if value else {}
            return Answer(429, b"{}", retry_after)
        if kind == "retry_after_inf":
            return Answer(429, b"{}", {"Retry-After": "inf"})
        if kind in ("page", "page_as_file"):
            return Answer(200, _PAGE, {"Content-Type": "text/html"})
        if kind == "echo":
            return _json_answer(503, {"message": f"bad gateway for Bearer {call.token}"})
        if kind == "proxy_refusal":
            return Answer(int(value), _PAGE)
        if kind == "file_missing":
            return Answer(int(value), b"")
        answer = self._handle(call, data, headers)
        if kind == "twice":
            answer = self._handle(call, data, headers)
        return self._spoiled(call, answer, kind, value)

    def _spoiled(self, call: Call, answer: Answer, kind: str, value: float) -> Answer:
        match kind:
            case "status_after":
                return Answer(int(value), _PAGE)
            case "garbage":
                return Answer(200, b'{"request_id": "')
            case "cut":
                return Answer(answer.status, answer.body[: len(answer.body) // 2], answer.headers, len(answer.body))
            case "flipped":
                return Answer(answer.status, answer.body[:20] + b"\0\0\0\0" + answer.body[24:], answer.headers)
            case "another" if call.job is not None:
                return self._of_another(call, answer)
            case "another_model" if call.job is not None:
                return self._of_another(call, answer, same_model=False)
            case "code_beside_id" if call.job is not None:
                return _json_answer(200, {"request_id": call.job.request_id, "code": 20000})
            case "error_beside_id" if call.job is not None:
                return _json_answer(int(value), {"request_id": call.job.request_id, "message": "An error."})
        return answer

    def _of_another(self, call: Call, answer: Answer, same_model: bool = True) -> Answer:
        """Answer with what another request would have been answered; that of another model does not name itself."""
        mine = call.job
        assert mine is not None
        others = [
            job
            for job in self._provider.jobs.values()
            if job is not mine and job.account is mine.account and (same_model or job.model_id != mine.model_id)
        ]
        if not others or call.op not in (STATUS, RESULT):
            return answer
        about = self._about(call.op, others[int(self._random.random() * len(others))])
        if same_model:
            return about
        return _json_answer(about.status, {**json.loads(about.body), "request_id": None})

    def _handle(self, call: Call, data: bytes, headers: Mapping[str, str]) -> Answer:
        """Let the provider answer."""
        if call.op == FILE:
            return self._file(call, headers)
        try:
            return self._api(call, data)
        except Refusal as refusal:
            form = call.job.form if call.job else Form()
            return _json_answer(*forms.refused(form, refusal))

    def _api(self, call: Call, data: bytes) -> Answer:
        provider = self._provider
        match call.op:
            case "submit":
                model_id = urlsplit(call.url).path.partition("/models/")[2]
                call.job = job = provider.submit(call.token, model_id, json.loads(data), call.run)
                job.posted, job.wall = call.at, self._world.wall()
                self._world.tell(f"{job.request_id} is accepted: {_named(job)}, to be {_fate(job)}")
                return _json_answer(job.form.submit_status, forms.submitted(job))
            case "price":
                provider.account_of(call.token)
                return self._price(call)
            case "other":
                return _json_answer(200, {"balance_usd": 5, "currency": "USD"})
        call.job = job = provider.find(call.token, call.request_id)
        return self._about(call.op, job)

    def _about(self, op: str, job: Job) -> Answer:
        now = self._world.scheduler.now
        state = job.state(now)
        if op == STATUS:
            return _json_answer(200, forms.status(job, state, now))
        if op == RESULT:
            return _json_answer(200, forms.result(job, state, self._uris(job, state, now), now))
        cancelled = self._provider.cancel(job)
        self._world.tell(f"{job.request_id} is {'cancelled' if cancelled else 'not cancelled'}: it was {state}")
        return _json_answer(202, forms.cancelled(job, state == "in_queue", job.state(now)))

    def _uris(self, job: Job, state: str, now: float) -> list[str]:
        if state != "completed" or (job.fate.kind == "output_late" and now < job.ends + job.fate.value):
            return []
        return uris(job)

    def _price(self, call: Call) -> Answer:
        model_id = unquote(urlsplit(call.url).path.partition("/models/")[2])
        price = {"model_id": model_id, "base_price_usd": UNIT_PRICES[model_id]}
        return _json_answer(200, {**price, "price_unit": self._provider.price_unit})

    def _file(self, call: Call, headers: Mapping[str, str]) -> Answer:
        found = self._provider.file(call.url)
        if found is None:
            return Answer(404, b"")
        call.job, index = found
        broken = call.job.broken(index)
        if broken.isdigit():
            return Answer(int(broken), b"")
        data = call.job.files()[index]
        if broken:
            data = data[: len(data) // 2]
        return _part(data, headers)


def _part(data: bytes, headers: Mapping[str, str]) -> Answer:
    """Answer with a file, or with the rest of it that was asked for."""
    told = {"Accept-Ranges": "bytes", "ETag": f'"{hash(data) & 0xFFFF:x}"', "Content-Length": str(len(data))}
    asked = headers.get("Range", "")
    if not asked or headers.get("If-Range") != told["ETag"]:
        return Answer(200, data, told)
    start = int(asked.removeprefix("bytes=").rstrip("-"))
    told["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
    return Answer(206, data[start:], {**told, "Content-Length": str(len(data) - start)})


def _json_answer(status: int, body: JSONObject) -> Answer:
    return Answer(status, json.dumps(body).encode())


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else str(value)


def _named(job: Job) -> str:
    return f"{str(job.body.get('prompt'))!r} of account {job.account.number}"


def _fate(job: Job) -> str:
    ends = {"works": "done", "cost_late": "done", "cost_never": "done"}.get(job.fate.kind, job.fate.kind)
    return f"{ends} at {job.ends:.1f} s for ${job.cost:.2f}"


def _refused() -> requests.exceptions.ConnectionError:
    pool = urllib3.HTTPSConnectionPool("model-api.runcomfy.net")
    cause = urllib3.exceptions.NewConnectionError(pool, "Connection refused")  # type: ignore[arg-type]
    return requests.exceptions.ConnectionError(urllib3.exceptions.MaxRetryError(pool, "/", cause))


def _broken() -> requests.exceptions.ConnectionError:
    return requests.exceptions.ConnectionError("Connection aborted.", ConnectionResetError(104, "reset by peer"))


class _Raw:
    """The body of an answer as ``urllib3`` hands it out."""

    def __init__(self, body: bytes) -> None:
        self._left = body

    def read1(self, size: int = -1) -> bytes:
        """Return what has arrived."""
        piece = self._left if size < 0 else self._left[:size]
        self._left = self._left[len(piece) :]
        return piece

    read = read1

    def release_conn(self) -> None:
        """Give the connection back: there is none."""

    def close(self) -> None:
        """Close it."""


class Response:
    """What the pack uses of a response of ``requests``."""

    def __init__(self, answer: Answer) -> None:
        self.status_code = answer.status
        self.headers = requests.structures.CaseInsensitiveDict(answer.headers)
        if answer.announced is not None:
            self.headers["Content-Length"] = str(answer.announced)
        self.raw = _Raw(answer.body)
        self.is_redirect = False

    def close(self) -> None:
        """Close it."""

    def __enter__(self) -> Response:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Prepared:
    def __init__(self, headers: dict[str, str]) -> None:
        self.headers = headers


class Session:
    """What the pack uses of a session of ``requests``."""

    def __init__(self, network: Network) -> None:
        self.headers: dict[str, str] = {}
        self._network = network

    def request(
        self,
        method: str,
        url: str,
        *,
        data: Any = None,
        headers: Mapping[str, str] | None = None,
        auth: Callable[[Any], Any] | None = None,
        timeout: tuple[float, float],
        **_options: object,
    ) -> Response:
        """Make a call."""
        sent = dict(headers or {})
        if auth is not None:
            auth(_Prepared(sent))
        op, request_id = _kind_of(method, url)
        token = sent.get("Authorization", "").removeprefix("Bearer ")
        world = self._network._world
        call = Call(op, method, url, token, world.running(), world.scheduler.now, request_id)
        return Response(self._network.carry(call, data, sent, timeout))

    def get(self, url: str, **options: Any) -> Response:
        """Make a reading call."""
        return self.request("GET", url, **options)

    def merge_environment_settings(self, *_values: object) -> dict[str, Any]:
        """Return what the environment says of proxies: there is none."""
        return {"proxies": {}}

    def close(self) -> None:
        """Close idle connections: there are none."""


def _kind_of(method: str, url: str) -> tuple[str, str]:
    path = urlsplit(url).path
    if "/files/" in path:
        return FILE, path.partition("/files/")[2].partition("/")[0]
    if "/requests/" in path:
        request_id, _, what = path.partition("/requests/")[2].partition("/")
        return what if what in (STATUS, RESULT, CANCEL) else OTHER, request_id
    if "/models/" in path:
        return SUBMIT if method == "POST" else PRICE, ""
    return OTHER, ""


def told_ids(calls: Iterable[Call]) -> set[str]:
    """Return the ids of the jobs whose submission was answered."""
    return {call.job.request_id for call in calls if call.op == SUBMIT and call.answered and call.job}
