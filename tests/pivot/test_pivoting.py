"""The rooms that name a pivot: edits, leaks, dictionaries, the model and its verdict."""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from support.fakes import DIMENSION, FakeEncoder, word_vector

from detector.errors import BundleError, EncodeError, InputError
from detector.pivot.edits import N_LENGTHS, Net, changes, compare, key_of, tokens
from detector.pivot.explain import Dictionary, _gathered, read_dictionary
from detector.pivot.languages import FAMILY, NAMES, find_leaks
from detector.pivot.model import N_MANNER, N_VIEWS, PivotModel, Tally, load, save
from detector.pivot.pivot import judge_pivot
from detector.pivot.posterior import posteriors
from detector.records import Encoding, Pivot
from detector.training.pivot import PivotSettings, train_pivot
from detector.training.pivot_data import RoundTrip, Rows, contexts_of, rows_of, sides_of
from detector.training.pivot_weights import (
    Descent,
    EditView,
    KeptView,
    NetDescent,
    View,
    fit_net,
    fit_weights,
    joined,
    put_together,
)

# Sentences written for these tests, and what three made-up translators do to them by language.
_SUBJECTS = ("The mayor", "A nurse", "The old baker", "Her teacher", "The committee", "My uncle")
_VERBS = ("opened", "praised", "visited", "described", "closed", "sold")
_OBJECTS = ("the new bridge", "a small shop", "the long report", "an open market", "the harbour")
_HABITS = {
    "fr": (("the ", "the said "), ("new", "novel"), ("small", "little")),
    "ru": (("the ", ""), ("a ", ""), ("an ", "")),
    "de": (("opened", "has opened"), ("praised", "has praised"), ("visited", "has visited")),
}
_SYSTEMS = {"one": "shop", "two": "report", "three": "harbour"}


def _round_trips() -> list[RoundTrip]:
    found = []
    number = 0
    for subject in _SUBJECTS:
        for verb in _VERBS:
            for thing in _OBJECTS:
                source = f"{subject} {verb} {thing} on Monday."
                for language, habits in _HABITS.items():
                    for system, word in _SYSTEMS.items():
                        copy = source.replace(word, f"{word}s")
                        for old, new in habits:
                            copy = copy.replace(old, new)
                        found.append(
                            RoundTrip(
                                source, copy, language, system, "made", f"{number}", f"{number}"
                            )
                        )
                number += 1
    return found


@pytest.fixture(scope="module")
def settings() -> PivotSettings:
    return PivotSettings(
        languages=tuple(_HABITS),
        sizes=(5, 10),
        named_at=(10,),
        right=0.9,
        documents=4,
        edits=Descent(ridge=1.0, epochs=20, batch=64),
        kept=Descent(ridge=1.0, epochs=5, batch=64),
        edit_net=NetDescent(hidden=8, steps=40, documents=32),
        kept_net=NetDescent(hidden=4, steps=10, documents=32),
    )


@pytest.fixture(scope="module")
def rows(settings: PivotSettings) -> Rows:
    pairs = _round_trips()
    pool = contexts_of(pairs, FakeEncoder())
    return rows_of(pairs, settings.languages, pool, least=2)


@pytest.fixture(scope="module")
def model(rows: Rows, settings: PivotSettings) -> PivotModel:
    return train_pivot(rows, settings, encoder=FakeEncoder().identity)


def _judged(
    model: PivotModel, beads: list[tuple[str, str]], dictionary: Dictionary | None = None
) -> Pivot:
    sides = sides_of([text for bead in beads for text in bead], FakeEncoder())
    read = [(sides[source], sides[copy]) for source, copy in beads]
    return judge_pivot(model, read, dictionary=dictionary)


_RUSSIAN = [
    ("The sailor liked the big red boat.", "Sailor liked big red boat."),
    ("She bought a hat and an umbrella.", "She bought hat and umbrella."),
    ("The teacher closed the door.", "Teacher closed door."),
    ("We saw the castle from the train.", "We saw castle from train."),
    ("The report praised the harbour.", "Report praised harbour."),
    ("A friend visited the museum.", "Friend visited museum."),
]


