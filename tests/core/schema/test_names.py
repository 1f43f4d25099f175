"""What sockets are called: the stem of a property's name, tried on every property of the catalogue that has one."""

from __future__ import annotations

import pytest

from nodes.core.schema.names import address_of, stem_of, without_number


@pytest.mark.parametrize(
    ("name", "several", "stem", "address"),
    [
        ("image_urls", True, "image", "image_urls"),
        ("images", True, "image", "images"),
        ("reference_videos", True, "reference_video", "reference_videos"),
        ("reference_image_urls", True, "reference_image", "reference_image_urls"),
        ("video", True, "video", "video_urls"),
        ("start_image_url", False, "start_image", "start_image_url"),
        ("image_url_3", False, "image_3", "image_url_3"),
        ("image", False, "image", "image_url"),
        ("first_frame", False, "first_frame", "first_frame_url"),
        ("mask_image_url", False, "mask_image", "mask_image_url"),
    ],
)
def test_a_socket_is_called_by_the_stem_and_the_address_by_another_name(
    name: str, several: bool, stem: str, address: str
) -> None:
    assert (stem_of(name), address_of(name, several=several)) == (stem, address)
    assert stem != address


def test_a_number_at_the_end_is_a_number() -> None:
    assert without_number("image_3") == ("image", 3)
    assert without_number("image") == ("image", None)
