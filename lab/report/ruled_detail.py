"""The rule-based wording of what users did, what the system did, and what looks misconfigured.

The trap it avoids: a list read aloud. Each paragraph names the few facts that matter, in order, and stops.
"""

from __future__ import annotations

from lab.report import wording
from lab.report.analyst import Statement
from lab.report.fact import Fact, Facts
from lab.report.references import cited

MANY = 20
"""Attempts under which no source is compared."""
FAR = 1.5
"""How many times its usual a source must send, up or down, to be called far from it."""
CONCENTRATED = 5.0
"""Per cent of all attempts that the most active users must make to be worth a sentence."""
SLOWER = 1.5
"""How many times its usual the p95 must be to be called slower."""


def users(facts: Facts) -> list[Statement]:
    """How many, how concentrated, who failed and who came again."""
    total, away = facts.get("users"), facts.get("turned_away")
    if not total or not total.number:
        return [cited("No user made an attempt.", facts.get("attempts"))]
    many = total.number != 1
    text = f"{_of(total, 'user')} made the day's attempts"
    if away and away.number:
        text += f"; {away.text} of them {'were' if away.number != 1 else 'was'} refused and not accepted afterwards"
    elif away:
        text += "; none was left without an accepted attempt" if many else ", in the end with success"
    said = [cited(f"{text}.", total, on=away)]
    top, first = facts.get("users.top"), facts.get("user:U1")
    if top and first and top.number >= CONCENTRATED:
        said.append(
            cited(
                f"{_capital(top.label.removeprefix('share of attempts by '))} made {top.text} of all attempts; "
                f"U1 alone made {first.text} ({_first_part(first)}).",
                top, first,
            )
        )
    elif first and not top:
        text = f"U1 was the most active with {_of(first, 'attempt')} ({_first_part(first)})."
        said.append(cited(text, first))
    failing = facts.get("users.failing")
    if failing:
        user = "user" if failing.number == 1 else "users"
        said.append(
            cited(f"Among the most active, {failing.text} {user} failed repeatedly and never got through.", failing)
        )
    total_duplicates, kinds = facts.get("duplicates"), [fact for fact in facts.of("duplicates") if ":" in fact.key]
    if total_duplicates and kinds:
        named = wording.listed([_duplicate(fact) for fact in kinds[:3]] + ["smaller groups"] * (len(kinds) > 3))
        text = f"{_of(total_duplicates, 'submission')} repeated something already accepted: {named}."
        said.append(cited(text, total_duplicates, *kinds[:3]))
    else:
        said.append(cited("No duplicate or replay was recorded.", total_duplicates))
    return said


def system(facts: Facts) -> list[Statement]:
    """Load, answer times, what was refused where."""
    attempts = facts.get("attempts")
    if not attempts or not attempts.number:
        return [cited("Nothing arrived that the system could have accepted or refused.", attempts)]
    said = []
    busiest, peak = facts.get("minute.busiest"), facts.get("minute.attempts")
    if busiest and peak:
        said.append(
            cited(f"The busiest minute was {busiest.text}, with {_of(peak, 'attempt')}.", busiest, peak)
        )
    p50, p95 = facts.get("latency.p50"), facts.get("latency.p95")
    if p50 and p95:
        text = f"The median answer took {p50.text}; all but the slowest twentieth came within {p95.text}"
        if p95.base:
            usual = (p95.compare or "").split(" ", 2)[-1]
            word = "slower than" if p95.number >= SLOWER * p95.base else "faster than" if (
                p95.number * SLOWER <= p95.base) else "close to"
            text += f", {word} the usual {usual}"
        said.append(cited(f"{text}.", p50, p95))
    else:
        said.append(cited("No answer times were recorded for these attempts.", attempts))
    said += _where_failing(facts) + _far_from_usual(facts)
    reasons = facts.of("reasons")[:2]
    if reasons:
        named = wording.listed([f"{_reason(fact)} ({fact.text})" for fact in reasons])
        most = "The most frequent refusals were" if len(reasons) > 1 else "Every refusal was" if _all(reasons) else (
            "The most frequent refusal was")
        said.append(cited(f"{most} {named}.", *reasons))
    if limits := facts.of("limits"):
        first = limits[0]
        said.append(
            cited(f"Rate limits refused {_of(first, 'attempt')} on "
                  f"{first.label.removeprefix('rate-limited attempts on ')}"
                  + (", more than anywhere else." if _leads(limits) else "."), first)
        )
    return said


def misconfiguration(facts: Facts) -> list[Statement]:
    """The day's signals with their evidence; never a cause."""
    found = facts.of("signals")
    if not found:
        attempts = facts.get("attempts")
        held = "and sources are judged for silence only once a day is over" if facts.open else ""
        text = "None of the rules found a sign of misconfiguration" + (f", {held}." if held else ".")
        return [cited(text, attempts)]
    return [_signal(fact, facts) for fact in found]


