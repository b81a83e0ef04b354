"""The reason catalogue as a page for people (`docs/reasons.md`)."""

from __future__ import annotations

from features.reasons import MOST, THRESHOLD
from serving.reasons.catalogue import Catalogue, Entry, default_catalogue


def describe(catalogue: Catalogue | None = None) -> str:
    """The catalogue in Markdown."""
    catalogue = catalogue or default_catalogue()
    lines = [
        "# Reasons and reassurances",
        "",
        f"Catalogue version {catalogue.version}. What the model's features add to or take from the risk is summed by "
        f"group. A group that adds at least {THRESHOLD:g} log-odds is told as its reason, one that takes as "
        f"much away as its reassurance; at most {MOST} of each, strongest first. Every feature belongs to "
        "exactly one group. Codes never change their meaning.",
        "",
        "A reason is no finding: it says why a check is worth making, and which one would settle the doubt. In the "
        "sentences, braces hold the name of a fact, with its noun.",
        "",
        "| reason | reassurance | families of features |",
        "| --- | --- | --- |",
    ]
    for group in catalogue.groups:
        reason, reassurance = group.reason, group.reassurance
        lines.append(
            f"| {reason.code} {reason.title} | {reassurance.code} {reassurance.title} | {', '.join(group.families)} |"
        )
    for group in catalogue.groups:
        lines += ["", *_entry(group.reason), "", *_entry(group.reassurance), ""]
        lines += [f"Features: {', '.join(f'`{name}`' for name in group.features)}"]
    return "\n".join(lines) + "\n"


def _entry(entry: Entry) -> list[str]:
    lines = [f"## {entry.code}: {entry.title}", "", f"- To the customer: {entry.customer}"]
    if entry.check:
        lines.append(f"- Check: {entry.check}")
    if entry.check_claim != entry.check:
        lines.append(f"- Check of a claim: {entry.check_claim}")
    lines += ["- To staff, the first that fits:", ""]
    lines += [f"    1. {text}" for text in entry.sentence_texts]
    return lines
