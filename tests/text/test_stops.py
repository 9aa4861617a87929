"""Golden cuts inside one paragraph, written for this project; `|` marks where a sentence ends."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.tracing import lines_run

from detector.text.sentences import stops

GOLDEN = {
    "curly quote": "She said: “Stay.”| Then she went.",
    "straight quote": 'She said: "Stay."| Then she went.',
    "single quotes": "She said ‘Stay.’| Then she went.| He said 'Go.'| They went.",
    "quoted question": "“Stay?” she asked.| “Why?” Miller asked.| “No!” Mr. Wong told us.",
    "quotes in a row": '"I am done."| "Me too."| They left.',
    "quotes that stand alone": 'He said " stay . "| Then he left .| " Why ? "| She went .',
    "U.S. before a name": "The U.S. Senate met.| Then U.S. President Lee spoke.",
    "U.S. at the end": "He lives in the U.S.| He likes it.| She moved to the U.K.| The end.",
    "U.S. before a title": "They met in the U.S.| Mr. Lee left.",
    "titles": "Mr. Fox met Dr. Lee, Gen. Roy and Sen. Kay.| Lt. Col. Moss left with St. Clair.",
    "titles in small letters": "Then gen. Roy met dr. Lee.| They left.",
    "short surnames": "Mr. Fox met Mr. Xi.| Ms. Li came.| Trump called Ma.| Beijing was silent.",
    "numbered": "See No. 5 and Fig. 3 of vol. 2.| It was on Sept. 11 in Art. 5.",
    "no as a word": "He said no.| Nobody moved.| No.| Not that.",
    "hours": "It opens at 9 a.m. on Monday, at 5 p.m. Friday, at 3 a.m. ET.| It shut at 6 p.m.| So",
    "initials": "John F. Kennedy met J. R. R. Tolkien and J.K. Rowling.| It was plan B.| He left.",
    "companies": "Acme Inc. said Bolt Ltd. Group grew.| He left Acme Inc.| The firm fell.",
    "juniors": "Robert Downey Jr. spoke.| He met Sammy Davis Jr.| He sang.",
    "degrees": "She has a Ph.D. in law.| He has one M.B.A.| They met.",
    "states": "It was Ted Fox, R-Calif.| They met in Reno, Nev.| It snows.",
    "decimals": "It rose 3.5 percent to $1.2 bn.| Shares fell 2.5%.| Version 2.0.1 is out.",
    "figures at the end": "It was 1999.| It fell to 46.9.| France grew.| It cost $5.| 30 paid.",
    "acronyms": "He joined NATO.| Germany did too.| She works for CBS.| Paris is far.",
    "ellipses": "Well … so be it.| He paused...| Then he spoke.| I was… I am.",
    "spaced ellipses": "So . . . yes.| It paused . . .| He left.",
    "shouts": "What?!| No way!!| Yahoo! said so.| Jeopardy! is on.",
    "dateline": "WASHINGTON (AP) — The court met.| PARIS, Sept. 5 (Reuters) - It rained.",
    "brackets": "He left (so they say).| (She did not.)| It ended [sic].| They rose.",
    "brand with a small initial": "Prices fell.| iPhone sales rose.| eBay won.",
    "lower case after a stop": "She closed the shop.| then she went home.",
    "lower case after an abbreviation": "It took approx. five pounds, incl. tax, in Calif. alone.",
    "enumeration": "1. Take the first.| 2. Take the second.",
    "sources noted": "It ended.[1]| It began.[2][3]| Next.",
    "markdown": "See [a paper.](http://a.example/b.C)| **It ended.**| Then *it.*| Now.",
    "markdown link": "Now [go](http://a.example/).| So it ended.",
    "lost space": "It ended.|Now it starts.| He won.”|They left.| In 2020.|So it is.| Why?|So it",
    "lost space before a quote": 'It is the end.|"Now we go," he said.| He won.| So they say.',
    "no lost space": "See Site.Com, a.b/c.Html, John.Fox@Example.Com, www.Fox.Com and Node.Js now.",
    "lost stop": "It came early|The firm fell.| He was calm|Now the rest came.",
    "no lost stop": "As daylight flightNow describes it, linkedIn The best and signIn rose.",
    "camel case": "TikTok, ByteDance, McArver, YouTube, eBay, iPhone, LinkedIn, MacBook.",
    "Chinese": "这是一。|这是二！|真的吗？|「好。」|他说。",
    "Japanese quotation": "「行く。」と言った。|終わり。",
    "Hindi and Urdu": "यह है।| वह है।| یہ ہے۔| ہاں۔",
    "emoji": "Great.| 🎉 Done.| Ok!| 😀",
}


@pytest.mark.parametrize("name", GOLDEN)
def test_stops_cut_the_golden_paragraphs(name: str) -> None:
    marked = GOLDEN[name]
    paragraph = marked.replace("|", "")
    bounds = [0, *stops(paragraph), len(paragraph)]
    assert "|".join(paragraph[a:b] for a, b in pairwise(bounds)) == marked


@given(st.text() | st.text(alphabet="aB. \"“”!?…。)]*1\u00a0'"))
def test_stops_are_inside_the_paragraph_and_grow(paragraph: str) -> None:
    cuts = stops(paragraph)
    assert all(a < b for a, b in pairwise([0, *cuts, len(paragraph)])) or not cuts


@given(st.text(alphabet="abc ,;:-"))
def test_stops_need_a_stop(paragraph: str) -> None:
    assert stops(paragraph) == []


HOSTILE = [
    "!",
    "a!!",
    ".A",
    ". . ",
    '."',
    ".](",
    "](a",
    ".[1]",
    " .",
    "aThe ",
    "He said. A ",
    ").",
    "X.",
]


@pytest.mark.parametrize("unit", HOSTILE)
def test_stops_work_grows_with_the_text_and_no_faster(unit: str) -> None:
    """Lines run are counted, not seconds; the patterns' own work has bounded looks."""
    short, long = (lines_run(stops, unit * n) for n in (500, 1_000))
    assert long <= 2.2 * short + 50


@pytest.mark.slow
@pytest.mark.parametrize("unit", [*HOSTILE, "a", " ", "[", "A", "“", "aB"])
def test_stops_finish_on_a_million_characters(unit: str) -> None:
    paragraph = unit * (1_000_000 // len(unit))
    assert all(0 < cut < len(paragraph) for cut in stops(paragraph))
