"""The reason catalogue as a page for people (`docs/reasons.md`)."""

from __future__ import annotations

from features.reasons import MOST, THRESHOLD
from serving.reasons.catalogue import Catalogue, Entry, default_catalogue
from serving.reasons.help import Help, helps
from serving.reasons.translation import SOURCE


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
        "The catalogue is English, and so is what an assessment keeps. `catalogue.LANGUAGE.toml` beside it holds the "
        "words of another language, `help.LANGUAGE.toml` the help; `serving.reasons.told.told` tells a stored reason "
        "in it. Both are checked when they are read: the same codes, sentences, conditions and facts.",
        "",
        "| reason | reassurance | families of features |",
        "| --- | --- | --- |",
    ]
    for group in catalogue.groups:
        reason, reassurance = group.reason, group.reassurance
        lines.append(
            f"| {reason.code} {reason.title} | {reassurance.code} {reassurance.title} | {', '.join(group.families)} |"
        )
    found = helps(SOURCE)
    for group in catalogue.groups:
        for entry in (group.reason, group.reassurance):
            lines += ["", *_entry(entry), "", *_help(found[entry.code])]
        lines += ["", f"Features: {', '.join(f'`{name}`' for name in group.features)}"]
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


def _help(about: Help) -> list[str]:
    lines = [f"**What it means.** {about.means}", "", f"**What it does not mean.** {about.does_not_mean}"]
    if about.is_reason:
        lines += ["", "**What often explains it.**", "", *(f"- {each}" for each in about.innocent)]
        lines += ["", f"**What settles it.** {about.settles}"]
    return lines
