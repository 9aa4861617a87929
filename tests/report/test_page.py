from __future__ import annotations

import datetime
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.sample_reports import empty, one_row, reports, sample

from detector.records import Alignment, Bead, NameChange, Span
from detector.report import html as look
from detector.report.html import fragment, page
from detector.report.report import Report
from detector.text.escape import safe

VOID = {"meta", "rect", "input"}
ALLOWED = {
    "html": {"lang"},
    "head": set(),
    "meta": {"charset", "http-equiv", "content", "name"},
    "title": set(),
    "style": set(),
    "script": set(),
    "body": {"class"},
    **{
        tag: set()
        for tag in ("header", "main", "footer", "h1", "h2", "dl", "dt", "fieldset", "legend")
    },
    **{tag: set() for tag in ("b", "summary", "kbd", "output")},
    "dd": {"class"},
    "time": {"datetime"},
    "bdi": {"dir"},
    "p": {"class", "hidden"},
    "ul": {"class", "aria-label"},
    "span": {"class", "dir", "role"},
    "strong": {"class"},
    "details": {"class", "open"},
    "a": {"href"},
    "ol": {"class", "role"},
    "li": {"class", "id", "data-drift", "data-kinds"},
    "div": {"class", "dir", "aria-hidden", "aria-label", "role", "hidden"},
    "mark": {"class", "title", "tabindex"},
    "svg": {"viewbox", "preserveaspectratio", "aria-hidden"},
    "rect": {"class", "width", "height", "x"},
    "form": {"class", "aria-label", "hidden"},
    "label": {"class"},
    "input": {"type", "name", "value", "min", "max", "step", "checked"},
    "button": {"type", "name", "aria-label"},
}


