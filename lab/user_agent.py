"""The family of a user agent: one word kept in place of the text a client sent.

The trap it avoids: a stored user agent is a stranger's free text, and nearly a fingerprint.
"""

from __future__ import annotations

import re
from functools import lru_cache

_ROBOT = re.compile(
    r"bot\b|bot[/_;-]|crawl|spider|slurp|scan|monitor|pingdom|uptime|facebookexternalhit|preview|headless|phantomjs",
    re.IGNORECASE,
)

_FAMILIES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("curl", ("curl/",)),
    ("Wget", ("Wget/",)),
    ("Postman", ("PostmanRuntime",)),
    ("Python", ("python", "Python", "aiohttp", "httpx", "Scrapy")),
    ("Java", ("Java/", "Apache-HttpClient", "Jakarta")),
    ("OkHttp", ("okhttp",)),
    ("Go", ("Go-http-client", "Go http package")),
    ("Node", ("node-fetch", "axios/", "undici", "got (")),
    ("PHP", ("PHP", "GuzzleHttp", "WordPress")),
    ("Ruby", ("Ruby", "Faraday")),
    ("Perl", ("libwww-perl", "LWP::")),
    ("Edge", ("Edg/", "Edge/", "EdgA/", "EdgiOS/")),
    ("Opera", ("OPR/", "Opera")),
    ("Samsung Internet", ("SamsungBrowser/",)),
    ("Internet Explorer", ("MSIE ", "Trident/")),
    ("Firefox", ("Firefox/", "FxiOS/")),
    ("Chrome", ("Chrome/", "CriOS/", "Chromium/")),
    ("Safari", ("Safari/",)),
    ("iOS app", ("CFNetwork/",)),
    ("Android app", ("Dalvik/",)),
)
"""In order of test: browsers name those they descend from, so the newest names come first."""

FAMILIES = (*(family for family, _ in _FAMILIES), "bot", "other")
"""Every word that `family` can give."""


@lru_cache(maxsize=4096)
def family(text: str) -> str:
    """Firefox, Chrome, Safari, Edge, curl, bot and the like; "other" for what no rule knows."""
    if _ROBOT.search(text):
        return "bot"
    for name, marks in _FAMILIES:
        if any(mark in text for mark in marks):
            return name
    return "other"
