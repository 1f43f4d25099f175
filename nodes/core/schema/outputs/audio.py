"""Sounds: one by one, as the host's own, their addresses, and the id of the request."""

from __future__ import annotations

from . import Output, Returned

OUTPUT = Output(
    "audio",
    (Returned("audios", "AUDIO", is_list=True), Returned("audio_urls", "STRING"), Returned("request_id", "STRING")),
)