class Checker(HTMLParser):
    """Reads a page as a browser would, and refuses what it should not hold."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[tuple[str, str]] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.texts: list[str] = []
        self.sentences: list[str] = []
        self.titles: list[str] = []
        self.declarations: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in ALLOWED, tag
        names = [name for name, _ in attrs]
        assert set(names) <= ALLOWED[tag], (tag, names)
        assert len(names) == len(set(names))
        values = dict(attrs)
        self.ids += [values["id"] or ""] if "id" in values else []
        self.links += [values["href"] or ""] if "href" in values else []
        self.titles += [values["title"] or ""] if "title" in values else []
        look = values.get("class") or ""
        self.sentences += [""] if look == "text" else []
        if tag not in VOID:
            self.open.append((tag, look))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop()[0] == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1][0] in ("style", "script"):
            return
        self.texts.append(data)
        looks = {look for _, look in self.open}
        if "text" in looks and "was" not in looks:
            self.sentences[-1] += data

    def handle_decl(self, decl: str) -> None:
        self.declarations.append(decl)

    def handle_comment(self, data: str) -> None:
        pytest.fail(f"a comment: {data}")

    def handle_pi(self, data: str) -> None:
        pytest.fail(f"a processing instruction: {data}")

    @property
    def text(self) -> str:
        return "".join(self.texts)


HOSTILE = [
    "<script>alert(1)</script>",
    "</div></li></ol></main></body><h1>gone</h1>",
    "\"><img src=x onerror='alert(1)'>",
    "' onmouseover='alert(1)",
    "<!-- hidden",
    "<![CDATA[ x ]]>",
    "</style><style>*{display:none}</style>",
    "&lt;script&gt; &amp;amp; &#x3c;b&#x3e;",
    "<a href='data:text/html,x'>link</a> <?php x ?>",
]
hostile_texts = st.lists(
    st.sampled_from([*HOSTILE, "\u202e", "\x00", "\ud800", "<", "&", '"', "'", " name "]),
    min_size=1,
).map("".join)


@pytest.mark.slow
@given(reports())
def test_page_is_well_formed_and_inert(report: Report) -> None:
    checked = Checker(page(report))
    assert checked.declarations == ["doctype html"]
    assert len(checked.ids) == len(set(checked.ids)) == report.n_copy
    assert {link.removeprefix("#") for link in checked.links} <= set(checked.ids)


def _letters(text: str) -> str:
    """Return a text without blanks and joiners, which depend on where it is cut."""
    return re.sub(r"\s|⟦U\+[0-9A-F]+⟧|[\u200c\u200d]", "", safe(text))


@pytest.mark.slow
@given(reports())
def test_page_shows_every_copy_sentence(report: Report) -> None:
    shown = set(map(_letters, Checker(page(report)).sentences))
    assert {_letters(row.copy_text) for row in report.rows} - shown == set()


@pytest.mark.slow
@given(hostile_texts)
def test_page_hostile_text_is_only_shown(text: str) -> None:
    change = NameChange(
        change="garbled",
        probability=0.9,
        copy=Span(0, len(text)),
        copy_text=text,
        source=Span(0, len(text)),
        source_text=text,
        reason=text,
    )
    report = one_row(text, source=text, name_changes=(change,), reasons=(text,))
    report = replace(report, warnings=(text,))
    checked = Checker(page(report))
    assert checked.sentences == [safe(text)] * 2
    assert safe(text) in checked.texts  # the reason
    assert "\u202e" not in checked.text
    assert Checker(page(one_row("plain"))).ids == checked.ids
    Checker(fragment(report))


def test_page_says_its_date_and_its_title_and_nothing_of_either_when_not_given() -> None:
    text = page(sample(), date=datetime.date(2026, 3, 9), title="a <b> against c.txt")
    assert '<time datetime="2026-03-09">9 March 2026</time>' in text
    assert "<title>a &lt;b&gt; against c.txt: copy against source</title>" in text
    assert "a <b> against c.txt" in Checker(text).texts
    assert "<time" not in page(sample())
    assert "<title>Copy against source</title>" in page(sample())


def test_page_is_the_same_every_time() -> None:
    assert page(sample()) == page(sample())


def test_page_shows_omissions_in_place_and_folds_boilerplate() -> None:
    text = page(sample())
    checked = Checker(text)
    said = checked.text
    caption = said.index("A crane at the Ellery docks")
    assert said.index("its members would call") < caption < said.index("Nobody of the board")
    assert text.index('class="outside"') < text.index("<details>", text.index("outside"))
    assert text.index("2 sentences</summary>") < text.index("Ten beaches")
    assert "left out of the copy: a photo caption" in said


def test_page_gives_an_addition_its_reason_in_place_of_the_source() -> None:
    checked = Checker(page(sample()))
    assert "added in the copy: nothing in the source says this" in checked.text
    assert checked.text.count("nothing in the source says this") == 1


def test_page_folds_the_source_that_a_second_copy_sentence_shares() -> None:
    text = page(sample())
    assert text.count('<details class="again">') == 1
    assert Checker(text).sentences.count(sample().rows[2].source_text) == 2


def test_page_tells_without_colour() -> None:
    checked = Checker(page(sample()))
    assert checked.texts.count("flagged") == 2
    assert "was: AMBER (garbled, 0.97)" in checked.text


def test_page_lists_the_worst_rows_first_with_links_to_them() -> None:
    text = page(sample())
    worst = text[text.index("Read these first") : text.index("Sentence by sentence")]
    assert re.findall(r'href="#(s\d+)"', worst) == ["s3", "s2", "s5"]
    assert "3 of 3 with a finding" in worst


def test_page_lists_at_most_ten_worst_rows() -> None:
    rows = tuple(replace(one_row("Bad.").rows[0], copy_index=k) for k in range(12))
    beads = tuple(
        Bead(source=range(k, k + 1), copy=range(k, k + 1), similarity=0.5) for k in range(12)
    )
    alignment = Alignment(beads=beads, n_source=12, n_copy=12)
    report = replace(one_row("Bad."), rows=rows, alignment=alignment)
    assert page(report).count('">Sentence ') == 10
    assert "10 of 12 with a finding" in Checker(page(report)).text


def test_page_counts_rows_for_its_filters() -> None:
    text = page(sample())
    chips = re.findall(r'value="(\w+)"> [^<]*<span class="count">([\d,]+)<', text)
    assert dict(chips) == {
        "drift": "2",
        "number": "1",
        "omission": "1",
        "addition": "1",
        "possessive": "1",
        "garbled": "1",
        "as_word": "1",
    }
    kinds = re.findall(r'data-kinds="([^"]*)"', text)
    for kind, n in chips:
        if kind != "drift":
            assert sum(kind in found.split() for found in kinds) == int(n)


def test_page_hides_its_controls_until_the_script_shows_them() -> None:
    text = page(sample())
    assert re.search(r'<form class="filters"[^>]* hidden>', text)
    assert re.search(r'<div class="mover"[^>]* hidden>', text)


def test_page_says_when_texts_do_not_match() -> None:
    text = page(sample(match=False, matched=0.02))
    assert 'class="verdict mismatch"' in text


def test_page_without_rows_says_so() -> None:
    assert "No sentence is flagged" in Checker(page(empty())).text


def test_page_fragment_has_no_script_no_controls_and_no_anchors() -> None:
    text = fragment(sample())
    checked = Checker(text)
    assert checked.ids == checked.links == []
    assert "<script" not in text
    assert "<form" not in text
    assert "<button" not in text


def test_page_is_small() -> None:
    shared = len(look.style()) + len(look.script())
    assert shared < 20_000
    assert len(page(sample())) < shared + 15_000
