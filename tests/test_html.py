from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_reports import empty, one_row, reports, sample

from detector.records import NameChange, Span
from detector.report import Report
from detector.showing.display import safe
from detector.showing.html import fragment, page

VOID = {"meta", "rect"}
ALLOWED = {
    "html": {"lang"},
    "head": set(),
    "meta": {"charset", "http-equiv", "content", "name"},
    "title": set(),
    "style": set(),
    "body": {"class"},
    **{tag: set() for tag in ("header", "main", "footer", "h1", "h2", "dl", "dt", "dd")},
    **{tag: set() for tag in ("b", "strong", "summary")},
    "bdi": {"dir"},
    **{tag: {"class"} for tag in ("p", "ul", "span", "details")},
    "a": {"href"},
    "ol": {"class", "role"},
    "li": {"class", "id", "aria-hidden"},
    "div": {"class", "dir"},
    "mark": {"class", "title"},
    "svg": {"viewbox", "preserveaspectratio", "aria-hidden"},
    "rect": {"class", "width", "height", "x"},
}


class Checker(HTMLParser):
    """Reads a page as a browser would, and refuses what it should not hold."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.texts: list[str] = []
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
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.texts.append(data)

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


@given(reports())
def test_html_page_is_well_formed_and_inert(report: Report) -> None:
    checked = Checker(page(report))
    assert checked.declarations == ["doctype html"]
    assert len(checked.ids) == len(set(checked.ids)) == report.n_copy
    assert {link.removeprefix("#") for link in checked.links} <= set(checked.ids)


@given(reports())
def test_html_page_shows_every_copy_sentence(report: Report) -> None:
    # Marks are left out: they part the words.
    rows = tuple(replace(row, name_changes=(), spans=()) for row in report.rows)
    texts = Checker(page(replace(report, rows=rows))).texts
    assert [row for row in rows if safe(row.copy_text) not in {*texts, ""}] == []


@given(hostile_texts)
def test_html_hostile_text_is_only_shown(text: str) -> None:
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
    assert checked.texts.count(safe(text)) >= 3  # both sentences and the reason
    assert "\u202e" not in checked.text
    assert Checker(page(one_row("plain"))).ids == checked.ids
    Checker(fragment(report))


def test_html_page_allows_its_own_style_and_nothing_else() -> None:
    text = page(sample())
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)
    assert style
    assert policy
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert policy[1].split("; ") == [
        "default-src 'none'",
        f"style-src 'sha256-{digest}'",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    assert "url(" not in style[1]
    assert "@import" not in style[1]
    assert "style=" not in text


def test_html_page_marks_damage_strongly_and_slips_quietly() -> None:
    text = page(sample())
    assert re.search(r'<mark class="loud"[^>]*><bdi>Ambove</bdi>', text)
    assert re.search(r'<mark class="slip"[^>]*><bdi>authoritys</bdi>', text)
    assert re.search(r'<mark class="origin"[^>]*><bdi>AMBER</bdi>', text)
    assert "Odile Marrack said" in text


def test_html_page_marks_suspect_words_quietly_on_both_sides() -> None:
    text = page(sample())
    assert re.search(
        r'<mark class="suspect" title="may be a changed figure \(0.70\)"><bdi>21 percent</bdi>',
        text,
    )
    assert re.search(r'<mark class="suspect"[^>]*><bdi>board</bdi>', text)
    assert "1 stretch of the copy may be wrong, 1 of the source missing" in text


def test_html_page_gives_the_source_form_on_hover_and_in_print() -> None:
    checked = Checker(page(sample()))
    assert '"AMBER" became "Ambove" (garbled, 0.97)' in checked.titles
    assert "[was: AMBER]" in checked.text


def test_html_page_strikes_a_dropped_name_out_of_the_source() -> None:
    gone = NameChange(
        change="dropped",
        probability=0.9,
        copy=None,
        copy_text=None,
        source=Span(4, 9),
        source_text="Oslo,",
        reason="Oslo is gone",
    )
    report = one_row("He left.", source="For Oslo, he left.", name_changes=(gone,))
    assert re.search(r'<mark class="gone"[^>]*><bdi>Oslo,</bdi>', page(report))


def test_html_page_shows_omissions_in_place_and_folds_furniture() -> None:
    text = page(sample())
    caption = text.index("A crane at the Ellery docks")
    assert text.index("members would call") < caption < text.index("Nobody of the board")
    assert text.index("<details") < text.index("Ten beaches")
    assert "2 sentences</summary>" in text


def test_html_page_tells_without_colour() -> None:
    checked = Checker(page(sample()))
    assert checked.texts.count("flagged") == 2
    assert "nothing: added in the copy" in checked.text
    assert "left out of the copy" in checked.text


def test_html_page_says_when_texts_do_not_match() -> None:
    text = page(sample(match=False, matched=0.02))
    assert 'class="verdict mismatch"' in text


def test_html_page_without_rows_stands() -> None:
    assert "No sentence is flagged" in Checker(page(empty())).text


def test_html_fragment_is_scoped_and_has_no_anchors() -> None:
    text = fragment(sample())
    checked = Checker(text)
    assert checked.ids == checked.links == []
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
    assert style
    rules = re.sub(r"@media[^{]*", "", style[1])
    heads = [head.strip() for head in re.findall(r"([^{}]*)\{", rules)]
    selectors = [part.strip() for head in heads if head for part in head.split(",")]
    assert len(selectors) > 40
    assert [selector for selector in selectors if not selector.startswith(".rtd")] == []


def test_html_page_is_small() -> None:
    assert len(page(sample())) < 20_000
