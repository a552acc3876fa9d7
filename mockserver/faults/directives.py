"""Directives in the prompt: they decide what becomes of one task, for clients that nobody can configure.

`[[safelight queued=3 running=5 fail="out of memory"]]` is a task override, `[[safelight poll#2: http 502]]` a fault
rule. Other brackets are ordinary syntax of prompts, and stay.
"""

from __future__ import annotations

import re
from dataclasses import replace
from string import whitespace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from safelight.contracts.wording import brief, did_you_mean, listed
from safelight.mockserver.faults.rules import FaultRule, WrongRule, read_rule
from safelight.mockserver.faults.words import QUOTED, unquoted
from safelight.mockserver.model.task_override import TaskOverride

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_BEGIN: Final = re.compile(r"\[\[safelight(?=[\s\]])", re.IGNORECASE)
_END: Final = "]]"

#: Characters of all directives of a prompt.
MAX_DIRECTIVE_CHARACTERS: Final = 2_000

#: What a rule in a prompt can be about: this submit, and what comes after it.
_KINDS: Final = ("submit", "poll", "image")

#: The options of a task override.
_NAMES: Final = ("queued", "running", "fail", "id", "axis")

_WORDS: Final[Mapping[str, Any]] = {"true": True, "false": False}

_OPTION: Final = re.compile(r"\w+\s*=")

#: What a text in quotation marks begins with.
_MARKS: Final = ('"', "'")

#: An option, or a word that is none.
_OPTIONS: Final = re.compile(rf"(?P<name>\w+)=(?P<value>{QUOTED}(?!\S)|\S*)|\S+", re.DOTALL | re.ASCII)

#: What decides where a directive ends: brackets, but for those in quotation marks.
_BRACKETS: Final = re.compile(rf"(?<=[\s=])(?:{QUOTED})(?=\s|\]\])|[\[\]]", re.DOTALL)


class Directive(NamedTuple):
    """What a prompt says beside what it is about."""

    #: The prompt without it.
    prompt: str
    override: TaskOverride | None = None
    rules: tuple[FaultRule, ...] = ()

    def rules_of(self, task_id: str) -> Iterator[FaultRule]:
        """The rules about what comes after the submit, for this task alone."""
        for rule in self.rules:
            if rule.kind != "submit":
                yield replace(rule, where=(*rule.where, ("task_id", task_id)))

    @property
    def on_submit(self) -> FaultRule | None:
        """The rule that strikes the submit itself."""
        return next((rule for rule in self.rules if rule.kind == "submit"), None)


def directive_in(document: Mapping[str, Any]) -> Directive | None:
    """What the prompt of a request says, or None where it says nothing. Raises `ValueError` with a sentence."""
    prompt = document.get("prompt")
    if not isinstance(prompt, str) or "[[safelight" not in prompt.casefold():
        return None
    kept, texts = _taken_apart(prompt)
    if not texts:
        return None
    if sum(map(len, texts)) > MAX_DIRECTIVE_CHARACTERS:
        raise ValueError(f"a prompt says at most {MAX_DIRECTIVE_CHARACTERS:,} characters in this way")
    overrides = [text for text in texts if _OPTION.match(text)]
    rules = tuple(_rule(text) for text in texts if text not in overrides)
    if len(overrides) > 1 or sum(rule.kind == "submit" for rule in rules) > 1:
        raise ValueError("a prompt says one task override, in one directive, and one rule about its submit")
    return Directive(kept.strip(), _override(overrides[0]) if overrides else None, rules)


def _taken_apart(prompt: str) -> tuple[str, list[str]]:
    """The prompt without its directives, and what they say: in one go, as a prompt may be long."""
    kept, texts, at = list[str](), list[str](), 0
    while (begin := _BEGIN.search(prompt, at)) and (first := prompt.find(_END, begin.end())) >= 0:
        end = _end(prompt, begin.end(), first)
        kept.append(prompt[at : begin.start()])
        texts.append(prompt[begin.end() : end].strip(whitespace))
        at = end + len(_END)
    return "".join(kept) + prompt[at:], texts


def _end(prompt: str, begin: int, first: int) -> int:
    """Where a directive ends: after the brackets and quotation marks in it, or at its `first` end without them."""
    depth = 0
    for found in _BRACKETS.finditer(prompt, begin, begin + MAX_DIRECTIVE_CHARACTERS):
        if found[0] == "]" and not depth and prompt.startswith(_END, found.start()):
            return found.start()
        depth = max(0, depth + {"[": 1, "]": -1}.get(found[0], 0))
    return first


def _rule(text: str) -> FaultRule:
    if ":" not in text:
        raise ValueError(
            f'{_as_written(text)} is neither a task override, such as running=5 fail="no ink", nor poll#2: http 502'
        )
    try:
        rule = read_rule(text)
    except WrongRule as error:
        raise ValueError(f"{error.reason}, in {_as_written(text)} at column {error.at + 1}") from None
    if rule.kind not in _KINDS:
        raise ValueError(f"a prompt can say what goes wrong with its {listed(_KINDS, 'or')}, and not with {rule.kind}")
    if rule.kind == "submit" and rule.which not in ("submit", "submit#1"):
        raise ValueError(
            f"{brief(rule.which)} is not about this submit alone: write submit: {brief(text.partition(':')[2].strip())}"
        )
    return rule


def _as_written(text: str) -> str:
    return f"[[safelight {brief(text, _MAX_SHOWN_CHARACTERS)}]]"


#: Characters of a directive that is wrong.
_MAX_SHOWN_CHARACTERS: Final = 200


def _override(text: str) -> TaskOverride:
    options: dict[str, Any] = {}
    for found in _OPTIONS.finditer(text):
        word, value = found[0], found["value"] or ""
        name, said = found["name"] or word, unquoted(value)
        if value[:1] in _MARKS and not re.fullmatch(QUOTED, value, re.DOTALL):
            raise ValueError(f"a quotation mark is missing its other half, in {_as_written(text)}")
        if name in _NAMES and not said:
            raise ValueError(f"{name} says nothing: write {name}=... without blanks around it")
        if name in options:
            raise ValueError(f"{name} is said twice")
        if name not in _NAMES:
            near = did_you_mean(name, _NAMES) or f": there are {listed(_NAMES)}"
            raise ValueError(f"{brief(word)} says nothing about a task{near}")
        options[name] = _WORDS.get(value, said) if name == "fail" else said
    return TaskOverride(**options)
