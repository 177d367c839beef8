"""A first guess at a log's forms."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lab.errors import UnreadableLog
from lab.importer import guess
from lab.importer.guess import propose
from lab.world import Source, World

Line = Callable[..., str]
DECLARED = tuple(World.default().sources)


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("/join_form", "WEBSITE_FORM"), ("/signup", "WEBSITE_FORM"), ("/contact/send", "WEBSITE_FORM"),
        ("/register.php", "WEBSITE_FORM"), ("/whatever", "WEBSITE_FORM"), ("/apply", "WEBSITE_FORM"),
        ("/login_form", "LANDING_PAGE"), ("/landing/spring", "LANDING_PAGE"), ("/lp/1", "LANDING_PAGE"),
        ("/help", "WEBSITE_FORM"), ("/api/leads", "PARTNER_API"), ("/v1/submissions", "PARTNER_API"),
        ("/mobile/register", "MOBILE_APP"), ("/app/lead", "MOBILE_APP"), ("/api/mobile/lead", "MOBILE_APP"),
        ("/chat/start", "CHAT_WIDGET"), ("/referral", "REFERRAL_WIDGET"), ("/wp-login.php", None),
        ("/xmlrpc.php", None), ("/acl_users/credentials/require_login", None), ("/logo.png", None), ("/search", None),
    ],
)  # fmt: skip
def test_a_path_suggests_its_source(path: str, source: str | None) -> None:
    """By its words; what robots knock on is proposed to be left out."""
    assert propose(path, DECLARED) == source


def test_only_declared_sources_are_proposed() -> None:
    """A proposal that the import would refuse is none."""
    assert propose("/api/leads", ["SHOP"]) == "SHOP"


def test_a_sample_gives_its_posts_with_counts_and_statuses(sample: Path) -> None:
    """Most posted first; absolute targets count with their path; broken lines are counted."""
    found = guess(sample)
    assert [(form.path, form.source, form.posts, form.statuses) for form in found.forms] == [
        ("/join_form", "WEBSITE_FORM", 6, {"302": 6}),
        ("/login_form", "LANDING_PAGE", 4, {"200": 4}),
        ("/acl_users/require_login", None, 1, {"200": 1}),
    ]
    assert (found.lines, found.posts, found.broken, found.whole) == (14, 11, 1, True)
    assert found.mapping == {"/join_form": "WEBSITE_FORM", "/login_form": "LANDING_PAGE"}


def test_200_beside_a_redirect_is_pointed_out(tmp_path: Path, line: Line) -> None:
    """Where a success redirects, a 200 is often the form shown again."""
    path = tmp_path / "a.log"
    path.write_text(line() + line(status=200))
    assert "shown again" in guess(path).forms[0].hint


def test_the_guess_takes_the_worlds_own_sources(tmp_path: Path, line: Line) -> None:
    """A lab with other sources gets proposals among those."""
    path = tmp_path / "a.log"
    path.write_text(line())
    assert guess(path, World({"SHOP": Source("SHOP")}, frozenset())).mapping == {"/join_form": "SHOP"}


def test_a_stranger_cannot_flood_the_guess_with_paths(tmp_path: Path, line: Line) -> None:
    """What is shown is bounded, and unprintable or endless paths are not among it."""
    path = tmp_path / "a.log"
    odd = line("POST /\x1b[31mred HTTP/1.1") + line(f"POST /{'x' * 900} HTTP/1.1")
    path.write_text(odd + "".join(line(f"POST /{number} HTTP/1.1") for number in range(300)))
    found = guess(path)
    assert len(found.forms) == 50
    assert all(len(form.path) < 10 for form in found.forms)


def test_a_file_that_is_no_log_is_refused(tmp_path: Path) -> None:
    """As the import would."""
    path = tmp_path / "a.log"
    path.write_text("hello\n")
    with pytest.raises(UnreadableLog):
        guess(path)
