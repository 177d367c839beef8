"""Parts of the Day page: choosing the day, the calendar, the empty day, and its tables."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from datetime import date, timedelta
from typing import NamedTuple

import polars as pl
import streamlit as st

from lab.attempt import DuplicateKind
from lab.metrics import DayDetail
from lab.ui import cards, charts, links, loaders, seals, standing, tables, words
from lab.ui.here import EARLIEST, Here
from lab.ui.standing import Standing

MAX_WEEKS = 26


class Neighbours(NamedTuple):
    """The nearest days with data on either side."""

    earlier: date | None
    later: date | None


def neighbours(days: tuple[date, ...], day: date) -> Neighbours:
    """The last day with data before `day` and the first after it."""
    before, after = bisect_left(days, day), bisect_right(days, day)
    return Neighbours(days[before - 1] if before else None, days[after] if after < len(days) else None)


def go(day: date) -> None:
    """Show another day; a callback, since it changes a widget."""
    st.session_state["day"] = day


def chooser(here: Here) -> date:
    """The toolbar; the day stands in the URL."""
    if "day" not in st.session_state and "day" not in st.query_params:
        go(here.shown)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        day = st.date_input(
            "Day", value=None, min_value=EARLIEST, key="day", format="YYYY-MM-DD", bind="query-params", width=170
        )
        day = day if isinstance(day, date) else here.shown
        near = neighbours(here.days, day)
        for label, symbol, to in (
            ("Earlier", "chevron_left", near.earlier),
            ("Later", "chevron_right", near.later),
        ):
            st.button(label, icon=cards.icon(symbol), on_click=go, args=(to,), disabled=to is None)
        seals.day_button(here.lab, day)
    return day


def head(here: Here, detail: DayDetail, stands: Standing) -> None:
    """Badges, the day, and how it stands; what is missing of it, if anything is."""
    state = seals.badges(here.lab, detail.day, is_open=detail.open)
    note = standing.note(detail.day, here.now, here.lab.zone, detail.open)
    cards.head([stands.badge, *state], note, stands.title, stands.sentence)
    seals.damage(here.lab, detail.day)


def calendar(here: Here, day: date) -> None:
    """The weeks around the day, unless they are empty; selecting a cell shows that day."""
    newest = max(here.days[-1], day) if here.days else day
    end = newest if newest - day < timedelta(weeks=MAX_WEEKS) else day + timedelta(weeks=4)
    oldest = min(here.days[0], day) if here.days else day
    start = max(oldest, end - timedelta(weeks=MAX_WEEKS) + timedelta(days=1))
    frame = loaders.trend(here.version, here.traffic, start, end, here.today)
    if not int(frame["attempts"].sum()):
        return
    key = f"calendar-{day}"
    with st.container(border=True):
        if picked := cards.figure(charts.calendar(frame, day, here.colours), key, select=True):
            st.session_state[_PICKED] = date.fromisoformat(str(picked))
            st.rerun()


_PICKED = "_picked_day"


def take_picked() -> None:
    """A day picked in the calendar becomes the widget's, before the widget is drawn."""
    if picked := st.session_state.pop(_PICKED, None):
        go(picked)


def nothing(here: Here, day: date) -> None:
    """A day without attempts names the nearest days that have some; one whose file is set aside says so."""
    when, hurt = words.relative_day(day, here.today), here.lab.log.view(first=day, last=day).damaged
    badge = seals.HURT if hurt else cards.EMPTY_LAB._replace(word="No attempts")
    cards.head([badge], words.long_day(day), f"No attempts {when}{' can be read' if hurt else ''}")
    seals.damage(here.lab, day)
    if here.empty:
        cards.empty_traffic(here.traffic.value)
        return
    st.markdown("The nearest days with attempts:")
    with st.container(horizontal=True):
        for one in neighbours(here.days, day):
            if one is not None:
                st.button(words.long_day(one), key=f"near-{one}", icon=":material/event:", on_click=go, args=(one,))
    calendar(here, day)


