"""How often the bounds are hit in 1,000 examples, by our strategies and by plain ones derived from the same schema."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from safelight.contracts import schema
from safelight.strategies import BrokenRequest, broken_requests, requests

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from hypothesis.strategies import SearchStrategy

T = TypeVar("T")

EXAMPLES: Final = 1_000

_PARAMETERS: Final = schema("image_generation.request")["properties"]

_STEP: Final = {"minimum": -1, "maximum": 1}


@dataclass(frozen=True, slots=True)
class Row:
    """One value, and how many of the examples had it."""

    bound: str
    ours: int
    plain: int


def rows(examples: int = EXAMPLES) -> list[Row]:
    """Each bound in valid requests, then each value one beyond it in requests that break the rule."""
    kept = [(name, limit) for name, _, limit in limits()]
    beyond = [(name, limit + _STEP[keyword]) for name, keyword, limit in limits()]
    ours, plain = drawn(requests(), examples), drawn(plain_requests(), examples)
    broken = [request.document for request in drawn(_broken(), examples)]
    plain_broken = drawn(_plain_broken(), examples)
    return [*_compared(kept, ours, plain), *_compared(beyond, broken, plain_broken)]


def limits() -> Iterator[tuple[str, str, int]]:
    """Parameter, keyword and limit of each bound of a number in the schema."""
    for name, stated in _PARAMETERS.items():
        for keyword in _STEP:
            if keyword in stated:
                yield name, keyword, stated[keyword]


def drawn(strategy: SearchStrategy[T], examples: int, *, start: int = 0) -> list[T]:
    """So many examples, the same each time."""
    found: list[T] = []

    @seed(start)
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def collect(example: T) -> None:
        found.append(example)

    collect()
    return found


def _compared(bounds: list[tuple[str, int]], ours: list[Any], plain: list[Any]) -> list[Row]:
    counted, counted_plain = _counts(ours), _counts(plain)
    return [Row(f"{name} = {value}", counted[name, value], counted_plain[name, value]) for name, value in bounds]


def _counts(documents: list[Any]) -> Counter[tuple[str, Any]]:
    """Parameter and value -> documents that have it. 512.0 counts as 512, and true as nothing."""
    return Counter(
        (name, document[name])
        for document in documents
        if isinstance(document, dict)
        for name in _PARAMETERS
        if isinstance(document.get(name), int | float) and not isinstance(document[name], bool)
    )


def plain_requests() -> SearchStrategy[dict[str, Any]]:
    """What one writes down from the schema in a minute: each parameter anywhere within its limits."""
    values = {name: _plain(stated) for name, stated in _PARAMETERS.items()}
    return st.fixed_dictionaries({"prompt": values.pop("prompt")}, optional=values)


def _plain(stated: Mapping[str, Any]) -> SearchStrategy[Any]:
    if "enum" in stated:
        return st.sampled_from(stated["enum"])
    by_type: Mapping[str, Callable[[], SearchStrategy[Any]]] = {
        "integer": lambda: st.integers(stated.get("minimum"), stated.get("maximum")),
        "number": lambda: st.floats(
            stated.get("minimum"), stated.get("maximum"), allow_nan=False, allow_infinity=False
        ),
        "string": lambda: st.text(min_size=stated.get("minLength", 0)),
    }
    return by_type[stated["type"] if isinstance(stated["type"], str) else stated["type"][0]]()


def _broken() -> SearchStrategy[BrokenRequest]:
    return st.sampled_from(list(limits())).flatmap(lambda at: broken_requests(f"image_generation.{at[0]}.{at[1]}"))


def _plain_broken() -> SearchStrategy[dict[str, Any]]:
    def beyond(at: tuple[str, str, int]) -> SearchStrategy[dict[str, Any]]:
        name, keyword, limit = at
        least, most = (limit + 1, None) if keyword == "maximum" else (None, limit - 1)
        return st.fixed_dictionaries({"prompt": st.text(min_size=1), name: st.integers(least, most)})

    return st.sampled_from(list(limits())).flatmap(beyond)


def _per_second(strategy: SearchStrategy[Any], examples: int = EXAMPLES) -> float:
    start = time.perf_counter()
    drawn(strategy, examples)
    return examples / (time.perf_counter() - start)


def main() -> None:
    """Print the table, then how quick drawing is."""
    print(f"{'hits in 1,000':>16} {'ours':>6} {'plain':>6}")
    for row in rows():
        print(f"{row.bound:>16} {row.ours:>6} {row.plain:>6}")
    ours, plain = _per_second(requests()), _per_second(plain_requests())
    print(
        f"\nexamples a second: requests {ours:,.0f}, plain {plain:,.0f}, broken {_per_second(broken_requests()):,.0f}"
    )


if __name__ == "__main__":
    main()
