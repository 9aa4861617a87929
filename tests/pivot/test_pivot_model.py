"""The pivot model and its predictions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from support.fakes import DIMENSION, FakeEncoder
from support.made_pivot import pivot_model, with_random_nets

from detector.errors import BundleError
from detector.pivot.edits import encode_edits
from detector.pivot.model import N_RATES, N_VIEWS, DocumentScores, PivotModel, load, save
from detector.pivot.pivot import Dictionary, group_edits, predict_pivot
from detector.pivot.posterior import posteriors
from detector.records import Pivot
from detector.training.pivot_data import encode_sides


@pytest.fixture(scope="module")
def model() -> PivotModel:
    return pivot_model()


def _predict(
    model: PivotModel, beads: list[tuple[str, str]], dictionary: Dictionary | None = None
) -> Pivot:
    sides = encode_sides([text for bead in beads for text in bead], FakeEncoder())
    encoded = [(sides[source], sides[copy]) for source, copy in beads]
    return predict_pivot(model, encoded, dictionary=dictionary)


RUSSIAN = [
    ("The sailor liked the big red boat.", "Sailor liked big red boat."),
    ("She bought a hat and an umbrella.", "She bought hat and umbrella."),
    ("The teacher closed the door.", "Teacher closed door."),
    ("We saw the castle from the train.", "We saw castle from train."),
    ("The report praised the harbour.", "Report praised harbour."),
    ("A friend visited the museum.", "Friend visited museum."),
]


def test_pivot_model_names_the_language_of_habits_it_has_seen(model: PivotModel) -> None:
    found = _predict(model, RUSSIAN)
    assert found.language == "ru"
    assert found.families["Slavic"] == pytest.approx(found.posterior["ru"])
    assert any("the →" in line.lower() and "Russian" in line for line in found.evidence)
    assert any("evidence for Russian" in line for line in found.evidence)
    assert len(found.evidence_weights) == len(found.evidence)
    assert all(weight > 0.0 for weight in found.evidence_weights)


def test_pivot_model_cannot_tell_of_a_copy_that_is_its_source(model: PivotModel) -> None:
    found = _predict(model, [(source, source) for source, _ in RUSSIAN])
    assert found.language is None
    assert list(found.posterior.values()) == pytest.approx([1 / 3] * 3)
    assert found.evidence == ()


def test_pivot_model_cannot_tell_of_nothing(model: PivotModel) -> None:
    assert _predict(model, []).language is None


def test_pivot_model_more_of_the_same_evidence_makes_it_surer(model: PivotModel) -> None:
    little = _predict(model, RUSSIAN[:1]).posterior
    much = _predict(model, RUSSIAN).posterior
    assert much["fr"] + much["de"] < little["fr"] + little["de"]


def test_pivot_model_abstains_below_its_threshold(model: PivotModel) -> None:
    strict = replace(model, threshold=1.0 + 1e-9)
    assert _predict(strict, RUSSIAN).language is None


def test_pivot_model_an_untranslated_word_is_shown_as_evidence(model: PivotModel) -> None:
    french = replace(model, languages=("ru", "fr", "de"))  # the Russian weights, called French
    french = replace(french, threshold=0.0)
    beads = [*RUSSIAN, ("The summit met.", "The sommet met.")]
    best = _predict(french, beads)
    lines = [line for line in best.evidence if line.startswith("left untranslated")]
    assert (lines == ["left untranslated: sommet (a word of French)"]) == (best.language == "fr")


def test_pivot_model_hostile_text_is_spelled_out_in_evidence(model: PivotModel) -> None:
    loose = replace(model, threshold=0.0)
    beads = [*RUSSIAN, ("The\u202e boat.", "Boat\u202e \x1b.")]
    assert not any(c in line for line in _predict(loose, beads).evidence for c in "\u202e\x1b")


def test_pivot_model_model_survives_its_bytes(model: PivotModel, tmp_path: Path) -> None:
    save(model, tmp_path / "pivot.safetensors")
    again = load(tmp_path / "pivot.safetensors")
    assert again.to_bytes() == model.to_bytes()
    posteriors = [_predict(one, RUSSIAN).posterior for one in (again, model)]
    assert posteriors[0] == pytest.approx(posteriors[1], abs=1e-6)


def test_pivot_model_a_damaged_model_is_refused(model: PivotModel, tmp_path: Path) -> None:
    path = tmp_path / "pivot.safetensors"
    save(model, path)
    path.write_bytes(path.read_bytes()[:-1] + b"\x7f")
    with pytest.raises(BundleError, match="SHA-256"):
        load(path)
    (tmp_path / "pivot.safetensors.sha256").unlink()
    with pytest.raises(BundleError, match="cannot be read"):
        load(path)


@pytest.mark.parametrize("data", [b"", b"\x00" * 40, b"not a model at all, but long enough to try"])
def test_pivot_model_bytes_that_are_no_model_are_refused(data: bytes) -> None:
    with pytest.raises(BundleError, match="cannot be read"):
        PivotModel.from_bytes(data)


def test_pivot_model_a_model_whose_parts_differ_is_refused(model: PivotModel) -> None:
    other = replace(model, languages=("fr", "ru")).to_bytes()
    with pytest.raises(BundleError, match=r" is \w+ \d+ \d+, not .*'k': 2"):
        PivotModel.from_bytes(other)


def test_pivot_model_a_dictionary_explains_a_substitution(model: PivotModel) -> None:
    # "new" for "novel" is a habit of the made-up French; the dictionary knows a word for both.
    loose = replace(
        model, threshold=0.0, calibration=replace(model.calibration, open_set_threshold=0.0)
    )
    beads = [("The mayor sold the new boat.", "The mayor sold the said novel boat.")] * 3
    found = _predict(loose, beads, Dictionary("fr", [("new", "n"), ("novel", "n")]))
    assert found.language == "fr"
    assert any(line.endswith(": French n") for line in found.evidence)


def test_pivot_model_evidence_adds_up_to_what_moved_the_odds(model: PivotModel) -> None:
    model = with_random_nets(model)
    beads = [("The mayor sold the new boat.", "The mayor sold the said novel ship.")] * 2
    sides = encode_sides([text for bead in beads for text in bead], FakeEncoder())
    sentences = [encode_edits(sides[a], sides[b], model.languages) for a, b in beads]
    at = model.languages.index("fr")
    scores = model.score_edits(sentences)
    slopes = model.score_slopes(scores.document)
    moved = sum(
        (
            model.edits.of(list(one.sentence.features)).sum(axis=0) @ slopes[0]
            + model.edit_net.scores(one.vectors.inputs()).sum(axis=0) @ slopes[1]
            for one in sentences
        ),
        np.zeros(len(model.languages)),
    )
    edits, kept = model.evidence_weights(scores, "fr")
    groups = group_edits(sentences, edits)
    others = np.delete(moved, at).mean()
    assert sum(weight for _, weight, _ in groups) == pytest.approx(moved[at] - others)
    # Kept words count against the mean document, the edits in full.
    slopes, _ = model.calibration.log_odds_line(scores.document.vector, scores.document.n_edits)
    here = (scores.document.vector - model.calibration.centre) / model.calibration.scale
    k = len(model.languages)
    line = here[2 * k : 4 * k] @ slopes[2 * k : 4 * k]
    assert kept == pytest.approx(line[at] - np.delete(line, at).mean())


def test_pivot_model_a_net_whose_layers_differ_is_refused(model: PivotModel) -> None:
    model = with_random_nets(model)
    other = replace(model, kept_net=replace(model.kept_net, offset=model.kept_net.offset[1:]))
    with pytest.raises(BundleError, match=r"kept_net.* is float16"):
        PivotModel.from_bytes(other.to_bytes())
    other = replace(model, encoder=replace(model.encoder, dimension=DIMENSION + 1))
    with pytest.raises(BundleError, match=r"net.inward is float16"):
        PivotModel.from_bytes(other.to_bytes())


def test_pivot_model_a_document_far_from_all_it_knows_is_less_sure(model: PivotModel) -> None:
    sides = encode_sides([text for bead in RUSSIAN for text in bead], FakeEncoder())
    scores = model.score_edits(
        [encode_edits(sides[a], sides[b], model.languages) for a, b in RUSSIAN]
    )
    document = scores.document
    calibration = model.calibration
    k = len(model.languages)
    # More edits per token than any translator makes: no evidence for any language.
    level = calibration.means[:, -1].mean()
    flat = replace(
        calibration,
        means=np.column_stack([calibration.means[:, :-1], np.full(k, level)]),
        between=np.diag(np.diag(calibration.between)),
        within=np.diag(np.diag(calibration.within)),
    )
    usual = document.vector.copy()
    usual[-1] = calibration.centre[-1] + calibration.scale[-1] * level
    odd = usual.copy()
    odd[-1] += 50.0 * calibration.scale[-1]
    near, far = posteriors(flat, np.stack([usual, odd]), np.array([document.n_edits] * 2))
    assert near.argmax() == far.argmax()
    assert far.max() < near.max() - 0.1


def test_pivot_model_a_document_in_the_middle_of_all_languages_gets_no_name(
    model: PivotModel,
) -> None:
    calibration = replace(model.calibration, open_set_threshold=1.0)
    sure = replace(model, threshold=0.0, calibration=calibration)
    edits = 200.0
    k = len(model.languages)
    means = [*calibration.means, calibration.means.mean(axis=0)]
    vectors = [calibration.centre + calibration.scale * one for one in means]
    counts = np.array([1000.0, 1000.0, 800.0, edits])

    def named(vector: NDArray[np.float64]) -> str | None:
        units = DocumentScores(np.zeros((N_VIEWS, k)), counts).units
        document = DocumentScores(
            vector[: N_VIEWS * k].reshape(N_VIEWS, k) * units[:, None], counts
        )
        # Edit rates follow from the counts; here all documents have that of the mean one.
        flat = replace(calibration, means=calibration.means.copy())
        usual = (document.edit_rates - flat.centre[-N_RATES:]) / flat.scale[-N_RATES:]
        flat.means[:, -N_RATES:] = usual
        judging = replace(sure, calibration=flat)
        posterior = judging.posterior(document)
        named = judging.accepts(document, posterior)
        return judging.languages[int(posterior.argmax())] if named else None

    assert [named(vector) for vector in vectors] == [*model.languages, None]
