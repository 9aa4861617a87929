"""The report page in a real browser: that it opens, that it works, that nothing in it acts."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from support.browser import Page, launched
from support.sample_reports import empty, many, one_row, sample

from detector.records import NameChange, Span
from detector.report.html import page
from detector.report.report import Report
from detector.text.escape import safe

pytestmark = pytest.mark.browser

Opener = Callable[[Report], Page]
ROWS = ".rows > li"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with launched(tmp_path_factory.mktemp("profile")) as page:
        yield page


@pytest.fixture
def opened(browser: Page, tmp_path: Path) -> Iterator[Opener]:
    """Open reports at desktop width in the light scheme; the console must stay silent."""

    def show(report: Report) -> Page:
        path = tmp_path / "report.html"
        path.write_text(page(report, title="copy.txt against source.txt"), encoding="utf-8")
        browser.open(path)
        return browser

    browser.screen()
    browser.scripts(on=True)
    browser.console()
    yield show
    assert browser.console() == []


# It opens.


@pytest.mark.parametrize(
    "report",
    [sample(), sample(match=False), empty(), one_row("One sentence."), sample(relation=None)],
    ids=["sample", "mismatch", "empty", "one sentence", "no relation"],
)
@pytest.mark.parametrize("width", [1280, 390])
def test_browser_opens_every_report_without_a_word_on_the_console(
    opened: Opener, report: Report, width: int
) -> None:
    shown = opened(report)
    shown.screen(width)
    assert shown.driver.title == "copy.txt against source.txt: copy against source"
    assert len(shown.shown(ROWS)) == len(shown.all(ROWS))
    assert shown.ask("document.documentElement.scrollWidth <= innerWidth")


def test_browser_opens_five_thousand_rows_and_filters_them(opened: Opener) -> None:
    shown = opened(many(5000))
    assert shown.ask("document.querySelector('.rows').getBoundingClientRect().height") > 100_000
    assert len(shown.shown(ROWS)) == 5000
    shown.one("input[value=garbled]").click()
    assert len(shown.shown(ROWS)) == 500
    assert shown.one(".shown").text == "500 of 5,000 rows shown"
    shown.press("k")
    assert shown.ask("document.activeElement.id") == "s4991"
    assert shown.ask("document.activeElement.getBoundingClientRect().top") > 0


# Filters.


def test_browser_filters_by_kind(opened: Opener) -> None:
    shown = opened(sample())
    everything = len(shown.shown(ROWS))
    shown.one("input[value=garbled]").click()
    assert shown.shown(f"{ROWS} .number") == ["3drift 0.93flagged"]
    shown.one("input[value=omission]").click()  # any of what is asked for
    assert len(shown.shown(ROWS)) == 2
    assert shown.one(".shown").text == f"2 of {everything} rows shown"
    shown.one("input[value=garbled]").click()
    shown.one("input[value=omission]").click()
    assert len(shown.shown(ROWS)) == everything


def test_browser_filters_by_flag_and_threshold(opened: Opener) -> None:
    shown = opened(sample())
    shown.one("input[value=drift]").click()
    assert len(shown.shown(ROWS)) == 2
    move_slider(shown, "0.3")
    assert len(shown.shown(ROWS)) == 4
    assert shown.shown(".flag") == ["flagged"] * 4
    assert shown.one("output").text == "0.30"
    assert "the report’s own threshold is 0.50" in shown.one(".shown").text
    move_slider(shown, "0.97")
    assert shown.shown(ROWS) == []
    assert shown.one(".nothing").is_displayed()
    shown.one("button[type=reset]").click()
    assert shown.ask("document.querySelectorAll('.flagged').length") == 2
    assert len(shown.shown(ROWS)) == len(shown.all(ROWS))


def move_slider(shown: Page, value: str) -> None:
    shown.ask(
        "(s => { s.value = arguments[0]; s.dispatchEvent(new Event('input', {bubbles: true})); })"
        "(document.querySelector('input[type=range]'))",
        value,
    )


def test_browser_opens_a_folded_source_when_the_row_above_it_may_be_hidden(opened: Opener) -> None:
    shown = opened(sample())
    assert not shown.ask("document.querySelector('.again').open")
    shown.one("input[value=drift]").click()
    assert shown.ask("document.querySelector('.again').open")


# Keys.


def focused(shown: Page) -> str:
    return shown.ask("document.activeElement.id || document.activeElement.className")


def test_browser_keys_move_between_findings(opened: Opener) -> None:
    shown = opened(sample())
    places = []
    for _ in range(6):
        shown.press("j")
        places.append(focused(shown))
    assert places == ["s2", "s3", "s5", "omitted", "s7", "s2"]  # round at the end
    assert shown.one(".at").text == "1 of 5 findings"
    shown.press("n")
    assert focused(shown) == "s3"
    shown.press("k")
    shown.press("p")
    assert focused(shown) == "s7"


def test_browser_keys_keep_to_what_the_filters_show(opened: Opener) -> None:
    shown = opened(sample())
    shown.one("input[value=omission]").click()
    shown.press("j")
    shown.press("j")
    assert focused(shown) == "omitted"
    assert shown.one(".at").text == "1 of 1 finding"


def test_browser_buttons_move_as_keys_do(opened: Opener) -> None:
    shown = opened(sample())
    shown.one(".mover [name=next]").click()
    assert focused(shown) == "s2"
    shown.one(".mover [name=previous]").click()
    assert focused(shown) == "s7"


def test_browser_keys_leave_typing_and_modified_keys_alone(opened: Opener) -> None:
    from selenium.webdriver.common.keys import Keys

    shown = opened(sample())
    shown.ask(
        "document.querySelector('main').prepend(Object.assign(document.createElement('input'), "
        "{id: 'typing'}))"
    )
    shown.one("#typing").click()
    shown.press("jk")
    assert focused(shown) == "typing"
    assert shown.one("#typing").get_attribute("value") == "jk"
    shown.ask("document.activeElement.blur()")
    for modifier in (Keys.CONTROL, Keys.ALT, Keys.SHIFT):
        shown.press(modifier, "j", Keys.NULL)
        assert focused(shown) == "rtd page"


def test_browser_keys_can_be_turned_off(opened: Opener) -> None:
    shown = opened(sample())
    shown.one("[name=keys]").click()
    shown.press("j")
    assert shown.ask("document.activeElement.name") == "keys"
    shown.one("[name=keys]").click()
    shown.press("j")
    assert focused(shown) == "s2"


def test_browser_says_when_there_is_no_finding(opened: Opener) -> None:
    shown = opened(empty())
    assert shown.one(".at").text == "no findings"
    assert [button.is_enabled() for button in shown.all(".mover button")] == [False, False]


# Names.


def test_browser_shows_the_source_form_on_focus(opened: Opener) -> None:
    shown = opened(sample())
    for width in (1280, 390):
        shown.screen(width)
        assert bubble(shown) == (1, 1)
        shown.ask("document.querySelector('mark.loud[tabindex]').focus()")
        wide, high = bubble(shown)
        assert wide > 50
        assert high > 15
        assert shown.ask("document.documentElement.scrollWidth <= innerWidth")
        assert shown.ask(
            "(b => document.elementFromPoint(b.left + 5, b.top + 5).closest('.was') !== null)"
            "(document.querySelector('.was').getBoundingClientRect())"
        )
        shown.ask("document.activeElement.blur()")


def bubble(shown: Page) -> tuple[int, int]:
    size = shown.ask(
        "(b => [b.width, b.height])(document.querySelector('.was').getBoundingClientRect())"
    )
    return round(size[0]), round(size[1])


def test_browser_prints_the_source_form_and_no_controls(opened: Opener) -> None:
    shown = opened(sample())
    shown.screen(media="print")
    wide, high = bubble(shown)
    assert wide > 30
    assert high > 8
    assert not shown.one(".filters").is_displayed()
    assert not shown.one(".mover").is_displayed()
    printed = base64.b64decode(shown.command("Page.printToPDF")["data"])
    assert printed.startswith(b"%PDF")


@pytest.mark.parametrize(
    ("text", "direction"),
    [
        ("قال رئيس البلدية إن الرسوم سترتفع 😀", "rtl"),
        ("ראש העיר אמר שהאגרות יעלו", "rtl"),
        ("市长说费用会上涨。" * 40, "ltr"),
        ("Zo\u0308e\u0308 met Đặng Thị Ngọc Thịnh 👩‍👩‍👧‍👦 in Kraków", "ltr"),
        ("Pneumonoultramicroscopic" * 30, "ltr"),
        ("Zalgo t\u0334\u0335\u0336\u0337\u0338\u0353\u0354\u0355ext", "ltr"),
    ],
    ids=["arabic", "hebrew", "chinese", "marks and emoji", "one long word", "stacked marks"],
)
def test_browser_shows_names_of_every_script_whole_and_apart(
    opened: Opener, text: str, direction: str
) -> None:
    shown = opened(one_row(text, source="The mayor said that fees would rise."))
    shown.screen(390)
    assert shown.ask("document.querySelectorAll('.cell .text')[1].textContent") == safe(text)
    assert direction == shown.ask(
        "getComputedStyle(document.querySelectorAll('.cell .text')[1]).direction"
    )
    assert shown.ask("getComputedStyle(document.querySelector('.cell .text')).direction") == "ltr"
    assert shown.ask("document.documentElement.scrollWidth <= innerWidth")


# Nothing of a document acts.

RED = "rgb(255, 0, 0)"
HOSTILE = (
    "<script>window.hacked = 1; document.title = 'hacked'; alert(1)</script>"
    "</script><script>window.hacked = 1</script>"
    "<img src=x onerror='window.hacked = 1'><svg onload=window.hacked=1>"
    "\" onfocus='window.hacked=1' autofocus tabindex=1 x=\""
    "<iframe src='data:text/html,<script>parent.hacked=1</script>'></iframe>"
    "<a href='javascript:window.hacked=1'>link</a><a href='data:text/html,x'>link</a>"
    "<link rel=stylesheet href=https://example.org/x.css><style>*{display:none}</style>"
    "<meta http-equiv=refresh content='0;url=https://example.org/'>"
    "<form action=https://example.org/><input autofocus></form>"
    "</title></style></li></ol></main></body></html><h1>gone</h1>\u202e\u2066evil\x1b[31m"
)


def test_browser_runs_nothing_of_a_hostile_document(opened: Opener) -> None:
    change = NameChange(
        change="garbled",
        probability=0.9,
        copy=Span(0, len(HOSTILE)),
        copy_text=HOSTILE,
        source=Span(0, len(HOSTILE)),
        source_text=HOSTILE,
        reason=HOSTILE,
    )
    report = one_row(HOSTILE, source=HOSTILE, name_changes=(change,), reasons=(HOSTILE,))
    shown = opened(replace(report, warnings=(HOSTILE,)))
    shown.driver.get_log("performance")
    shown.driver.refresh()
    shown.press("j")
    shown.one("mark.loud[tabindex]").click()
    assert not shown.ask("'hacked' in window")
    assert shown.driver.title == "copy.txt against source.txt: copy against source"
    assert shown.ask("document.querySelectorAll('script').length") == 1
    assert shown.all("img, iframe, link, object, embed, h1 ~ h1, [onfocus], [autofocus]") == []
    assert [a.get_attribute("href").split("#")[1] for a in shown.all("a")] == ["s1"] * 2
    assert "\u202e" not in shown.ask("document.documentElement.textContent")
    assert [url for url in requests(shown) if not url.startswith("file:")] == []
    assert len(requests(shown)) == 0  # each is listed once


def requests(shown: Page) -> list[str]:
    """Return what the browser asked for since it was last asked."""
    events = [json.loads(e["message"])["message"] for e in shown.driver.get_log("performance")]
    sent = [e["params"] for e in events if e["method"] == "Network.requestWillBeSent"]
    return [params["request"]["url"] for params in sent]


def test_browser_policy_stops_what_should_ever_get_in(opened: Opener) -> None:
    shown = opened(sample())
    shown.ask(
        "document.querySelector('main').insertAdjacentHTML('beforeend', arguments[0])",
        "<img src='data:,x' onerror='window.hacked = 1'><p style='color: red' id=styled>x</p>",
    )
    shown.ask(
        "document.body.append(Object.assign(document.createElement('script'), "
        "{textContent: 'window.hacked = 1'}))"
    )
    assert not shown.ask("'hacked' in window")
    assert (
        shown.ask("getComputedStyle(document.getElementById('styled')).color") != "rgb(255, 0, 0)"
    )
    messages = shown.console()
    assert len(messages) >= 3
    assert all("Content Security Policy" in line for line in messages)


# With scripts off, without colour, for every reader.


def test_browser_page_is_complete_with_scripts_off(opened: Opener, browser: Page) -> None:
    browser.scripts(on=False)
    shown = opened(sample())
    assert not shown.one(".filters").is_displayed()
    assert not shown.one(".mover").is_displayed()
    rows = shown.all(ROWS)
    assert all(row.is_displayed() for row in rows)
    assert "flagged" in rows[2].text
    shown.one(".worst a").click()
    assert shown.driver.current_url.endswith("#s3")


TEXT_CONTRASTS = """
(() => {
  const canvas = Object.assign(document.createElement("canvas"), {width: 1, height: 1});
  const context = canvas.getContext("2d", {willReadFrequently: true});
  const painted = (...colours) => {
    context.clearRect(0, 0, 1, 1);
    for (const colour of colours) { context.fillStyle = colour; context.fillRect(0, 0, 1, 1); }
    return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3).map(v => v / 255);
  };
  const light = rgb => rgb.map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, k) => sum + v * [0.2126, 0.7152, 0.0722][k], 0);
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = {};
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || element.closest("style, script, .was")) continue;
    const grounds = [];
    for (let e = element; e; e = e.parentElement) {
      grounds.unshift(getComputedStyle(e).backgroundColor);
    }
    const ground = ["white", ...grounds];
    const a = light(painted(...ground, getComputedStyle(element).color));
    const b = light(painted(...ground));
    const name = element.tagName + "." + element.className;
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    found[name] = Math.min(found[name] ?? 21, ratio);
  }
  return found;
})()
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_browser_contrast_of_every_text_reaches_aa(opened: Opener, scheme: str) -> None:
    shown = opened(sample())
    shown.screen(scheme=scheme)
    found = shown.ask(TEXT_CONTRASTS.strip())
    assert len(found) > 25
    assert {name: ratio for name, ratio in found.items() if ratio < 4.5} == {}
    dark = shown.ask("getComputedStyle(document.body).backgroundColor")
    assert (dark == "rgb(255, 255, 255)") == (scheme == "light")


def test_browser_page_has_landmarks_and_names_for_all_controls(opened: Opener) -> None:
    shown = opened(sample())
    nodes = [n for n in shown.command("Accessibility.getFullAXTree")["nodes"] if not n["ignored"]]
    roles = [node["role"]["value"] for node in nodes]
    for landmark in ("banner", "main", "contentinfo", "form"):
        assert roles.count(landmark) == 1, landmark
    controls = [n for n in nodes if n["role"]["value"] in ("button", "checkbox", "slider", "link")]
    assert len(controls) > 15
    assert [node for node in controls if not node["name"]["value"].strip()] == []
    assert roles.count("heading") == 3


def test_browser_focus_goes_down_the_page(opened: Opener) -> None:
    from selenium.webdriver.common.keys import Keys

    shown = opened(sample())
    assert shown.all("[tabindex]:not([tabindex='0'])") == []
    order = []
    for _ in range(60):
        shown.press(Keys.TAB)
        order.append(
            shown.ask("[...document.querySelectorAll('*')].indexOf(document.activeElement)")
        )
        if shown.ask("document.activeElement.name === 'keys'"):
            break
    assert len(order) > 20
    assert order == sorted(order)
