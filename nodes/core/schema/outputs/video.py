"""Videos: one by one, as the host's own, their addresses, and the id of the request."""

from __future__ import annotations

from . import Output, Returned

OUTPUT = Output(
    "video",
    (Returned("videos", "VIDEO", is_list=True), Returned("video_urls", "STRING"), Returned("request_id", "STRING")),
)
