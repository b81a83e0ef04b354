"""From the text of a policy file to a `Policy`, or to all that is wrong with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from serving.policy import overlaps, schema
from serving.policy.conditions import HISTORIES, Box, Space
from serving.policy.costs import NEEDS_GOODS
from serving.policy.faults import Fault, PolicyError, Wrong
from serving.policy.nodes import Place, at_end, compose
from serving.policy.policy import EXPECTED_COST, Clause, Policy, Rule
from serving.policy.schema import Document, Entry
from serving.policy.terms import Alternative, Season, Terms
from serving.policy.texts import Languages

_CLAIM = Box(((0, frozenset(("claim",))),))
_THIN_RETURN = Box(((0, frozenset(("return",))), (2, frozenset(HISTORIES[:1]))))


def load(path: Path) -> Policy:
    """The policy in a file.

    Raises:
        PolicyError: it cannot be read, or something in it is wrong.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise PolicyError(path.name, [Fault(1, 1, "", error.strerror or str(error))]) from error
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode("utf-8")
        what = f"is not UTF-8 from here on (byte {error.object[error.start]:#04x}); save the file as UTF-8"
        raise PolicyError(path.name, [at_end(before, what)]) from error
    return read(text, path.name)


def read(text: str, file: str) -> Policy:
    """The policy of a text; `file` is how its faults call it.

    Raises:
        PolicyError: something in it is wrong: names all faults that can be told at once.
    """
    root = compose(text, file)
    try:
        categories = _categories(root)
        said: Document = schema.document(categories)(root)
        faults = _faults(said)
    except Wrong as wrong:
        raise PolicyError(file, wrong.faults) from None
    if faults:
        raise PolicyError(file, faults)
    return _policy(said, text)


def _categories(root: Place) -> tuple[str, ...]:
    """The shop's categories; none if that part is wrong, which is then said with all the rest."""
    pairs: Sequence[tuple[yaml.Node, yaml.Node]] = root.node.value if isinstance(root.node, yaml.MappingNode) else ()
    for key, value in pairs:
        if key.value == "categories":
            try:
                found: tuple[str, ...] = schema.categories_reader()(root.child(value, "categories"))
            except Wrong:
                return ()
            return found
    return ()


def _faults(said: Document) -> list[Fault]:
    """What is wrong between the parts."""
    space = Space(said.categories)
    entries = (*said.decide[1], *said.terms, *said.seasons, *said.alternatives)
    faults = [
        entry.place.fault(f"the id {entry.id!r} stands twice; every entry needs one of its own")
        for entry in entries
        if next(other for other in entries if other.id == entry.id) is not entry
    ]
    if said.currency in said.rates:
        rates = next(said.at.child(value, "rates", key) for key, value in said.at.node.value if key.value == "rates")
        faults.append(rates.fault(f"{said.currency} is the currency itself and has no rate; remove it"))
    faults += _of_rules(space, said)
    terms = _laid(said.terms, "")
    faults += overlaps.overlaps(space, terms)
    left = overlaps.left_open(space, terms)
    if left is not None:
        faults.append(said.terms[-1].place.fault(f"no terms for {space.told(left)}; end with an entry without `when`"))
    for offer in schema.OFFERS:
        same = [entry for entry in said.alternatives if entry.says["offer"] == offer]
        faults += overlaps.overlaps(space, _laid(same, ""))
    faults += [
        entry.place.fault("only store_credit can have a bonus_percent; remove it")
        for entry in said.alternatives
        if entry.says["bonus_percent"] and entry.says["offer"] != "store_credit"
    ]
    return faults + _of_texts(said)


def _laid(entries: Sequence[Entry], prefix: str) -> list[overlaps.Entry]:
    laid = []
    for entry in entries:
        fault = entry.place.fault("")
        says = tuple(sorted(entry.says.items()))
        laid.append(overlaps.Entry(fault.line, fault.column, prefix + fault.path, entry.id, entry.box, says))
    return laid


def _of_rules(space: Space, said: Document) -> list[Fault]:
    way, rules = said.decide
    laid = _laid(rules, "")
    faults = overlaps.overlaps(space, laid)
    for number, rule in enumerate(rules):
        action = rule.says["action"]
        of_claims = overlaps.reached(space, laid, number, _CLAIM)
        if action in NEEDS_GOODS and of_claims is not None:
            faults.append(rule.place.fault(f"{action} of a claim: no goods come back; add `kind: return`"))
        of_thin = overlaps.reached(space, laid, number, _THIN_RETURN)
        if action == "staff_review" and of_thin is not None:
            beyond = "staff_review on a thin history: goes beyond a look at the item; add `history: enough`"
            faults.append(rule.place.fault(beyond))
    left = overlaps.left_open(space, laid) if way == "rules" else None
    if left is not None:
        at = rules[-1].place if rules else said.at
        faults.append(
            at.fault(f"no rule fits {space.told(left)}; end with a rule for the rest, or decide by expected_cost")
        )
    return faults


def _of_texts(said: Document) -> list[Fault]:
    place, default, by_country = said.languages
    faults = [
        place.fault(f"there are no texts in {language!r}; add them under texts, or choose another language")
        for language in dict.fromkeys((default, *by_country.values()))
        if language not in said.texts
    ]
    needed = Counter(code for entry in said.terms for code in entry.says["conditions"])
    for language, (at, texts) in said.texts.items():
        faults += [
            at.fault(f"conditions.{code} is missing: a text in {language!r} for a condition that terms name")
            for code in needed
            if code not in texts.conditions
        ]
    return faults


def _policy(said: Document, text: str) -> Policy:
    def entry(kind: Any, of: Entry) -> Any:
        return kind(id=of.id, box=of.box, **of.says)

    _, default, by_country = said.languages
    texts = {language: found for language, (_, found) in said.texts.items()}
    way, rules = said.decide
    return Policy(
        version=said.version,
        currency=said.currency,
        rates=said.rates,
        categories=said.categories,
        costs=said.costs,
        capacity=said.capacity,
        way="rules" if way == "rules" else "expected_cost",
        rules=tuple(entry(Rule, rule) for rule in rules),
        checks=said.checks,
        terms=tuple(
            Terms(
                id=of.id,
                box=of.box,
                **{**of.says, "non_returnable": frozenset(of.says["non_returnable"])},
            )
            for of in said.terms
        ),
        seasons=tuple(entry(Season, of) for of in said.seasons),
        alternatives=tuple(entry(Alternative, of) for of in said.alternatives),
        cases=said.cases,
        languages=Languages(default, by_country, texts),
        clauses=_clauses(said, text),
        text=text,
    )


def _clauses(said: Document, text: str) -> dict[str, Clause]:
    """Every entry that an answer can name, with its lines of the file."""
    lines = text.splitlines()

    def clause(name: str, section: str, start: Any, end: Any) -> Clause:
        first = start.line
        part = lines[first : max(end.line + (end.column > 0), first + 1)]
        while part and (not part[-1].strip() or part[-1].lstrip().startswith("#")):
            part.pop()
        return Clause(name, section, first + 1, "\n".join(part))

    key, costs = next(pair for pair in said.at.node.value if pair[0].value == "costs")
    found = {EXPECTED_COST: clause(EXPECTED_COST, "costs", key.start_mark, costs.end_mark)}
    for section, entries in (
        ("decide", said.decide[1]),
        ("terms", said.terms),
        ("seasons", said.seasons),
        ("alternatives", said.alternatives),
    ):
        for entry in entries:
            found[entry.id] = clause(entry.id, section, entry.place.node.start_mark, entry.place.node.end_mark)
    return found