def test_pivoting_names_the_language_of_habits_it_has_seen(model: PivotModel) -> None:
    found = _judged(model, _RUSSIAN)
    assert found.language == "ru"
    assert found.families["Slavic"] == pytest.approx(found.posterior["ru"])
    assert any("the →" in line.lower() and "Russian" in line for line in found.evidence)


def test_pivoting_cannot_tell_of_a_copy_that_is_its_source(model: PivotModel) -> None:
    found = _judged(model, [(source, source) for source, _ in _RUSSIAN])
    assert found.language is None
    assert list(found.posterior.values()) == pytest.approx([1 / 3] * 3)
    assert found.evidence == ()


def test_pivoting_cannot_tell_of_nothing(model: PivotModel) -> None:
    assert _judged(model, []).language is None


def test_pivoting_more_of_the_same_evidence_makes_it_surer(model: PivotModel) -> None:
    little = _judged(model, _RUSSIAN[:1]).posterior
    much = _judged(model, _RUSSIAN).posterior
    assert much["fr"] + much["de"] < little["fr"] + little["de"]


def test_pivoting_abstains_below_its_threshold(model: PivotModel) -> None:
    strict = replace(model, threshold=1.0 + 1e-9)
    assert _judged(strict, _RUSSIAN).language is None


def test_pivoting_words_that_both_sides_share_have_no_feature() -> None:
    found = changes("The zebra ate the grass.", "The zebra ate some grass.")
    assert found.features
    pairs = [name for name in found.features if name.startswith(("pair", "edit >", "out zebra"))]
    assert all("zebra" not in name for name in pairs)
    assert changes("The zebra ate.", "The zebra ate.").features == {}


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
def test_pivoting_edits_have_names(source: str, copy: str, feature: str) -> None:
    assert feature in changes(source, copy, ("fr", "ru")).features


@given(st.text(max_size=60), st.text(max_size=60))
def test_pivoting_edits_rebuild_what_was_lost_and_gained(source: str, copy: str) -> None:
    found = changes(source, copy)
    lost = sum(len(one.source) for one in found.edits) - _recased(source, copy)
    assert found.n_source - len(found.kept_places) == lost
    assert all(0 <= at < len(found.edits) for at in found.features.values())
    assert all(0 <= key_of(name) < 2**32 for name in found.features)


def _recased(source: str, copy: str) -> int:
    # An edit of capitals alone holds a word that is kept.
    return sum(
        1
        for one in changes(source, copy).edits
        if len(one.source) == len(one.copy) == 1
        and one.source[0] != one.copy[0]
        and one.source[0].lower() == one.copy[0].lower()
    )


def test_pivoting_every_language_has_a_family() -> None:
    assert set(FAMILY) == set(NAMES)


def test_pivoting_leaks_are_words_of_others_and_no_names() -> None:
    copy = ["the", "sommet", "in", "Paris", "robbery", "саммит"]
    found = find_leaks(["the", "summit"], copy, ["de", "fr"])
    assert [(leak.word, leak.languages, leak.script) for leak in found] == [
        ("sommet", ("fr",), ""),
        ("саммит", (), "CYRILLIC"),
    ]


def test_pivoting_a_leak_is_shown_as_evidence(model: PivotModel) -> None:
    french = replace(model, languages=("ru", "fr", "de"))  # the Russian weights, called French
    french = replace(french, threshold=0.0)
    beads = [*_RUSSIAN, ("The summit met.", "The sommet met.")]
    best = _judged(french, beads)
    lines = [line for line in best.evidence if line.startswith("left in")]
    assert (lines == ["left in: sommet (a word of French)"]) == (best.language == "fr")


def test_pivoting_hostile_text_is_spelled_out_in_evidence(model: PivotModel) -> None:
    loose = replace(model, threshold=0.0)
    beads = [*_RUSSIAN, ("The\u202e boat.", "Boat\u202e \x1b.")]
    assert not any(c in line for line in _judged(loose, beads).evidence for c in "\u202e\x1b")


