"""What a client saves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from safelight.conformance.clients.evidence import Evidence
from safelight.conformance.clients.expectations import expectation
from safelight.conformance.clients.sight import polls
from safelight.contracts.wording import listed, shown

#: Files that a sentence names.
_MAX_NAMED: Final = 5


@expectation(needs_process=True)
def saves_picture(evidence: Evidence) -> Iterator[str]:
    """The picture of its task stands in its folder, whole."""
    wanted = list(evidence.pictures.values())
    for files in evidence.files:
        if not files:
            yield "no picture was saved"
        elif not any(contents in wanted for contents in files.values()):
            sizes = [f"{shown(path)} of {len(contents):,} bytes" for path, contents in files.items()]
            further = [f"{len(sizes) - _MAX_NAMED:,} more"] if len(sizes) > _MAX_NAMED else []
            yield f"what was saved is not the picture of the task: {listed([*sizes[:_MAX_NAMED], *further])}"


@expectation(needs_process=True)
def saves_nothing(evidence: Evidence) -> Iterator[str]:
    """No file is left, not even an empty one."""
    for files in evidence.files:
        for path, contents in files.items():
            if not path.endswith(_NO_PICTURES):
                yield f"the file {shown(path)} of {len(contents):,} bytes was left, and there was no picture"


#: How files end that are no pictures and claim to be none: what is said about one, and one that is not there yet.
_NO_PICTURES: Final = (
    *(".json", ".jsonl", ".yaml", ".txt", ".md", ".csv", ".html", ".log", ".meta"),
    *(".part", ".partial", ".tmp", ".temp", ".download", ".lock"),
)


@expectation(needs_process=True)
def saves_only_pictures(evidence: Evidence) -> Iterator[str]:
    """What is saved as a picture is one, whole."""
    for files in evidence.files:
        for path, contents in files.items():
            if contents not in evidence.pictures.values() and not path.endswith(_NO_PICTURES):
                yield f"{shown(path)} of {len(contents):,} bytes is not the picture of the task"


@expectation(needs_process=True)
def does_not_use_the_first_answer(evidence: Evidence) -> Iterator[str]:
    """The first answer to a poll is not taken for the last."""
    if len(polls(evidence)) == 1 and any(one.code == 0 for one in evidence.ended):
        yield "the client took the first answer, which was about another task"


@expectation(needs_process=True)
def is_honest(evidence: Evidence) -> Iterator[str]:
    """Exit code 0 means that the picture of the task was saved."""
    if any(one.code == 0 for one in evidence.ended):
        for sentence in saves_picture(evidence):
            yield f"the client ended with 0, and {sentence}"


@expectation(needs_process=True)
def stays_in_its_folder(evidence: Evidence) -> Iterator[str]:
    """Nothing is written outside of the folder that was given."""
    if evidence.stray:
        yield f"{shown(evidence.stray[0])} was written outside of the folder that was given"


@expectation(needs_process=True)
def saves_own_pictures(evidence: Evidence) -> Iterator[str]:
    """Each process has the picture of its own prompt."""
    for number, files in enumerate(evidence.files, 1):
        own = [task for task in evidence.tasks if str(task.request["prompt"]).endswith(f", picture {number}")]
        wanted = [evidence.pictures[task.id] for task in own]
        if not any(contents in wanted for contents in files.values()):
            others = [task for task in evidence.tasks if evidence.pictures[task.id] in files.values()]
            what = f"the picture of {shown(others[0].request['prompt'])}" if others else "no picture of this run"
            yield f"process {number} has {what}, not its own"
