"""What a test expects of a client: pure functions over the exchanges of a journal or a recording.

Each gives an `UnmetExpectation` where it does not hold, and nothing where it does. `JUDGED` has those that hold for
every client: whoever does not keep them has made a mistake.
"""

from safelight.traffic.expectations.contract import contract_kept, plan_delivered
from safelight.traffic.expectations.ids import only_issued_ids
from safelight.traffic.expectations.keys import (
    key_known,
    key_only_in_headers,
    key_only_to_origin,
    key_only_where_read,
    submitted_under_one_key,
)
from safelight.traffic.expectations.polls import no_poll_after_401, no_poll_after_end, polled
from safelight.traffic.expectations.submits import results_fetched, submitted, submitted_once
from safelight.traffic.expectations.times import polls_apart, retry_after_kept
from safelight.traffic.expectations.unmet import JUDGED, Judged, Missed, Undelivered, UnmetExpectation

__all__ = [
    "JUDGED",
    "Judged",
    "Missed",
    "Undelivered",
    "UnmetExpectation",
    "contract_kept",
    "key_known",
    "key_only_in_headers",
    "key_only_to_origin",
    "key_only_where_read",
    "no_poll_after_401",
    "no_poll_after_end",
    "only_issued_ids",
    "plan_delivered",
    "polled",
    "polls_apart",
    "results_fetched",
    "retry_after_kept",
    "submitted",
    "submitted_once",
    "submitted_under_one_key",
]