def test_pivoting_model_survives_its_bytes(model: PivotModel, tmp_path: Path) -> None:
    save(model, tmp_path / "pivot.safetensors")
    again = load(tmp_path / "pivot.safetensors")
    assert again.to_bytes() == model.to_bytes()
    posteriors = [_judged(one, _RUSSIAN).posterior for one in (again, model)]
    assert posteriors[0] == pytest.approx(posteriors[1], abs=1e-6)


def test_pivoting_the_same_training_gives_the_same_bytes(
    rows: Rows, settings: PivotSettings, model: PivotModel
) -> None:
    assert train_pivot(rows, settings, encoder=model.encoder).to_bytes() == model.to_bytes()


def test_pivoting_a_damaged_model_is_refused(model: PivotModel, tmp_path: Path) -> None:
    path = tmp_path / "pivot.safetensors"
    save(model, path)
    path.write_bytes(path.read_bytes()[:-1] + b"\x7f")
    with pytest.raises(BundleError, match="SHA-256"):
        load(path)
    (tmp_path / "pivot.safetensors.sha256").unlink()
    with pytest.raises(BundleError, match="cannot be read"):
        load(path)


@pytest.mark.parametrize("data", [b"", b"\x00" * 40, b"not a model at all, but long enough to try"])
def test_pivoting_bytes_that_are_no_model_are_refused(data: bytes) -> None:
    with pytest.raises(BundleError, match="cannot be read"):
        PivotModel.from_bytes(data)


def test_pivoting_a_model_whose_parts_differ_is_refused(model: PivotModel) -> None:
    with pytest.raises(BundleError, match="edits has shape"):
        replace(model, languages=("fr", "ru"))


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
def test_pivoting_dictionaries_of_three_forms_join_two_senses(kind: str, tmp_path: Path) -> None:
    found = read_dictionary(_write(tmp_path, kind))
    assert found.language == "fr"
    assert found.joining("robberies", "flight") == ("vol",)
    assert found.joining("robbery", "boat") == ()


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
def test_pivoting_a_dictionary_that_cannot_be_used_is_refused(
    name: str, text: str, message: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        read_dictionary(tmp_path / name)


def test_pivoting_a_dictionary_explains_a_substitution(model: PivotModel) -> None:
    # "new" for "novel" is a habit of the made-up French; the dictionary knows a word for both.
    loose = replace(model, threshold=0.0, calibration=replace(model.calibration, near=0.0))
    beads = [("The mayor sold the new boat.", "The mayor sold the said novel boat.")] * 3
    found = _judged(loose, beads, Dictionary("fr", [("new", "n"), ("novel", "n")]))
    assert found.language == "fr"
    assert any(line.endswith(": French n") for line in found.evidence)


def test_pivoting_tokens_keep_figures_and_signs() -> None:
    assert tokens("It’s 3.5, “so”.")[0] == ["It's", "3.5", ",", "so", "."]


def test_pivoting_training_on_one_system_is_refused(rows: Rows, settings: PivotSettings) -> None:
    alone = rows.of(np.flatnonzero(rows.system == "one"))
    with pytest.raises(InputError, match="two or more"):
        train_pivot(alone, settings, encoder=FakeEncoder().identity)


def test_pivoting_documents_hold_sentences_of_one_translator() -> None:
    groups = np.array(["a", "b", "a", "a", "c", "b", "a", "a", "b", "b"])
    made = put_together(groups, Descent(together=2, draws=3))
    held = [set(groups[made.indices[a:b]]) for a, b in pairwise(made.indptr)]
    assert all(len(names) == 1 for names in held)
    lengths = np.diff(made.indptr).tolist()
    sizes = Counter((min(names), length) for names, length in zip(held, lengths, strict=True))
    # Five of a, four of b, and one of c, which makes a document by itself.
    assert sizes == {("a", 2): 6, ("b", 2): 6, ("c", 1): 3}
    per_draw = made[:5].sum(axis=0)
    assert per_draw.max() == 1  # no sentence twice in one draw


def test_pivoting_a_family_learns_from_its_languages() -> None:
    features = csr_matrix(np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]] * 40, np.float32))
    language = np.array([0, 1, 2] * 40)
    families = np.array(["Slavic", "Slavic", "Turkic"])

    def fitted(tied: float) -> NDArray[np.float32]:
        descent = Descent(ridge=1.0, epochs=20, batch=16, tied=tied)
        return fit_weights(features, language, np.ones(120), families=families, descent=descent)

    apart, tied = fitted(0.0), fitted(2.0)
    assert apart.argmax(axis=1).tolist() == tied.argmax(axis=1).tolist() == [0, 1, 2]
    # What speaks for one Slavic language speaks less against the other than against a Turkic one.
    assert apart[0, 1] == pytest.approx(apart[0, 2], abs=0.2)
    assert tied[0, 1] > tied[0, 2] + 0.3


