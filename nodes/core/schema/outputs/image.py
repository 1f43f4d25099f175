"""Images: one batch for each size, their addresses, and the id of the request."""

from __future__ import annotations

from . import Output, Returned

OUTPUT = Output(
    "image",
    (Returned("images", "IMAGE", is_list=True), Returned("image_urls", "STRING"), Returned("request_id", "STRING")),
)
