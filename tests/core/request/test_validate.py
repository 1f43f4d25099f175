"""Widget values -> request body: what is bad is refused by its name and limit before anything is sent."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import numpy as np
import pytest
import torch
from properties import given, st
from support import PRO_EDIT, TEXT_TO_IMAGE, Runner, image

from emulator import Emulator
from nodes.core.errors import Charge, InvalidInput
from nodes.core.media.bounds import MAX_PIXELS
from nodes.core.request.validate import Arguments, check
from nodes.core.schema.kind import INT32_MAX, Given
from nodes.core.schema.model import ModelSpec
from nodes.core.schema.registry import MODELS_FOLDER

T2I, EDIT = "text-to-image", "pro-edit"
SPECS = {spec.command: spec for spec in (TEXT_TO_IMAGE, PRO_EDIT)}
SCHEMAS = {
    model["model_id"]: model["input_schema"]
    for model in (json.loads(path.read_text(encoding="utf-8")) for path in MODELS_FOLDER.rglob("*.json"))
}
HUGE = torch.zeros(1, 1, 1, 3).expand(1, 1, MAX_PIXELS + 1, 3)

# command, the bad input, the field that is named, what else the message says
BAD_VALUES: list[tuple[str, dict[str, Any], str, str]] = [
    (T2I, {"prompt": ""}, "prompt", "empty"),
    (T2I, {"prompt": " \t\n\r\u00a0\u3000 "}, "prompt", "empty"),
    (EDIT, {"prompt": "\n"}, "prompt", "empty"),
    (T2I, {"prompt": None}, "prompt", "text is needed, not a value of type NoneType"),
    (T2I, {"prompt": 7}, "prompt", "text is needed, not a value of type int"),
    (T2I, {"prompt": ["a"]}, "prompt", "type list"),
    (T2I, {"prompt": b"a fox"}, "prompt", "type bytes"),
    (T2I, {"aspect_ratio": "2:1"}, "aspect_ratio", "9:16"),
    (T2I, {"aspect_ratio": ""}, "aspect_ratio", "auto"),
    (T2I, {"aspect_ratio": None}, "aspect_ratio", "not None"),
    (T2I, {"aspect_ratio": 1}, "aspect_ratio", "not 1"),
    (T2I, {"aspect_ratio": ["auto"]}, "aspect_ratio", "one of auto, 21:9"),
    (T2I, {"resolution": "8K"}, "resolution", "0.5K, 1K, 2K, 4K"),
    (EDIT, {"resolution": "0.5K"}, "resolution", "one of 1K, 2K, 4K"),
    (T2I, {"resolution": "1k"}, "resolution", "0.5K, 1K, 2K, 4K"),
    (T2I, {"output_format": "PNG"}, "output_format", "jpeg, png, webp"),
    (T2I, {"output_format": "gif"}, "output_format", "jpeg, png, webp"),
    (T2I, {"num_images": 0}, "num_images", "1 to 4 is allowed, not 0"),
    (EDIT, {"num_images": 5}, "num_images", "1 to 4 is allowed, not 5"),
    (T2I, {"num_images": -1}, "num_images", "1 to 4"),
    (T2I, {"num_images": True}, "num_images", "whole number of 1 to 4 is needed, not a value of type bool"),
    (T2I, {"num_images": 2.0}, "num_images", "type float"),
    (T2I, {"num_images": "2"}, "num_images", "type str"),
    (T2I, {"num_images": None}, "num_images", "type NoneType"),
    (T2I, {"num_images": torch.tensor(2)}, "num_images", "type Tensor"),
    (T2I, {"safety_tolerance": 0}, "safety_tolerance", "1 to 6"),
    (T2I, {"safety_tolerance": 7}, "safety_tolerance", "1 to 6 is allowed, not 7"),
    (T2I, {"safety_tolerance": "4"}, "safety_tolerance", "1 to 6"),
    (T2I, {"safety_tolerance": False}, "safety_tolerance", "type bool"),
    (T2I, {"limit_generations": 1}, "limit_generations", "true or false is needed, not a value of type int"),
    (T2I, {"limit_generations": "true"}, "limit_generations", "type str"),
    (T2I, {"enable_web_search": None}, "enable_web_search", "type NoneType"),
    (EDIT, {"sync_mode": 0}, "sync_mode", "true or false"),
    (T2I, {"seed": -1}, "seed", "0 or more is allowed, not -1"),
    (T2I, {"seed": True}, "seed", "0 or more"),
    (T2I, {"seed": 1.0}, "seed", "type float"),
    (T2I, {"seed": float("nan")}, "seed", "type float"),
    (T2I, {"seed": None}, "seed", "type NoneType"),
    (EDIT, {"on_failure": "go on"}, "on_failure", "one of stop, skip is needed"),
    (EDIT, {"rerun_seed": -1}, "rerun_seed", "0 or more is allowed, not -1"),
    (EDIT, {"rerun_seed": -(10**5000)}, "rerun_seed", "0 or more is allowed, not -10^5000"),
    (T2I, {"seed": -(10**5000)}, "seed", "0 or more is allowed, not -10^5000"),
    (T2I, {"num_images": 10**5000}, "num_images", "1 to 4 is allowed, not 10^5000"),
    (T2I, {"num_images": -(10**5000)}, "num_images", "not -10^5000"),
    (T2I, {"aspect_ratio": 10**5000}, "aspect_ratio", "not 10^5000"),
    (T2I, {"aspect_ratio": "x" * 10**6}, "aspect_ratio", "xxx"),
    (T2I, {"prompt": 10**5000}, "prompt", "type int"),
    (EDIT, {"image_urls": 10**5000}, "image_urls", "type int"),
    (EDIT, {"rerun_seed": 0.5}, "rerun_seed", "type float"),
    (EDIT, {"image_21": image(8, 8)}, "image_21", "no such input"),
    (EDIT, {"image_0": image(8, 8)}, "image_0", "no such input"),
    (EDIT, {"seed": 1}, "seed", "no such input"),
    (EDIT, {"safety_tolerance": 4}, "safety_tolerance", "no such input"),
    (T2I, {"image_1": image(8, 8)}, "image_1", "no such input"),
    (T2I, {"sync_mode": True}, "sync_mode", "no such input"),
    (EDIT, {"image_1": None}, "image_urls", "connect an image to image_1"),
    (EDIT, {"image_1": None, "image_urls": " \n \n"}, "image_urls", "connect an image"),
    (EDIT, {"image_2": image(4, 4, count=20)}, "image_urls", "given: 21"),
    (EDIT, {"image_urls": "\n".join(f"https://a.example.com/{n}.png" for n in range(20))}, "image_urls", "1 to 20"),
    (EDIT, {"image_1": None, "image_urls": "https://a.example.com/1.png\n" * 21}, "image_urls", "given: 21"),
    (EDIT, {"image_urls": None}, "image_urls", "type NoneType"),
    (EDIT, {"image_urls": ["https://a.example.com/1.png"]}, "image_urls", "type list"),
]  # fmt: skip
BAD_TENSORS = [
    ("an IMAGE is needed, not a value of type str", "image.png"),
    ("an IMAGE is needed, not a value of type ndarray", np.zeros((1, 4, 4, 3), np.float32)),
    ("an IMAGE is needed, not a value of type list", [image(4, 4)]),
    ("not torch.float32 [4x4x3]", torch.zeros(4, 4, 3)),
    ("not torch.float32 [4x4]", torch.zeros(4, 4)),
    ("not torch.float32 []", torch.tensor(1.0)),
    ("not torch.float32 [1x1x4x4x3]", torch.zeros(1, 1, 4, 4, 3)),
    ("not torch.float32 [1x3x8x8]", torch.zeros(1, 3, 8, 8)),
    ("not torch.float32 [1x4x4x1]", torch.zeros(1, 4, 4, 1)),
    ("not torch.float32 [1x4x4x2]", torch.zeros(1, 4, 4, 2)),
    ("not torch.float32 [1x4x4x5]", torch.zeros(1, 4, 4, 5)),
    ("not torch.uint8 [1x4x4x3]", torch.zeros(1, 4, 4, 3, dtype=torch.uint8)),
    ("not torch.int64 [1x4x4x3]", torch.zeros(1, 4, 4, 3, dtype=torch.int64)),
    ("not torch.bool [1x4x4x3]", torch.zeros(1, 4, 4, 3, dtype=torch.bool)),
    ("not torch.complex64 [1x4x4x3]", torch.zeros(1, 4, 4, 3, dtype=torch.complex64)),
    ("not torch.float8_e4m3fn [1x4x4x3]", torch.zeros(1, 4, 4, 3).to(torch.float8_e4m3fn)),
    ("not torch.float8_e5m2 [1x4x4x3]", torch.zeros(1, 4, 4, 3).to(torch.float8_e5m2)),
    ("not meta", torch.zeros(1, 4, 4, 3, device="meta")),
    ("not torch.sparse_coo", torch.zeros(1, 4, 4, 3).to_sparse()),
    ("not nested", torch.nested.nested_tensor([torch.zeros(4, 4, 3), torch.zeros(5, 4, 3)], layout=torch.jagged)),
    ("empty [0x4x4x3]", torch.zeros(0, 4, 4, 3)),
    ("empty [1x0x4x3]", torch.zeros(1, 0, 4, 3)),
    ("empty [1x4x0x3]", torch.zeros(1, 4, 0, 3)),
    ("NaN or infinite", torch.full((1, 4, 4, 3), torch.nan)),
    ("NaN or infinite", torch.zeros(2, 4, 4, 3).index_fill_(0, torch.tensor(1), torch.inf)),
    ("NaN or infinite", torch.zeros(1, 4, 4, 4).index_fill_(2, torch.tensor(3), -torch.inf)),
    ("NaN or infinite", torch.full((1, 4, 4, 3), torch.inf, dtype=torch.float16)),
    (f"at most {MAX_PIXELS} pixels", HUGE),
]
BAD_ADDRESSES = [
    "http://example.com/a.png",
    "ftp://example.com/a.png",
    "file:///etc/hostname",
    "data:image/png;base64,AAAA",
    "javascript:alert(1)",
    "example.com/a.png",
    "//example.com/a.png",
    "https:/example.com/a.png",
    "https:///a.png",
    "https://",
    "https://localhost/a.png",
    "https://LOCALHOST:8188/a.png",
    "https://127.0.0.1/a.png",
    "https://10.0.0.1/a.png",
    "https://192.168.1.1/a.png",
    "https://169.254.169.254/latest/meta-data",
    "https://8.8.8.8/a.png",
    "https://2130706433/a.png",
    "https://127.1/a.png",
    "https://0x7f000001/a.png",
    "https://0x7f.0.0.1/a.png",
    "https://0177.0.0.1/a.png",
    "https://127.0.0.\uff11/a.png",
    "https://127\u30020.0.1/a.png",
    "https://[::1]/a.png",
    "https://[::ffff:127.0.0.1]/a.png",
    "https://[fe80::1%25eth0]/a.png",
    "https://[bad/a.png",
    "https://user@example.com/a.png",
    "https://user:secret@example.com/a.png",
    "https://@example.com/a.png",
    "https://intranet/a.png",
    "https://printer.local/a.png",
    "https://db.internal/a.png",
    "https://app.localhost/a.png",
    "https://example.com./a.png",
    "https://.example.com/a.png",
    "https://a..example.com/a.png",
    "https://a%2e.example.com/a.png",
    "https://example.com:0/a.png",
    "https://example.com:99999/a.png",
    "https://example.com:port/a.png",
    "https://example.com/a b.png",
    "https://exam ple.com/a.png",
    "https://example.com/a.png\u00a0b",
    "https://example.com/<a>.png",
    "https://example.com\\@localhost/a.png",
    "https://example.com/" + "a" * 8192,
]


def good(command: str) -> dict[str, Any]:
    """Return inputs of which nothing is refused."""
    return {"prompt": "a fox"} if command == T2I else {"prompt": "bluer", "image_1": image(8, 8)}


def checked(spec: ModelSpec, values: dict[str, Any], origin: str | None = None, images: int = 1) -> Arguments:
    """Check widget values; ``images`` come over the first socket, if the node has one."""
    counts = {socket.name: images for field in spec.fields for socket in field.sockets[:1]}
    return check(spec, Given(values, counts, origin))


def refused(spec: ModelSpec, **values: Any) -> InvalidInput:
    with pytest.raises(InvalidInput) as raised:
        checked(spec, {"prompt": "a fox", **values})
    return raised.value


def cases() -> list[Any]:
    """Return every bad input as (command, values, field, text)."""
    addresses = [(EDIT, {"image_urls": url}, "image_urls", "line 1 is not a public https") for url in BAD_ADDRESSES]
    tensors = [(EDIT, {"image_1": image(4, 4), "image_3": bad}, "image_3", text) for text, bad in BAD_TENSORS]
    return [
        pytest.param(*case, id=f"{case[0]}-{case[2]}-{number}")
        for number, case in enumerate([*BAD_VALUES, *addresses, *tensors])
    ]


@pytest.mark.parametrize(("command", "values", "field", "text"), cases())
def test_bad_input_is_refused_by_name_and_nothing_is_sent(
    runner: Runner, api: Emulator, command: str, values: dict[str, Any], field: str, text: str
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        runner.run(SPECS[command], **{**good(command), **values})
    assert api.calls == []
    assert not runner.state.exists(), "nothing is claimed for what is refused"
    error = refusal.value
    assert error.field == field
    assert error.message.startswith(f"{field}: ")
    assert text in error.message
    assert len(error.message) < 400
    assert error.failure.charge is Charge.NO
    assert "Nothing was sent." in str(error)


def test_the_good_inputs_of_these_tests_are_good(runner: Runner, api: Emulator) -> None:
    for command, spec in SPECS.items():
        runner.run(spec, **good(command))
    assert len(api.billed) == 2


def test_twenty_references_from_sockets_and_addresses_are_accepted(runner: Runner, api: Emulator) -> None:
    urls = "\n".join(f"https://a.example.com/{number}.png" for number in range(15))
    runner.run(PRO_EDIT, prompt="all", image_7=image(8, 8, count=3), image_20=image(9, 8, count=2), image_urls=urls)
    sent = api.jobs[0].body["image_urls"]
    assert len(sent) == 20
    assert sent[5:] == urls.splitlines()


def test_a_second_bad_line_is_named_by_its_number() -> None:
    urls = "\n  https://a.example.com/1.png \r\n\n ftp://a.example.com/2.png"
    assert "line 4 is not a public https address" in refused(PRO_EDIT, image_urls=urls).message


@pytest.mark.parametrize("url", BAD_ADDRESSES)
def test_a_refused_address_is_not_repeated_in_the_message(url: str) -> None:
    assert url not in refused(PRO_EDIT, image_urls=url).message


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/a.png",
        "HTTPS://EXAMPLE.com/a.png",
        "https://example.com:8443/a.png?x=1&y=%20#part",
        "https://files.runcomfy.net/a%20b/%E2%9C%93.png",
        "https://b\u00fccher.example.com/a.png",
        "https://xn--bcher-kva.example.com/a.png",
        "https://my_bucket.s3.amazonaws.com/a.png",
        "https://1.example.com",
        "https://example.com/" + "a" * 8000,
    ],
)
def test_public_addresses_travel_unchanged(url: str) -> None:
    assert checked(PRO_EDIT, {"prompt": "a", "image_urls": f"  {url}\t\n"}).values["image_urls"] == (url,)


def test_the_emulators_own_addresses_are_accepted_only_beside_it() -> None:
    values = {"prompt": "a", "image_urls": "http://127.0.0.1:8288/files/1.png"}
    assert checked(PRO_EDIT, values, "http://127.0.0.1:8288").values["image_urls"]
    for origin in (None, "http://127.0.0.1:8289", "http://localhost:8288", "https://127.0.0.1:8288"):
        with pytest.raises(InvalidInput):
            checked(PRO_EDIT, values, origin)


def test_missing_values_are_the_schemas_defaults_in_the_schemas_order() -> None:
    body = checked(PRO_EDIT, {"prompt": "a"}).body({"image_urls": ["data:1", "data:2"]})
    assert list(body) == [field.name for field in PRO_EDIT.fields]
    assert body == {
        "prompt": "a",
        "image_urls": ["data:1", "data:2"],
        "aspect_ratio": "auto",
        "resolution": "1K",
        "output_format": "png",
        "num_images": 1,
        "sync_mode": False,
    }


def test_a_prompt_is_sent_as_it_was_typed() -> None:
    prompt = "  two\nlines \u2603 \U0001f98a\x00\ud83d  "
    assert checked(TEXT_TO_IMAGE, {"prompt": prompt}).body({})["prompt"] == prompt


def test_integer_enums_stay_integers() -> None:
    values = {"prompt": "a", "safety_tolerance": np.int64(6), "num_images": np.uint8(2)}
    body = checked(TEXT_TO_IMAGE, values).body({})
    assert json.dumps([body["safety_tolerance"], body["num_images"]]) == "[6, 2]"
    assert type(body["safety_tolerance"]) is int


@given(st.integers(0, 2**200))
def test_seeds_over_a_link_are_folded_into_range(seed: int) -> None:
    sent = checked(TEXT_TO_IMAGE, {"prompt": "a", "seed": seed}).body({})["seed"]
    assert isinstance(sent, int)
    assert 0 <= sent <= INT32_MAX
    assert sent == seed % 2**31
    assert seed > INT32_MAX or sent == seed


def test_a_folded_seed_is_what_the_api_sees(runner: Runner, api: Emulator) -> None:
    runner.text_to_image(seed=2**31 + 5)
    assert api.jobs[0].body["seed"] == 5


@given(st.integers(0, 2**64))
def test_the_packs_own_inputs_are_never_sent(seed: int) -> None:
    arguments = checked(PRO_EDIT, {"prompt": "a", "rerun_seed": seed})
    assert arguments.own == {"rerun_seed": seed, "on_failure": "stop"}
    assert not set(arguments.own) & set(arguments.body({}))


def test_what_becomes_of_other_items_makes_no_other_job(runner: Runner, api: Emulator) -> None:
    runner.text_to_image(prompt="a fox", on_failure="stop")
    runner.text_to_image(prompt="a fox", on_failure="skip")
    assert len(api.billed) == 1


def test_seeds_of_thousands_of_digits_are_run_with(runner: Runner, api: Emulator) -> None:
    runner.pro_edit(image_1=image(8, 8), rerun_seed=10**5000)
    runner.pro_edit(image_1=image(8, 8), rerun_seed=10**5000)
    runner.text_to_image(seed=10**5000)
    assert len(api.billed) == 2


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.just(torch.zeros(1)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(list(SPECS)), st.data())
def test_whatever_comes_over_a_link_is_sent_within_the_schema_or_refused(command: str, data: st.DataObject) -> None:
    spec = SPECS[command]
    name = data.draw(st.sampled_from([*(field.name for field in spec.fields), "rerun_seed", "image_urls"]))
    value = data.draw(ANYTHING)
    try:
        body = checked(spec, {"prompt": "a fox", name: value}).body({"image_urls": ["data:"]})
    except InvalidInput as error:
        assert error.field == name
    else:
        jsonschema.validate(json.loads(json.dumps(body)), SCHEMAS[spec.model_id])


@pytest.mark.parametrize(("count", "accepted"), [(0, False), (1, True), (20, True), (21, False)])
def test_one_to_twenty_references_are_needed(count: int, accepted: bool) -> None:
    if accepted:
        checked(PRO_EDIT, {"prompt": "a"}, images=count)
        return
    with pytest.raises(InvalidInput) as refused:
        checked(PRO_EDIT, {"prompt": "a"}, images=count)
    assert refused.value.message == (
        "image_urls: 1 to 20 references are needed, from image_1 to image_20 and image_urls together; given: 21."
        if count
        else "image_urls: connect an image to image_1, or write its address here."
    )