def reasons(detail: DayDetail) -> None:
    """Every reason of the day with the field it names."""
    why = words.many(detail.reasons.height, "reason")
    st.subheader(f"{why} for {words.many(detail.failed, 'failure')}", anchor=False)
    if not detail.reasons.height:
        st.caption("Nothing was refused.")
        return
    shown = tables.named(detail.reasons, "category").with_columns(pl.col("reason", "field").fill_null(""))
    headings = {"attempts": "Attempts", "category": "Category", "reason": "Reason", "field": "Field"}
    row = tables.counts(shown, headings, "Reasons for refusal with their counts", key="reasons", select=True)
    if row is not None:
        category = detail.reasons["category"][row]
        links.attempts(links.on_day(detail.day), category=category)
    st.caption("Select a row to list its category.")


def bursts(here: Here, detail: DayDetail) -> None:
    """Each burst to the minute."""
    number = detail.bursts.height
    title = "No bursts" if not number else "One burst" if number == 1 else words.many(number, "burst")
    st.subheader(title, anchor=False)
    st.caption("Minutes with at least four times the day's usual minute, and more than chance explains.")
    if detail.bursts.height:
        shown = tables.timed(detail.bursts, here.lab.zone, "%H:%M")
        headings = {"start": "From", "end": "To", "attempts": "Attempts", "failed": "Failed", "peak": "A minute"}
        row = tables.counts(shown, headings, "Bursts of the day", key="bursts", select=True)
        if row is not None:
            links.attempts(links.within(detail.bursts["start"][row], detail.bursts["end"][row]))


def users(here: Here, detail: DayDetail) -> None:
    """The most active users, by pseudonym."""
    top = detail.users.filter(pl.col("attempts") > 0)
    if not top.height:
        st.subheader("No user can be told apart", anchor=False)
        return
    part = words.share(int(top["attempts"][0]), detail.attempts)
    clients = standing.clients_only(detail)
    number = words.many(detail.users_count, "client" if clients else "user")
    st.subheader(f"The most active of {number} made {part} of the attempts", anchor=False)
    headings = {
        "user": "Client" if clients else "User", "attempts": "Attempts", "success": "Accepted", "failed": "Failed",
        "first_at": "First", "last_at": "Last",
    }  # fmt: skip
    shown = tables.timed(top, here.lab.zone, "%H:%M")
    row = tables.counts(shown, headings, "Most active users", key="users", select=True)
    if row is not None:
        links.attempts(links.on_day(detail.day), user=top["user"][row])
    st.caption(f"{standing.CLIENTS if clients else 'Pseudonyms.'} Select a row to list its attempts.")


def duplicates(detail: DayDetail) -> None:
    """Duplicates by kind and source; replays of a finished request count as client retries."""
    total = int(detail.duplicates["attempts"].sum()) if detail.duplicates.height else 0
    st.subheader("No duplicates" if not total else words.many(total, "duplicate"), anchor=False)
    if total:
        order = [one.value for one in DuplicateKind]
        wide = tables.pivoted(detail.duplicates, "source", "kind", order)
        headings = {name: words.name(name) for name in wide.columns}
        tables.counts(tables.named(wide, "source"), headings, "Duplicates by source and kind")
    if detail.replays:
        st.caption(
            "1 replay of a finished request counts as a client retry, not as an attempt."
            if detail.replays == 1
            else f"{detail.replays:,} replays of finished requests count as client retries, not as attempts."
        )


def rate_limits(detail: DayDetail) -> None:
    """Where the limits bit."""
    total = int(detail.rate_limits["attempts"].sum()) if detail.rate_limits.height else 0
    title = "No attempt met a rate limit" if not total else f"Rate limits refused {words.many(total, 'attempt')}"
    st.subheader(title, anchor=False)
    if total:
        shown = tables.named(detail.rate_limits, "source")
        tables.counts(shown, {"page": "Page", "source": "Source", "attempts": "Attempts"}, "Rate limits by page")
