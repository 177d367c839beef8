"""The rule-based analyst: the same report from the same facts, in words that a person chose once.

It is the fallback when no model answers and the yardstick when one does. The trap it avoids: a report that fills
a quiet day with noise. A section says what its facts hold and one plain sentence when they hold nothing.
"""

from __future__ import annotations

from lab.report import wording
from lab.report.analyst import SECTIONS, Draft, Effort, Section, Statement, Tell
from lab.report.fact import Fact, Facts
from lab.report.references import cited
from lab.report.ruled_detail import misconfiguration, system, users

APART = 1.5
"""How many times its usual a figure must be, up or down, to be called far from it."""
FEW = 20
"""Attempts under which no day is called unusual."""
MANY = 5
"""Failures from which on their largest group is worth a sentence."""


class RuleAnalyst:
    """Deterministic: equal facts give an equal draft."""

    name = "rules"

    def write(self, facts: Facts, tell: Tell | None = None) -> tuple[Draft, Effort]:
        """The draft; `tell` is told the stage once."""
        if tell is not None:
            tell("writing", 0, len(SECTIONS))
        writers = {
            "summary": summary, "users": users, "system": system, "misconfiguration": misconfiguration,
            "confidence": confidence, "scope": scope,
        }
        sections = tuple(Section(key, tuple(writers[key](facts))) for key, _ in SECTIONS)
        return Draft(headline(facts), sections), Effort()


def headline(facts: Facts) -> Statement:
    """One line that says what kind of day it was."""
    day, attempts, failed = facts.get("day"), facts.get("attempts"), facts.get("failed")
    until = facts.get("until")
    name = wording.short_day(facts.day)
    if not attempts or not attempts.number:
        tail = f" until {facts.until}" if facts.until else ""
        return cited(f"No attempts on {name}{tail}", day, until, on=attempts)
    when = f"{name}, until {facts.until}" if until else name
    if signal := next(iter(facts.of("signals")), None):
        return cited(f"{_signal_headline(signal)} on {when}", day, until, on=signal)
    rate = facts.get("failed.share")
    if failed and rate and _far_above(rate, 5.0) and attempts.number >= FEW:
        return cited(
            f"{rate.text} of attempts failed on {when}, against {_base(rate)}", day, until, rate,
        )
    word = _volume_word(facts)
    if word:
        return cited(f"{_attempts(attempts)} on {when}, {word}", day, until, attempts, facts.get("attempts.change"))
    accepted = facts.get("accepted")
    if attempts.number == 1:
        outcome = "accepted" if accepted and accepted.number else "refused"
        return cited(f"{_attempts(attempts)} on {when}, {outcome}", day, until, attempts, accepted)
    if failed and not failed.number and accepted:
        return cited(f"All {_attempts(attempts)} accepted on {when}", attempts, day, until)
    tail = f"{accepted.text} of them accepted" if accepted else "none of them accepted"
    return cited(f"{_attempts(attempts)} on {when}, {tail}", day, until, attempts, accepted)


def summary(facts: Facts) -> list[Statement]:
    """Volume, outcome, and the one or two things that stand out."""
    attempts, accepted, failed = facts.get("attempts"), facts.get("accepted"), facts.get("failed")
    day, until, rate = facts.get("day"), facts.get("until"), facts.get("failed.share")
    if not attempts or not attempts.number or not accepted or not failed or not rate:
        text = f"The log holds no attempt for {wording.short_day(facts.day)}"
        text += f" until {facts.until}; the day is still open." if facts.until else "."
        if attempts and attempts.base:
            text += f" {wording.count(attempts.base)} are usual{' by now' if facts.open else f' on a {facts.day:%A}'}."
        others = [fact for fact in facts.items if fact.key.startswith("left_out:")]
        return [cited(text, day, until, on=attempts), *(_left_out(fact) for fact in others)]
    so_far = f"By {facts.until} the lab had received" if facts.until else "The lab received"
    first = f"{so_far} {_attempts(attempts)}{_against_usual(facts)}."
    if not failed.number:
        outcome = "All of them were accepted, none failed."
    elif not accepted.number:
        outcome = "None of them was accepted."
    else:
        against = f", against {_base(rate)}" if rate.base is not None else ""
        verb = "was" if accepted.number == 1 else "were"
        outcome = f"Of these, {accepted.text} {verb} accepted and {failed.text} failed, {rate.text} of all{against}."
    said = [
        cited(first, day, until, attempts, facts.get("attempts.change")),
        cited(outcome, attempts, accepted, failed, rate),
    ]
    category = next(iter(facts.of("failures")), None)
    if category and failed.number >= MANY:
        others = facts.of("failures")[1:]
        words = wording.category_words(category.key.removeprefix("category:"))
        place = "among the largest groups" if others and others[0].number == category.number else "the largest group"
        text = f"{_capital(words)} were {place}: {category.text}, {category.share}."
        said.append(cited(text if others else f"All {category.text} failures were {words}.", category))
    if burst := next(iter(facts.of("bursts")), None):
        said.append(cited(f"{_capital(_burst(burst))}.", burst))
    return said


