"""The short form of faults in words: for ``--help``, and for whoever asks which are set."""

from __future__ import annotations

from collections.abc import Iterable

from .faults import CALLS, FORMATS, MEDIA, Fault

FORM = "PLACE:KIND[=VALUE][*TIMES][@AFTER]"
OF_A_CALL = {
    "503": "answer with this HTTP status, any other as well; the call never reaches the service",
    "redirect=URL": "answer 302 with this Location",
    "reset": "cut the connection once the request is read",
    "html": "answer 200 with a web page, as a captive portal does",
    "endless": "send bytes for ever",
    "bomb": "send a tiny PNG that declares 30000x30000 pixels",
    "hang=SECONDS": "wait, then go on as normal",
    "lost": "do the call (a submit is accepted and billed), then cut the connection",
    "hang-after=SECONDS": "do the call, then wait before the answer",
    "garbage": "do the call, answer with what is not JSON",
    "truncated": "do the call, announce the whole answer and send half of it",
    "empty": "do the call, answer with no body",
    "content-type=TYPE": "do the call, name this media type",
    "cut=SHARE": "send this share (0..1) of a file, with a length that fits it",
    "drip=SECONDS": "send one byte per so many seconds",
    "length=BYTES": "announce this length, send the real bytes",
}
OF_A_JOB = {
    "fails=REASON": "the job ends as failed",
    "blocked": "the job succeeds with an empty output, as after a safety block",
    "images=COUNT": "so many images, whatever was asked for",
    "sizes=WxH,WxH": "images of these sizes, one each",
    f"format={'|'.join(FORMATS)}": "how the files are made",
    "late-cost=COUNT": "the cost is missing in the first so many results",
    f"medium={'|'.join(MEDIA)}": "files of this kind, whatever the model makes",
    "repeated": "the output names each file twice",
    "padding=BYTES": "each video is so much longer, and plays as before",
}


def fault_help() -> str:
    """Return every kind of fault with what it does, a line each."""
    calls = _table(f"at a call ({', '.join(CALLS)}):", OF_A_CALL)
    jobs = _table("at job, the next one that is accepted:", OF_A_JOB)
    return "\n".join(
        (
            f"faults: {FORM}",
            "  struck once, or TIMES times, or *forever; the first AFTER calls or jobs are spared",
            *calls,
            *jobs,
            "  for example submit:503, file:reset*2, status:hang=5@1, job:blocked*forever",
        )
    )


def fault_text(fault: Fault) -> str:
    """Return the short form of a fault; of a kind that needs code, its name alone."""
    kinds = "+".join(_with_value(kind, getattr(fault, kind)) for kind in fault.kinds)
    times = "*forever" if fault.times is None else f"*{fault.times}" if fault.times != 1 else ""
    return f"{fault.at}:{kinds}{times}{f'@{fault.after}' if fault.after else ''}"


def _with_value(kind: str, value: object) -> str:
    name = kind.replace("_", "-")
    if kind == "sizes" and isinstance(value, Iterable):
        return f"{name}={','.join(f'{width}x{height}' for width, height in value)}"
    if kind == "status":
        return str(value)
    return f"{name}={value}" if isinstance(value, str | float | int) and value is not True else name


def _table(title: str, kinds: dict[str, str]) -> list[str]:
    lines = [f"  {title}"]
    for kind, meaning in kinds.items():
        # A long form has its meaning on a line of its own.
        lines += [f"    {kind:<19} {meaning}"] if len(kind) < 20 else [f"    {kind}", f"    {'':<19} {meaning}"]
    return lines
