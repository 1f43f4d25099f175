"""Images that may be transparent: as images are, and for each batch a mask of what is not to be seen."""

from __future__ import annotations

from . import Output, Returned, output_of

OUTPUT = Output(
    "image_with_mask",
    (*output_of("image").returned, Returned("mask", "MASK", is_list=True)),
    medium="image",
)
