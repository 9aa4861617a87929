"""Pages that would take the parser or the extractor too long are refused, and no others."""

from __future__ import annotations

import pytest

from detector.errors import InputError
from detector.text.pages import main_text

pytest.importorskip("trafilatura")

ARTICLE = "<h1>Mayor leaves Lake Town</h1>" + 9 * (
    "<p>The harbour board of Lake Town said on Monday that it would close the old pier.</p>"
)
FORMS = {
    "attributes": ("<p{}>x</p>", " a{}=1"),
    "attributes that hold tags": ("<p {}>x</p>", "a{}='<b>' "),
    "attributes without blanks": ("<p {}>x</p>", 'a{}="1"'),
    "inline tags": ("<p>{}</p>", "<b>x{}</b> y "),
    "tags": ("{}", "<p>x{}</p>"),
}


def page(form: str, n: int) -> str:
    around, one = FORMS[form]
    inside = around.format("".join(one.format(number) for number in range(n)))
    return f"<html><body><article>{ARTICLE}{inside}</article></body></html>"


@pytest.mark.parametrize(
    ("form", "most", "accepted"),
    [
        ("attributes", 2000, "a tag of more than 2000 attributes"),
        ("attributes that hold tags", 2000, "a tag of more than 2000 attributes"),
        ("attributes without blanks", 2000, "a tag of more than 2000 attributes"),
        ("inline tags", 1000, "more than 1000 tags in one paragraph"),
        ("tags", 50_000, "more than 50000 tags"),
    ],
)
def test_pages_that_would_take_too_long_are_refused(form: str, most: int, accepted: str) -> None:
    for n in (most + 1, 100_000):
        with pytest.raises(InputError, match=rf"a\.html: this page has {accepted}; give its text"):
            main_text(page(form, n), "a.html")
    assert "Mayor leaves Lake Town" in main_text(page(form, min(most, 2000)), "a.html")