def test_pivoting_places_of_edits_are_where_their_words_stand() -> None:
    source, copy = "He said “well-known” words.", 'Later he said "famed" words.'
    found = changes(source, copy)
    shown = [
        (source[a:b], copy[c:d], str(edit))
        for ((a, b), (c, d)), edit in zip(found.places, found.edits, strict=False)
    ]
    assert shown == [("", "Later", "∅ → Later"), ("well-known", "famed", "well - known → famed")]
    assert len(found.edits) == len(found.places) + 1  # last, "He" in small letters


def test_pivoting_contexts_are_the_means_of_the_words_behind_an_edit() -> None:
    source, copy = "They saw a big red boat.", "They saw a ship today."
    sides = sides_of([source, copy], FakeEncoder())
    found = compare(sides[source], sides[copy]).contexts
    lost = np.mean([word_vector(word) for word in ("big", "red", "boat")], axis=0)
    put = np.mean([word_vector(word) for word in ("ship", "today")], axis=0)
    assert found.lengths.tolist() == [[3, 2]]
    assert found.lost[0] == pytest.approx(lost, abs=2e-3)
    assert found.put[0] == pytest.approx(put, abs=2e-3)


def test_pivoting_what_was_only_lost_has_no_vector_in_the_copy() -> None:
    sides = sides_of(["They saw the boat.", "They saw boat.", " "], FakeEncoder())
    found = compare(sides["They saw the boat."], sides["They saw boat."]).contexts
    assert found.lengths.tolist() == [[1, 0]]
    assert not found.put.any()
    assert found.numbers()[0, -N_LENGTHS:].tolist() == [0.5, 0.0, 0.0, 1.0]
    assert len(compare(sides[" "], sides[" "]).contexts) == 0


def test_pivoting_the_net_learns_what_no_single_word_says() -> None:
    # Each word is put in once only, so no word can be learned; its vector says the language.
    rng = np.random.default_rng(0)
    directions = np.linalg.qr(rng.standard_normal((DIMENSION, 3)))[0].T
    pairs, put = [], []
    for number in range(240):
        language = tuple(_HABITS)[number % 3]
        pairs.append(RoundTrip("a b", f"a w{number}", language, "one", "made", f"{number}", "0"))
        put.append(directions[number % 3] + 0.2 * rng.standard_normal(DIMENSION))
    pool = contexts_of(pairs, FakeEncoder())
    pool = replace(pool, contexts=replace(pool.contexts, put=np.array(put, np.float16)))
    rows = rows_of(pairs, tuple(_HABITS), pool, least=2)
    truth = np.arange(240) % 3
    learned = np.flatnonzero(np.arange(240) < 180)
    fitting = NetDescent(hidden=16, steps=60, documents=32, together=2)
    net = fit_net(
        rows.of(learned), truth[learned], np.ones(180), k=3, view=EditView(), descent=fitting
    )
    said = net.scores(pool.contexts.numbers())
    assert (said[180:].argmax(axis=1) == truth[180:]).mean() > 0.9
    assert said.sum(axis=1) == pytest.approx(np.zeros(240), abs=1e-3)