def confidence(facts: Facts) -> list[Statement]:
    """A level, from volume and coverage, with its reasons."""
    attempts, comparable = facts.get("attempts"), facts.get("comparable")
    least, simulated, until = facts.get("comparable.least"), facts.get("simulated"), facts.get("until")
    few = attempts is not None and attempts.number < FEW
    if few or least:
        level = "Low"
    elif until:
        level = "Medium"
    else:
        level = "High"
    said = [Statement(f"{level}. Every figure was counted from the log and is listed with the facts.")]
    if until:
        said.append(cited(f"The day is open and counted until {until.text}; its figures will still grow.", until))
    if comparable and least:
        had = {0: "There is no comparable earlier day", 1: "There is a single comparable earlier day"}
        lead = had.get(int(comparable.number), f"There are {comparable.text} comparable earlier days")
        said.append(cited(f"{lead}; below {least.text} nothing is called usual.", comparable, least))
    elif comparable:
        text = f"What is called usual is the median of {comparable.text} comparable earlier days."
        said.append(cited(text, comparable))
    if attempts and few and attempts.number:
        said.append(cited(f"{_capital(_attempts(attempts))} are few: each one moves a share much.", attempts))
    if simulated:
        said.append(cited(f"{_capital(_simulated(simulated))}.", simulated))
    return said


def scope(facts: Facts) -> list[Statement]:
    """What no analyst of this log can know."""
    said = [
        Statement("The log knows attempts that reached the lab; a form that never sent anything leaves no trace."),
        Statement("It shows what happened together, not why: releases, campaigns and changes elsewhere are not in it."),
        Statement("Users are pseudonyms; one person with several addresses counts as several users."),
    ]
    if facts.traffic != "All":
        said.append(Statement(f"Only {facts.traffic.lower()} traffic is counted."))
    said.append(Statement(f"Times are in {facts.zone}."))
    return said


def _left_out(fact: Fact) -> Statement:
    name = fact.key.split(":")[1]
    held = wording.plural(fact.number, f"{name.lower()} attempt")
    return cited(f"The day holds {held}, left out here; the traffic {name} (--traffic {name}) tells of them.", fact)


def _attempts(fact: Fact) -> str:
    return wording.plural(fact.number, "attempt")


def _base(fact: Fact) -> str:
    """"usual Thursday 8.5%" as it reads in a sentence: "a usual 8.5%"."""
    return f"a usual {(fact.compare or '').rsplit(' ', 1)[-1]}"


def _far_above(fact: Fact, least: float = 0.0) -> bool:
    return fact.base is not None and fact.number >= APART * fact.base and fact.number - fact.base >= least


def _volume_word(facts: Facts) -> str | None:
    """Where attempts stand when far from usual, else None."""
    attempts, change = facts.get("attempts"), facts.get("attempts.change")
    if not attempts or not attempts.base or not change or max(attempts.number, attempts.base) < FEW:
        return None
    if attempts.number >= APART * attempts.base:
        return f"far above the usual ({change.text})"
    if attempts.number * APART <= attempts.base:
        return f"far below the usual ({change.text})"
    return None


def _against_usual(facts: Facts) -> str:
    """A clause that holds attempts against the usual; empty when there is none."""
    attempts, change = facts.get("attempts"), facts.get("attempts.change")
    if not attempts or not attempts.base or not change:
        return ""
    usual = f"the {wording.count(attempts.base)} usual " + ("by now" if facts.open else f"on a {facts.day:%A}")
    if attempts.number == attempts.base:
        return f", exactly {usual}"
    size = change.text.lstrip("+-")
    return f", {size} {'more' if attempts.number > attempts.base else 'fewer'} than {usual}"


def _signal_headline(signal: Fact) -> str:
    _, rule, *names = signal.key.split(":")
    source = wording.name(names[-1])
    match rule:
        case "field":
            return f"{signal.text} failures name the field {names[0]} from {source}"
        case "credentials":
            return f"{signal.text} attempts of {source} were refused for their credentials"
        case "failing":
            all_of_it = (signal.share or "").startswith("100.0%")
            some = f"{signal.text} attempts of {source} failed, {signal.share},"
            return f"All {signal.text} attempts of {source} failed" if all_of_it else some
        case "silent":
            return f"{source} fell silent"
        case "limit":
            return f"The limit on one client refused {signal.text} distinct users of {source}"
        case "repeats":
            return f"{source} sent again and again: a limit refused {signal.text} attempts"
        case _:
            return f"{source} repeated accepted leads at machine speed"


def _burst(fact: Fact) -> str:
    when, _, failed = (fact.share or "").partition(", ")
    return f"a burst {when} brought {fact.text} attempts, {failed}"


def _simulated(fact: Fact) -> str:
    part = (fact.share or "").removesuffix(" of attempts")
    return f"{fact.text} attempts, {part} of all, are simulated"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
