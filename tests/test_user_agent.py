"""The family of a user agent."""

from __future__ import annotations

import pytest

from lab.user_agent import FAMILIES, family

CHROME = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (CHROME, "Chrome"),
        (f"{CHROME} Edg/120.0", "Edge"),
        (f"{CHROME} OPR/106.0", "Opera"),
        ("Mozilla/5.0 (Linux; Android 13) SamsungBrowser/23.0 Chrome/115.0 Mobile Safari/537.36", "Samsung Internet"),
        ("Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Safari/605.1.15", "Safari"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0", "Firefox"),
        ("Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1)", "Internet Explorer"),
        ("curl/8.4.0", "curl"),
        ("python-requests/2.31", "Python"),
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "bot"),
        (f"{CHROME} HeadlessChrome/120.0", "bot"),
        ("<script>alert(1)</script>", "other"),
        ("", "other"),
    ],
)
def test_a_user_agent_becomes_one_known_word(text: str, expected: str) -> None:
    """Browsers that name each other are told apart, robots first; nothing of the text itself is kept."""
    assert family(text) == expected
    assert family(text) in FAMILIES