def test_pivoting_nets_joined_say_their_mean() -> None:
    rng = np.random.default_rng(0)

    def net() -> Net:
        shapes = ((2 * DIMENSION + N_LENGTHS, 4), (4,), (4, 3))
        return Net(*(rng.standard_normal(shape).astype(np.float16) for shape in shapes))

    sides = sides_of(["They saw the boat.", "They left a ship."], FakeEncoder())
    contexts = compare(*sides.values()).contexts
    first, second = net(), net()
    numbers = contexts.numbers()
    mean = (first.scores(numbers) + second.scores(numbers)) / 2
    assert joined([first, second]).scores(numbers) == pytest.approx(mean, abs=0.02)


def test_pivoting_evidence_adds_up_to_what_moved_the_odds(model: PivotModel) -> None:
    beads = [("The mayor sold the new boat.", "The mayor sold the said novel ship.")] * 2
    sides = sides_of([text for bead in beads for text in bead], FakeEncoder())
    sentences = [compare(sides[a], sides[b], model.languages) for a, b in beads]
    at = model.languages.index("fr")
    said = model.read(sentences)
    worth = model.worth(said.tally)
    moved = sum(
        (
            model.edits.of(list(one.changes.features)).sum(axis=0) @ worth[0]
            + model.edit_net.scores(one.contexts.numbers()).sum(axis=0) @ worth[1]
            for one in sentences
        ),
        np.zeros(len(model.languages)),
    )
    edits, kept = model.nats(said, "fr")
    shown = _gathered(sentences, edits)
    others = np.delete(moved, at).mean()
    assert sum(one.nats for one in shown.values()) == pytest.approx(moved[at] - others)
    # What was kept counts against a usual document, the edits in full.
    slopes, _ = model.calibration.line(said.tally.place, said.tally.edits)
    here = (said.tally.place - model.calibration.centre) / model.calibration.scale
    k = len(model.languages)
    line = here[2 * k : 4 * k] @ slopes[2 * k : 4 * k]
    assert kept == pytest.approx(line[at] - np.delete(line, at).mean())


def test_pivoting_an_encoder_without_tokens_is_refused() -> None:
    class Tokenless(FakeEncoder):
        def encode(self, texts: Sequence[str], *, tokens: bool = True) -> Encoding:
            return super().encode(texts, tokens=tokens and not texts)

    with pytest.raises(EncodeError, match="fake offers no vectors of tokens"):
        sides_of(["They saw the boat."], Tokenless())


def test_pivoting_a_net_whose_layers_differ_is_refused(model: PivotModel) -> None:
    with pytest.raises(BundleError, match="do not fit"):
        replace(model.kept_net, offset=model.kept_net.offset[1:])
    with pytest.raises(BundleError, match="inward has shape"):
        replace(model, encoder=replace(model.encoder, dimension=DIMENSION + 1))


def test_pivoting_a_document_far_from_all_it_knows_is_less_sure(model: PivotModel) -> None:
    sides = sides_of([text for bead in _RUSSIAN for text in bead], FakeEncoder())
    said = model.read([compare(sides[a], sides[b], model.languages) for a, b in _RUSSIAN])
    tally = said.tally
    calibration = model.calibration
    k = len(model.languages)
    # As many edits a token as no translator makes: a direction that tells no language apart.
    level = calibration.means[:, -1].mean()
    flat = replace(
        calibration,
        means=np.column_stack([calibration.means[:, :-1], np.full(k, level)]),
        between=np.diag(np.diag(calibration.between)),
        within=np.diag(np.diag(calibration.within)),
    )
    usual = tally.place.copy()
    usual[-1] = calibration.centre[-1] + calibration.scale[-1] * level
    odd = usual.copy()
    odd[-1] += 50.0 * calibration.scale[-1]
    near, far = posteriors(flat, np.stack([usual, odd]), np.array([tally.edits] * 2))
    assert near.argmax() == far.argmax()
    assert far.max() < near.max() - 0.1


