"""The operations as the contract has them, and the version of the contract."""

from typing import Any

import pytest

from safelight.contracts import VERSION, Operation, defaults, names, operations, problems, schema
from safelight.contracts.operations import longest_side

TABLE = [
    Operation("image_editing", "POST", 20),
    Operation("image_generation", "POST", 10),
    Operation("task_status", "GET"),
    Operation("user_balance", "GET"),
    Operation("video_generation", "POST", 200),
]


def test_the_operations_are_those_that_are_published() -> None:
    assert list(operations().values()) == TABLE
    assert all(name == operation.name for name, operation in operations().items())


@pytest.mark.parametrize("operation", TABLE, ids=lambda operation: operation.name)
def test_an_operation_has_a_schema_for_its_request_and_one_for_its_answer(operation: Operation) -> None:
    assert {operation.request, operation.response} <= set(names())
    assert operation.is_submit == (operation.price > 0)


@pytest.mark.parametrize(
    ("operation", "found"),
    [
        ("image_editing", {"seed": -1}),
        ("video_generation", {"mode": "i2v", "width": 832, "height": 480, "seed": -1}),
        ("task_status", {}),
    ],
)
def test_what_is_left_out_has_a_value(operation: str, found: dict[str, Any]) -> None:
    assert defaults(operation) == found


def test_what_is_made_from_a_picture_has_a_longest_side() -> None:
    assert {name: longest_side(name) for name in operations()} == {
        "image_editing": 1280,
        "image_generation": None,
        "task_status": None,
        "user_balance": None,
        "video_generation": 832,
    }


IMAGES: list[tuple[Any, bool]] = [
    ("http://127.0.0.1:8123/uploads/5afe/1.png", True),
    ("https://example.com/\u5149.png?x=1", True),
    ("data:image/png;base64," + 40 * "A" + "==", True),
    ("data:image/svg+xml;base64," + 40 * "A", True),
    ("HTTPS://EXAMPLE.COM/A.PNG", True),
    ("DATA:IMAGE/PNG;BASE64," + 40 * "A", True),
    ("data:Image/Png;charset=utf-8;base64," + 40 * "A", True),
    ("data:image/png;name=a%20b.png;Base64," + 40 * "A" + "%2B%2F%3D%3D", True),
    ("data:;base64," + 40 * "A", True),
    ("data:;charset=utf-8;base64," + 40 * "A", True),
    ("data:image/png;base64," + 41 * "A", True),
    (76 * "A" + "\r\n" + 76 * "B" + "=\r\n", True),
    (31 * "A", False),
    ("data:text/html;base64," + 40 * "A", False),
    ("data:image/png," + 40 * "A", False),
    ("data:imagination/png;base64," + 40 * "A", False),
    ("data:image/;base64," + 40 * "A", False),
    ("data:image/png;base64" + 40 * "A", False),
    ("data: image/png;base64," + 40 * "A", False),
    (40 * "A" + "%3D", False),
    (20 * "A" + " " + 20 * "A", False),
    (40 * "A" + "===", False),
    (40 * "A" + "-_", False),
    ("lighthouse.png", False),
    ("C:\\lighthouse.png", False),
    ("file:///lighthouse.png", False),
    ("blob:http://localhost/0b5c7a52-6b0e-4f0e-9a35-0d9c1f6f2a11", False),
    ("[object Blob]", False),
    ("undefined", False),
    ("b'" + 40 * "A" + "'", False),
    ("https://example.com/a b.png", False),
    ("https://example.com/a\x1cb.png", False),
    ("https://example.com/a\x7fb.png", False),
    ("https://example.com/a.png\n", False),
    ("https://example.com/\u00a0\u2028.png", True),
    ("https://", False),
]


@pytest.mark.parametrize(("image", "is_one"), IMAGES, ids=[repr(image)[:40] for image, _ in IMAGES])
@pytest.mark.parametrize("operation", ["image_editing", "video_generation"])
def test_a_picture_is_sent_as_a_url_or_in_base64(operation: str, image: str, *, is_one: bool) -> None:
    found = [violation.rule for violation in problems(f"{operation}.request", {"prompt": "a", "image": image})]
    assert found == ([] if is_one else [f"{operation}.image.pattern"])


def test_no_picture_takes_long_to_be_refused() -> None:
    for text in ("\n" * 1_000_000 + "!", "A" * 1_000_000 + "!", "https://" + "a" * 1_000_000 + " "):
        assert problems("image_editing.request", {"prompt": "a", "image": text}) != []


@pytest.mark.parametrize("name", names())
def test_every_schema_states_the_version_of_the_contract(name: str) -> None:
    assert schema(name)["x-contract-version"] == VERSION