def _signal(fact: Fact, facts: Facts) -> Statement:
    _, rule, *names = fact.key.split(":")
    source = wording.name(names[-1])
    beside: Fact | None = None
    match rule:
        case "field":
            text = (f"{_of(fact, 'failure')} from {source} {_verb(fact, 'names', 'name')} the field {names[0]}, "
                    f"{fact.share}; a rule or a form may have changed there.")
        case "credentials":
            text = (f"{_of(fact, 'attempt')} of {source} {_verb(fact, 'was', 'were')} refused for credentials, "
                    f"{fact.share}; a key may have expired or changed.")
        case "failing":
            text = (f"{_of(fact, 'attempt')} of {source} failed, {fact.share}; its form or its rules may not fit "
                    "what is sent.")
        case "silent":
            usual = wording.count(fact.base or 0)
            text = (f"{source} sent {fact.text if fact.number else 'nothing'} where {usual} attempts are usual; "
                    "it may have lost its way to the lab, or simply had nothing to send.")
        case "limit":
            text = (f"The limit on one client refused {_of(fact, 'distinct user')} of {source} ({fact.share}); they "
                    "may share an address that is counted as a single client.")
        case "repeats":
            beside = facts.get(f"signal:duplicates:{names[-1]}")
            also = f", and leads accepted before came again, up to {beside.text} in one minute" if beside else ""
            sent = f", {fact.share}" if fact.share else ""
            text = (f"The limit on one user refused {_of(fact, 'attempt')} of {source}{sent}{also}; something may "
                    "be sending the same leads in a loop.")
        case _:
            text = (f"{source} repeated accepted leads at machine speed, up to {fact.text} in one minute and "
                    f"{fact.share}; its retries may not stop at success.")
    return cited(text, beside, on=fact)


def _far_from_usual(facts: Facts) -> list[Statement]:
    """Sources that sent far more or far fewer attempts than they usually do; a silent one is a signal of its own."""
    said = []
    for fact in facts.of("sources"):
        if not fact.base or max(fact.base, fact.number) < MANY or fact.key.endswith(":failed"):
            continue
        more, fewer = fact.number >= FAR * fact.base, fact.number * FAR <= fact.base
        if more or fewer:
            name, word = wording.name(fact.key.split(":")[1]), "more" if more else "fewer"
            text = f"{name} sent {_of(fact, 'attempt')}, far {word} than its usual {wording.count(fact.base)}."
            said.append(cited(text, fact))
    return said[:2]


def _leads(ranked: list[Fact]) -> bool:
    return len(ranked) > 1 and ranked[0].number > ranked[1].number


def _where_failing(facts: Facts) -> list[Statement]:
    """The source whose failed share stands furthest above the day's, when it is well above."""
    overall = facts.get("failed.share")
    rates = [fact for fact in facts.of("sources") if fact.key.endswith(":failed")]
    if overall is None or len(rates) < 2:
        return []
    worst = max(rates, key=lambda fact: (fact.number, fact.key))
    counted = facts.get(worst.key.removesuffix(":failed"))
    if counted is None or counted.number < MANY or worst.number < overall.number + 5:
        return []
    name = wording.name(worst.key.split(":")[1])
    return [
        cited(f"{name} failed most often: {worst.text} of its {_of(counted, 'attempt')}, "
              f"against {overall.text} over all sources.", worst, counted, overall)
    ]


def _reason(fact: Fact) -> str:
    """"refused by Validation failed, stage validation, field phone" as "Validation failed on the field phone"."""
    category, *rest = fact.label.removeprefix("refused by ").split(' ("')[0].split(", ")
    field = next((part for part in rest if part.startswith("field ")), None)
    return f"{category} on the {field}" if field else category


def _all(facts: list[Fact]) -> bool:
    return len(facts) == 1 and (facts[0].share or "").startswith("100.0%")


def _duplicate(fact: Fact) -> str:
    _, kind, source = fact.key.split(":")
    kinds = wording.DUPLICATE_WORDS.get(kind, ("repetition",))
    return f"{wording.plural(fact.number, *kinds)} from {wording.name(source)}"


def _first_part(fact: Fact) -> str:
    """"4.2% of attempts, 12 failed" without what the sentence says already."""
    return (fact.share or "").replace(" of attempts", "")


def _of(fact: Fact, one: str) -> str:
    return wording.plural(fact.number, one)


def _verb(fact: Fact, one: str, many: str) -> str:
    return one if fact.number == 1 else many


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