def test_pivoting_a_document_in_the_middle_of_all_languages_gets_no_name(
    model: PivotModel,
) -> None:
    calibration = replace(model.calibration, near=1.0)
    sure = replace(model, threshold=0.0, calibration=calibration)
    edits = 200.0
    k = len(model.languages)
    stands = [*calibration.means, calibration.means.mean(axis=0)]
    places = [calibration.centre + calibration.scale * one for one in stands]
    counts = np.array([1000.0, 1000.0, 800.0, edits])

    def named(place: NDArray[np.float64]) -> str | None:
        units = Tally(np.zeros((N_VIEWS, k)), counts).units
        tally = Tally(place[: N_VIEWS * k].reshape(N_VIEWS, k) * units[:, None], counts)
        # Manner follows from the counts; here all documents have that of a usual one.
        flat = replace(calibration, means=calibration.means.copy())
        usual = (tally.manner - flat.centre[-N_MANNER:]) / flat.scale[-N_MANNER:]
        flat.means[:, -N_MANNER:] = usual
        judging = replace(sure, calibration=flat)
        posterior = judging.posterior(tally)
        named = judging.names(tally, posterior)
        return judging.languages[int(posterior.argmax())] if named else None

    assert [named(place) for place in places] == [*model.languages, None]


@pytest.mark.parametrize("view", [EditView(), KeptView()])
def test_pivoting_a_net_of_no_steps_says_nothing(rows: Rows, view: View) -> None:
    n = len(rows.pair)
    silent = NetDescent(steps=0)
    net = fit_net(rows, np.zeros(n, np.int64), np.ones(n), k=3, view=view, descent=silent)
    numbers, owner = view.read(rows.pool, rows.pair)
    said = joined([net, net]).scores(numbers)
    assert said.shape == (len(owner), 3)
    assert not said.any()


def test_pivoting_kept_words_have_places_names_and_vectors() -> None:
    source, copy = "They saw the “big” boat.", "They saw a big ship."
    sides = sides_of([source, copy], FakeEncoder())
    found = compare(sides[source], sides[copy])
    assert [source[a:b] for a, b in found.changes.kept_places] == ["They", "saw", "big", "."]
    assert {"kept saw", "kept they_saw", "kept saw_the", "kept big_boat"} <= set(found.changes.kept)
    assert "kept the" not in found.changes.kept
    shown = [word_vector(word) for word in ("They", "saw", "big")]
    assert found.kept[:3] == pytest.approx(np.array(shown), abs=2e-3)
    pair = RoundTrip(source, copy, "fr", "one", "made", "0", "0")
    words, owner = contexts_of([pair, pair], FakeEncoder()).kept_of(np.array([1]))
    assert words == pytest.approx(found.kept)
    assert owner.tolist() == [0] * len(found.kept)


def test_pivoting_the_net_learns_which_words_are_kept() -> None:
    # The same sentences through both languages; one loses the first word of each, one the last.
    pairs = []
    for number in range(80):
        name = "".join(chr(ord("a") + int(figure)) for figure in str(number))
        first, last = f"first{name}", f"last{name}"
        for language, copy in (("fr", last), ("ru", first)):
            sentence = str(number)
            pairs.append(
                RoundTrip(f"{first} {last}", copy, language, "one", "made", sentence, sentence)
            )
    pool = contexts_of(pairs, FakeEncoder())
    rng = np.random.default_rng(0)
    words = rng.standard_normal((160, DIMENSION)) * 0.1
    words[::2, 0] += 2.0  # what first words have in common
    pool = replace(pool, words=words.astype(np.float16))
    rows = rows_of(pairs, ("fr", "ru"), pool, least=2)
    truth = np.arange(160) % 2
    learned = np.flatnonzero(np.arange(160) < 120)
    fitting = NetDescent(hidden=8, steps=120, documents=32, together=2)
    net = fit_net(
        rows.of(learned), truth[learned], np.ones(120), k=2, view=KeptView(), descent=fitting
    )
    kept, owner = pool.kept_of(np.arange(120, 160))
    assert (net.scores(kept.astype(np.float32)).argmax(axis=1) == owner % 2).mean() > 0.9
