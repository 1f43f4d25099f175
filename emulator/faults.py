"""What can go wrong, as data: one `Fault` is one misfortune at one place."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

CALLS = ("submit", "status", "result", "cancel", "file", "catalog", "balance")
PLACES = (*CALLS, "job")

# The call never reaches the service.
INSTEAD = ("redirect", "status", "reset", "html", "content", "endless", "bomb")
# The call is done (a submit is accepted and billed), but its answer is late, spoiled or lost.
SPOILED = ("lost", "hang_after", "garbage", "truncated", "empty", "edit", "content_type", "cut", "drip", "length")
CALL_KINDS = (*INSTEAD, "hang", *SPOILED)
JOB_KINDS = ("fails", "blocked", "images", "sizes", "format", "late_cost", "files", "medium", "repeated", "padding")
MEDIA = ("image", "video", "audio")
FORMATS = ("jpeg", "png", "webp", "png16", "palette", "cmyk", "gray", "rgba", "exif-rotated")


@dataclass(frozen=True, eq=False)
class Fault:
    """One misfortune at one place: exactly one kind for a call; one or more kinds for a job.

    `at` is a kind of call ("submit", "status", "result", "cancel", "file", "catalog", "balance") or "job",
    the next job that is accepted. The first `after` of them are spared, the next `times` are hit (None: for ever).

    Raises: ValueError for an unknown place, for no kind or several kinds, and for a kind of the other sort.
    """

    at: str
    _: KW_ONLY
    times: int | None = 1
    after: int = 0
    only: str = ""
    """Of a call: only where its path, as it came in, ends so. Of a job: where its prompt does."""

    # Instead of the call: the service never sees it.
    status: int | None = None
    """Answer with this HTTP status (alone: a gateway's page for 5xx, a JSON message for others)."""
    body: object = None
    """With `status`: a dict or list is sent as JSON, text as text/html, bytes as they are."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """With `status`, `redirect`, `html`, `content` or `bomb`: headers to add or to replace."""
    redirect: str | None = None
    """Answer 302 (or `status`) with this Location."""
    reset: bool = False
    """Cut the connection (RST) once the request is read."""
    html: bool = False
    """Answer 200 with a web page, as a captive portal does."""
    content: bytes | None = None
    """Answer 200 with these bytes."""
    endless: bool = False
    """Send bytes for ever, chunked."""
    bomb: bool = False
    """Send a tiny PNG that declares 30000x30000 pixels."""

    hang: float | None = None
    """Wait this many seconds, then go on as normal. A caller who leaves meanwhile was never served."""

    # After the call: it is done, and what it started exists and costs.
    lost: bool = False
    """Do it, then cut the connection (RST)."""
    hang_after: float | None = None
    """Do it, then wait this many seconds before the answer."""
    garbage: bool = False
    """Answer 200 as JSON with a body that is not JSON."""
    truncated: bool = False
    """Announce the full Content-Length, send half, close."""
    empty: bool = False
    """Answer 200 with no body."""
    edit: Callable[[Any], Any] | None = None
    """Pass the JSON answer through this function."""
    edit_status: int | None = None
    """With `edit`: answer with this HTTP status."""
    content_type: str | None = None
    """Name this type; with `content`, for those bytes."""
    cut: float | None = None
    """Send this share (0..1) of the body, with a Content-Length that fits it; Range is ignored."""
    drip: float | None = None
    """Send one byte per this many seconds."""
    length: int | None = None
    """Announce this Content-Length, send the real bytes, close."""

    # Of a job.
    fails: str | dict[str, Any] | None = None
    """The job ends as failed with this reason; "" and {} leave the reason out."""
    fails_in: str | None = None
    """With `fails`: "status" or "result", the first answer that tells it; None: as the form of the answers says."""
    blocked: bool = False
    """The job succeeds with an empty output, as after a safety block."""
    images: int | None = None
    """So many images, whatever was asked for."""
    sizes: Sequence[tuple[int, int]] | None = None
    """Images of these sizes (width, height), one each."""
    format: str | None = None
    """How the files are made: one of `FORMATS`."""
    late_cost: int | None = None
    """The cost is missing in the first so many results that were asked for it."""
    files: Sequence[bytes] | None = None
    """Exactly these files."""
    medium: str | None = None
    """Files of this medium, whatever the model makes: one of `MEDIA`."""
    repeated: bool = False
    """The output names each file twice."""
    padding: int | None = None
    """So many bytes of nothing at the end of each video, in a box of their own; they are never held in memory."""

    def __post_init__(self) -> None:
        if self.at not in PLACES:
            raise ValueError(f"unknown place {self.at!r}; one of {', '.join(PLACES)}")
        if self.format is not None and self.format not in FORMATS:
            raise ValueError(f"unknown format {self.format!r}; one of {', '.join(FORMATS)}")
        if self.medium not in (None, *MEDIA):
            raise ValueError(f"unknown medium {self.medium!r}; one of {', '.join(MEDIA)}")
        if self.fails_in not in (None, "status", "result"):
            raise ValueError(f"fails_in is {self.fails_in!r}; one of status, result")
        kinds, allowed = self.kinds, JOB_KINDS if self.at == "job" else CALL_KINDS
        if strange := [kind for kind in kinds if kind not in allowed]:
            raise ValueError(f"{strange[0]!r} cannot happen at {self.at!r}; one of {', '.join(allowed)}")
        if not kinds or (len(kinds) > 1 and self.at != "job"):
            raise ValueError(f"a fault has exactly one kind, not {list(kinds)}")

    @property
    def kinds(self) -> tuple[str, ...]:
        """What was asked for; a companion (the status of a redirect, the type of a content) is no kind."""
        given = [kind for kind in (*CALL_KINDS, *JOB_KINDS) if self._given(kind)]
        for chief, companion in (("redirect", "status"), ("content", "content_type")):
            if chief in given and companion in given:
                given.remove(companion)
        return tuple(given)

    def _given(self, kind: str) -> bool:
        value = getattr(self, kind)
        return value is not None and value is not False

    @property
    def kind(self) -> str:
        """The kind of a call's fault."""
        return self.kinds[0]


class FaultPlan:
    """The faults to come, and how often each has struck. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: list[_Entry] = []

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._entries.append(_Entry(fault))

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()

    def entries(self) -> list[tuple[Fault, int]]:
        """Return the faults in the order in which they were added, and how often each has struck."""
        with self._lock:
            return [(entry.fault, entry.hits) for entry in self._entries]

    def strike(self, at: str, path: str = "") -> Fault | None:
        """Return the fault of this event, if any: of those due, the one added first. All of the place count it."""
        with self._lock:
            chosen: Fault | None = None
            for entry in self._entries:
                if entry.fault.at != at or not path.endswith(entry.fault.only):
                    continue
                entry.seen += 1
                if chosen is None and entry.due:
                    entry.hits += 1
                    chosen = entry.fault
            return chosen


@dataclass
class _Entry:
    fault: Fault
    seen: int = 0
    hits: int = 0

    @property
    def due(self) -> bool:
        return self.seen > self.fault.after and (self.fault.times is None or self.hits < self.fault.times)


_TEXT = re.compile(
    r"(?P<at>[a-z]+):(?P<kind>[a-z0-9_-]+)(?:=(?P<value>.*?))?(?:\*(?P<times>\d+|forever))?(?:@(?P<after>\d+))?",
    re.DOTALL,
)
_FLAGS = ("reset", "html", "endless", "bomb", "lost", "garbage", "truncated", "empty", "blocked", "repeated")
_VALUES: Mapping[str, Callable[[str], Any]] = {
    "redirect": str, "content_type": str, "fails": str, "format": str, "medium": str,
    "hang": float, "hang_after": float, "cut": float, "drip": float,
    "status": int, "length": int, "images": int, "late_cost": int, "padding": int,
    "sizes": lambda text: [_size(part) for part in text.split(",")],
}  # fmt: skip


def parse_fault(text: str) -> Fault:
    """Read `place:kind[=value][*times][@after]`, as in `submit:503`, `file:reset*2`, `status:hang=5*forever@1`.

    A number in place of the kind is an HTTP status. Kinds that need code
    (`edit`, `content`, `files`) have no such form.

    Raises: ValueError that names the part it cannot read.
    """
    found = _TEXT.fullmatch(text.strip())
    if found is None:
        raise ValueError(
            f"cannot read fault {text!r}; write place:kind[=value][*times][@after], as in submit:503*2"
        )
    kind, value, times = found["kind"].replace("-", "_"), found["value"], found["times"]
    if kind.isdigit() and value is None:
        kind, value = "status", kind
    fields: dict[str, Any] = {"after": int(found["after"] or 0)}
    fields["times"] = None if times == "forever" else int(times or 1)
    if kind in _FLAGS and value is None:
        fields[kind] = True
    elif kind in _VALUES and value is not None:
        fields[kind] = _value(text, kind, value)
    else:
        raise ValueError(f"cannot read fault {text!r}: one of {', '.join(_FLAGS)} or {', '.join(_VALUES)}=value")
    return Fault(found["at"], **fields)


def _value(text: str, kind: str, value: str) -> Any:
    try:
        return _VALUES[kind](value)
    except ValueError:
        raise ValueError(f"cannot read fault {text!r}: {value!r} is no value of {kind}") from None


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    return int(width), int(height)
