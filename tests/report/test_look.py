from __future__ import annotations

import base64
import hashlib
import re

import pytest
from support.sample_reports import sample

from detector.report.html import page, policy, script, style

AA = 4.5
AA_GRAPHIC = 3.0
GROUNDS = ("paper", "tint", "raised")
TEXT = [
    *(("ink", ground) for ground in GROUNDS),
    *(("soft", ground) for ground in GROUNDS),
    *(("link", ground) for ground in GROUNDS),
    *(("bad", ground) for ground in GROUNDS),
    ("bad", "bad-tint"),
    ("paper", "ink"),  # the source form of a name
]
GRAPHICS = [
    (what, ground)
    for what in ("faint", "suspect", "bar", "bad", "ink", "link")
    for ground in ("paper", "tint")
]


def schemes() -> dict[str, dict[str, str]]:
    """Return the colours of each scheme; what a scheme does not name, it takes from the first."""
    blocks = re.findall(r"\.rtd \{([^}]*--ink[^}]*)\}", style())
    named = [dict(re.findall(r"--([\w-]+): (#[0-9a-f]+)", block)) for block in blocks]
    return {
        name: named[0] | colours
        for name, colours in zip(("light", "dark", "print"), named, strict=True)
    }


def luminance(colour: str) -> float:
    digits = colour.removeprefix("#")
    digits = "".join(2 * d for d in digits) if len(digits) == 3 else digits
    parts = (int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4))
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours as WCAG 2 has it, from 1 to 21."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_look_contrast_is_counted_as_it_should() -> None:
    assert contrast("#fff", "#000000") == pytest.approx(21.0)
    assert contrast("#777", "#fff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("scheme", ["light", "dark", "print"])
def test_look_every_pair_of_colours_reaches_aa(scheme: str) -> None:
    colours = schemes()[scheme]
    found = {pair: contrast(colours[pair[0]], colours[pair[1]]) for pair in TEXT}
    assert {pair: value for pair, value in found.items() if value < AA} == {}
    found = {pair: contrast(colours[pair[0]], colours[pair[1]]) for pair in GRAPHICS}
    assert {pair: value for pair, value in found.items() if value < AA_GRAPHIC} == {}


def test_look_names_every_colour_once_and_uses_no_other() -> None:
    rules = re.sub(r"--[\w-]+: #[0-9a-f]+;", "", style())
    used = set(re.findall(r"var\(--([\w-]+)\)", rules))
    assert used == set(schemes()["light"])
    tested = {name for pair in (*TEXT, *GRAPHICS) for name in pair}
    assert used - tested == {"line"}  # rules between rows, which need not be seen
    assert set(re.findall(r"#[0-9a-f]{3,8}\b", rules)) == {"#0003"}  # a shadow


def test_look_stays_within_its_own_class_and_loads_nothing() -> None:
    rules = re.sub(r"/\*.*?\*/|@media[^{]*", "", style(), flags=re.DOTALL)
    heads = [head.strip() for head in re.findall(r"([^{}]*)\{", rules)]
    selectors = [part.strip() for head in heads if head for part in head.split(",")]
    assert len(selectors) > 80
    assert [s for s in selectors if not s.startswith(".rtd")] == []
    assert "url(" not in style()
    assert "@import" not in style()


def test_look_script_makes_no_markup_and_sends_nothing() -> None:
    for call in (
        "innerHTML",
        "outerHTML",
        "insertAdjacent",
        "eval(",
        "fetch(",
        "XMLHttp",
        "import(",
    ):
        assert call not in script()
    assert "</script" not in script()
    assert "</style" not in style()
    assert "<!--" not in script()


def test_look_policy_allows_the_pages_own_style_and_script_and_nothing_else() -> None:
    text = page(sample())
    found = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)
    assert found
    assert found[1] == policy()

    def digest(tag: str) -> str:
        inner = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        assert len(inner) == 1
        return base64.b64encode(hashlib.sha256(inner[0].encode()).digest()).decode()

    style_digest, script_digest = digest("style"), digest("script")
    assert policy().split("; ") == [
        "default-src 'none'",
        f"style-src 'sha256-{style_digest}'",
        f"script-src 'sha256-{script_digest}'",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    assert "style=" not in text
