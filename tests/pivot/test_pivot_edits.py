"""Edits, untranslated words and dictionaries."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fakes import FakeEncoder, word_vector

from detector.errors import EncodeError, InputError
from detector.pivot.edits import N_LENGTHS, encode_edits, feature_key, find_edits, tokenise
from detector.pivot.languages import FAMILY, NAMES, find_untranslated
from detector.pivot.pivot import read_dictionary
from detector.records import Encoding
from detector.training.pivot_data import RoundTrip, encode_pairs, encode_sides


def test_pivot_words_that_both_sides_share_have_no_feature() -> None:
    found = find_edits("The zebra ate the grass.", "The zebra ate some grass.")
    assert found.features
    pairs = [name for name in found.features if name.startswith(("pair", "edit >", "out zebra"))]
    assert all("zebra" not in name for name in pairs)
    assert find_edits("The zebra ate.", "The zebra ate.").features == {}


@pytest.mark.parametrize(
    ("source", "copy", "feature"),
    [
        ("It was a robbery.", "It was a flight.", "pair robbery>flight"),
        ("They realised it.", "They realized it.", "ending sed>zed"),
        ("It cost 1,000 dollars.", "It cost 1.000 dollars.", "figure 0,000>0.000"),
        ("The APEC summit.", "The Apec summit.", "case APEC>Apec"),
        ("Mr Chirac spoke.", "Mr Shirac spoke.", "letters c>s"),
        ("Yesterday they came.", "They came yesterday.", "moved yesterday"),
        ("the summit met", "the sommet met", "leak fr"),
        ("the summit met", "the саммит met", "script CYRILLIC"),
    ],
)
def test_pivot_edits_have_names(source: str, copy: str, feature: str) -> None:
    assert feature in find_edits(source, copy, ("fr", "ru")).features


@given(st.text(max_size=60), st.text(max_size=60))
def test_pivot_edits_rebuild_what_was_lost_and_gained(source: str, copy: str) -> None:
    found = find_edits(source, copy)
    lost = sum(len(one.source) for one in found.edits) - _recased(source, copy)
    assert found.n_source - len(found.kept_offsets) == lost
    assert all(0 <= at < len(found.edits) for at in found.features.values())
    assert all(0 <= feature_key(name) < 2**32 for name in found.features)


def _recased(source: str, copy: str) -> int:
    # An edit of capitals alone holds a word that is kept.
    return sum(
        1
        for one in find_edits(source, copy).edits
        if len(one.source) == len(one.copy) == 1
        and one.source[0] != one.copy[0]
        and one.source[0].lower() == one.copy[0].lower()
    )


def test_pivot_every_language_has_a_family() -> None:
    assert set(FAMILY) == set(NAMES)


def test_pivot_untranslated_words_are_words_of_others_and_no_names() -> None:
    copy = ["the", "sommet", "in", "Paris", "robbery", "саммит"]
    found = find_untranslated(["the", "summit"], copy, ["de", "fr"])
    assert [(word.word, word.languages, word.script) for word in found] == [
        ("sommet", ("fr",), ""),
        ("саммит", (), "CYRILLIC"),
    ]


def test_pivot_tokens_keep_numbers_and_punctuation() -> None:
    assert tokenise("It’s 3.5, “so”.")[0] == ["It's", "3.5", ",", "so", "."]


def test_pivot_offsets_of_edits_are_those_of_their_words() -> None:
    source, copy = "He said “well-known” words.", 'Later he said "famed" words.'
    found = find_edits(source, copy)
    shown = [
        (source[a:b], copy[c:d], str(edit))
        for ((a, b), (c, d)), edit in zip(found.offsets, found.edits, strict=False)
    ]
    assert shown == [("", "Later", "∅ → Later"), ("well-known", "famed", "well - known → famed")]
    assert len(found.edits) == len(found.offsets) + 1  # last, "He" in small letters


def test_pivot_vectors_are_the_means_of_the_words_behind_an_edit() -> None:
    source, copy = "They saw a big red boat.", "They saw a ship today."
    sides = encode_sides([source, copy], FakeEncoder())
    found = encode_edits(sides[source], sides[copy]).vectors
    lost = np.mean([word_vector(word) for word in ("big", "red", "boat")], axis=0)
    put = np.mean([word_vector(word) for word in ("ship", "today")], axis=0)
    assert found.lengths.tolist() == [[3, 2]]
    assert found.lost[0] == pytest.approx(lost, abs=2e-3)
    assert found.added[0] == pytest.approx(put, abs=2e-3)


def test_pivot_what_was_only_lost_has_no_vector_in_the_copy() -> None:
    sides = encode_sides(["They saw the boat.", "They saw boat.", " "], FakeEncoder())
    found = encode_edits(sides["They saw the boat."], sides["They saw boat."]).vectors
    assert found.lengths.tolist() == [[1, 0]]
    assert not found.added.any()
    assert found.inputs()[0, -N_LENGTHS:].tolist() == [0.5, 0.0, 0.0, 1.0]
    assert len(encode_edits(sides[" "], sides[" "]).vectors) == 0


def test_pivot_kept_words_have_offsets_names_and_vectors() -> None:
    source, copy = "They saw the “big” boat.", "They saw a big ship."
    sides = encode_sides([source, copy], FakeEncoder())
    found = encode_edits(sides[source], sides[copy])
    assert [source[a:b] for a, b in found.sentence.kept_offsets] == ["They", "saw", "big", "."]
    assert {"kept saw", "kept they_saw", "kept saw_the", "kept big_boat"} <= set(
        found.sentence.kept_features
    )
    assert "kept the" not in found.sentence.kept_features
    shown = [word_vector(word) for word in ("They", "saw", "big")]
    assert found.kept[:3] == pytest.approx(np.array(shown), abs=2e-3)
    pair = RoundTrip(source, copy, "fr", "one", "made", "0", "0")
    words, owner = encode_pairs([pair, pair], FakeEncoder()).kept_of(np.array([1]))
    assert words == pytest.approx(found.kept)
    assert owner.tolist() == [0] * len(found.kept)


_TEI = """<TEI xmlns="http://www.tei-c.org/ns/1.0"><text><body><entry><form><orth>robbery</orth>
</form><sense><cit type="trans"><quote>vol</quote></cit></sense></entry><entry><form>
<orth>flight</orth></form><sense><cit><quote>vol</quote></cit></sense></entry></body></text></TEI>"""


def _write(folder: Path, kind: str) -> Path:
    if kind == "tsv":
        path = folder / "en-fr.tsv"
        path.write_text("robbery\tvol\nflight\tvol\nflight\tfuite\n", encoding="utf-8")
    elif kind == "tei":
        path = folder / "eng-fra.tei"
        path.write_text(_TEI, encoding="utf-8")
    else:
        path = folder / "freedict-eng-fra.index"
        articles = ["robbery /ˈrɒbəri/\n1. vol, brigandage\n", "flight <n>\nvol\nfuite (run)\n"]
        data = [a.encode("utf-8") for a in articles]
        body = b"".join(data)
        (folder / "freedict-eng-fra.dict.dz").write_bytes(gzip.compress(body))
        digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
        sizes = [len(d) for d in data]
        starts = [0, sizes[0]]
        lines = [
            f"{word}\t{digits[start]}\t{digits[size]}"
            for word, start, size in zip(("robbery", "flight"), starts, sizes, strict=True)
        ]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("kind", ["tsv", "tei", "dictd"])
def test_pivot_dictionaries_of_three_forms_join_two_senses(kind: str, tmp_path: Path) -> None:
    found = read_dictionary(_write(tmp_path, kind))
    assert found.language == "fr"
    assert found.shared_translations("robberies", "flight") == ("vol",)
    assert found.shared_translations("robbery", "boat") == ()


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("words.tsv", "a\tb\n", "does not say which language"),
        ("en-fr.tsv", "no table\n", "holds no entry"),
        ("eng-fra.tei", "<TEI", "cannot be read"),
        ("eng-fra.tei", "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "entities"),
        ("eng-fra.index", "a\tA\tB\n", "not beside it"),
    ],
)
def test_pivot_a_dictionary_that_cannot_be_used_is_refused(
    name: str, text: str, message: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        read_dictionary(tmp_path / name)


def test_pivot_an_encoder_without_tokens_is_refused() -> None:
    class Tokenless(FakeEncoder):
        def encode(self, texts: Sequence[str], *, tokens: bool = True) -> Encoding:
            return super().encode(texts, tokens=tokens and not texts)

    with pytest.raises(EncodeError, match="fake offers no vectors of tokens"):
        encode_sides(["They saw the boat."], Tokenless())
