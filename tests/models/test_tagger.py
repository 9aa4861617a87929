"""The tagger: the same alone and in a batch, kept and refused like a bundle, fitted and resumed."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from support.fakes import FakeEncoder
from support.small_tagger import SHAPE
from support.small_tagger import small_tagger as _tagger

from detector.encoder import EncoderIdentity
from detector.errors import BundleError, InputError
from detector.features.token_tags import KINDS, TaggerBatch, TaggerOutputs, Tokens
from detector.model_files import json_bytes
from detector.models import tagger as module
from detector.models.tagger import Tagger
from detector.models.tagger_network import PairNetwork
from detector.training import tagger as tagger_fit
from detector.training.data.corpus import Mark, Pair, group_of, seen_by_tagger
from detector.training.tagger import TaggerSettings, fit_tagger
from detector.training.tagger_data import (
    UNKNOWN,
    TaggerMix,
    copy_targets,
    kind_of,
    source_targets,
    tagger_pairs,
    with_lost,
)

WORDS = ("river", "market", "bridge", "school", "harbour", "garden", "castle", "forest")


def _tokens(text: str) -> Tokens:
    (tokens,) = FakeEncoder().encode([text]).tokens or ()
    return Tokens.of([(text, 0, tokens)])


def _pairs(n: int = 40) -> list[Pair]:
    rng = np.random.default_rng(0)
    pairs = []
    for i in range(n):
        one, two, other = rng.choice(WORDS, 3, replace=False).tolist()
        source = f"the {one} near the {two}"
        known = {"source": source, "corpus": "contrast", "group": group_of(source)}
        twin = f"twin {i}"
        pairs.append(Pair(copy=source, label=False, kind="base", twin=twin, **known))
        copy = f"the {one} near the {other}"
        mark = Mark(side="copy", start=len(copy) - len(other), end=len(copy), kind="", weight=5.0)
        pairs.append(
            Pair(copy=copy, label=True, kind="word swapped", twin=twin, marks=(mark,), **known)
        )
    return pairs


@pytest.mark.slow
def test_tagger_says_the_same_of_a_bead_alone_and_in_a_batch() -> None:
    tagger = _tagger()
    texts = [("a b c", "a c"), ("one", "another thing altogether"), ("x y", "x z y w v u")]
    beads = [(_tokens(source), _tokens(copy)) for source, copy in texts]
    for together, bead in zip(tagger.predict(beads), beads, strict=True):
        (alone,) = tagger.predict([bead])
        np.testing.assert_allclose(together.damaged, alone.damaged, atol=1e-5)
        np.testing.assert_allclose(together.lost, alone.lost, atol=1e-5)
        assert together.drift == pytest.approx(alone.drift, abs=1e-4)
        assert together.damaged.shape == (len(bead[1].texts),)
        assert together.lost.shape == (len(bead[0].texts),)
        np.testing.assert_allclose(together.kinds.sum(axis=1), 1.0, atol=1e-5)


def test_tagger_finds_no_damage_in_an_identical_copy() -> None:
    (tags,) = _tagger().predict([(_tokens("the same words"), _tokens("The same words"))])
    assert not tags.damaged.any()
    assert not tags.lost.any()
    assert tags.points == 0.0
    assert tags.drift < -10.0


def test_tagger_of_nothing_is_nothing() -> None:
    assert _tagger().predict([]) == []


def test_tagger_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    tagger = _tagger()
    config = module.save(tagger, tmp_path / "tagger")
    again = module.load(tmp_path / "tagger", encoder=FakeEncoder().identity)
    assert again.config == config
    bead = (_tokens("a b c"), _tokens("a c d"))
    (one,), (two,) = tagger.predict([bead]), again.predict([bead])
    np.testing.assert_allclose(one.damaged, two.damaged, atol=2e-3)  # kept in half precision
    assert module.save(again, tmp_path / "again").weights == config.weights


def test_tagger_refuses_what_is_missing_damaged_or_foreign(tmp_path: Path) -> None:
    identity = FakeEncoder().identity
    with pytest.raises(BundleError, match="cannot be read"):
        module.load(tmp_path, encoder=identity)
    module.save(_tagger(), tmp_path)
    foreign: EncoderIdentity = replace(identity, weights_sha256="1" * 64)
    with pytest.raises(BundleError, match="111111111111"):
        module.load(tmp_path, encoder=foreign)
    weights = tmp_path / "tagger.safetensors"
    kept = weights.read_bytes()
    weights.write_bytes(kept[:-1] + bytes([kept[-1] ^ 1]))
    with pytest.raises(BundleError, match="SHA-256"):
        module.load(tmp_path, encoder=identity)
    weights.write_bytes(kept)
    config = tmp_path / "config.json"
    record = json.loads(config.read_text(encoding="utf-8"))
    for change, said in (
        ({"schema": 9}, "schema 9, this version reads 2"),
        ({"thresholds": [0.5]}, "no config of a tagger"),
        ({"shape": {**record["shape"], "width": 16}}, r"is float16 .*, not float16"),
    ):
        config.write_bytes(json_bytes({**record, **change}))
        with pytest.raises(BundleError, match=said):
            module.load(tmp_path, encoder=identity)


@pytest.mark.slow
def test_tagger_learns_which_word_was_changed() -> None:
    settings = TaggerSettings(shape=SHAPE, step=16, rate=3e-3, epochs=12.0)
    network = fit_tagger(_pairs(), FakeEncoder(), settings)
    tagger = Tagger(network, _tagger().config)
    source, copy = _tokens("the market near the river"), _tokens("the market near the castle")
    (tags,) = tagger.predict([(source, copy)])
    assert int(tags.damaged.argmax()) == 4
    (sound,) = tagger.predict([(source, _tokens("near the river the market"))])
    assert tags.drift > sound.drift


@pytest.mark.slow
def test_tagger_fit_in_bf16_keeps_weights_and_losses_in_fp32(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = TaggerSettings(shape=SHAPE, step=16, rate=3e-3, epochs=4.0)
    seen: set[torch.dtype] = set()
    read = tagger_fit._predict

    def watched(network: PairNetwork, *rest: object, **options: bool) -> object:
        def inside(_: object, __: object, out: torch.Tensor) -> None:
            seen.add(out.dtype)

        hook = network.layers[0].linear1.register_forward_hook(inside)
        readings = read(network, *rest, **options)
        hook.remove()
        assert {one.dtype for one in readings} == {torch.float32}
        return readings

    monkeypatch.setattr(tagger_fit, "_predict", watched)
    plain = fit_tagger(_pairs(), FakeEncoder(), settings)
    assert seen == {torch.float32}
    rough = fit_tagger(_pairs(), FakeEncoder(), replace(settings, precision="bf16"))
    assert seen == {torch.float32, torch.bfloat16}
    assert {one.dtype for one in rough.parameters()} == {torch.float32}
    assert not torch.equal(plain.sides.weight, rough.sides.weight)
    for one, two in zip(plain.parameters(), rough.parameters(), strict=True):
        torch.testing.assert_close(one, two, atol=0.05, rtol=0.0)
    with pytest.raises(InputError, match="precision 'int3' is unknown"):
        fit_tagger(_pairs(), FakeEncoder(), replace(settings, precision="int3"))  # type: ignore[arg-type]


def test_tagger_saves_torchs_network_alone(tmp_path: Path) -> None:
    tagger = _tagger()

    class Elsewhere:
        def predict(self, batch: TaggerBatch, /) -> TaggerOutputs[np.ndarray]:
            raise NotImplementedError

    with pytest.raises(InputError, match="is a Elsewhere; save a PairNetwork"):
        module.save(Tagger(Elsewhere(), tagger.config), tmp_path)


@pytest.mark.slow
def test_tagger_fit_goes_on_where_it_was_stopped(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = TaggerSettings(shape=SHAPE, step=16, epochs=2.0, save_every=2)
    whole = fit_tagger(_pairs(), FakeEncoder(), settings)
    seen = 0

    def stop(n: int) -> None:
        nonlocal seen
        seen += n
        if seen > 60:
            raise KeyboardInterrupt

    path = tmp_path / "checkpoint.pt"
    with pytest.raises(KeyboardInterrupt):
        fit_tagger(_pairs(), FakeEncoder(), settings, checkpoint=path, progress=stop)
    with caplog.at_level(logging.INFO):
        resumed = fit_tagger(_pairs(), FakeEncoder(), settings, checkpoint=path)
    assert "going on from step" in caplog.text
    for one, two in zip(whole.parameters(), resumed.parameters(), strict=True):
        torch.testing.assert_close(one, two)
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.pt"]


def test_tagger_targets_follow_the_marks_of_each_corpus() -> None:
    base, damaged = _pairs(1)
    (tokens,) = FakeEncoder().encode([damaged.copy]).tokens or ()
    marked = copy_targets(damaged, tokens)
    assert marked is not None
    assert marked.damage.tolist() == [0, 0, 0, 0, 1]
    assert source_targets(damaged, tokens) is None  # a word replaced: its source is not asked about
    sound = source_targets(base, tokens)
    assert sound is not None
    assert not sound.damage.any()
    lost = Mark(side="source", start=4, end=9, kind="noun dropped", weight=5.0)
    dropped = source_targets(replace(damaged, marks=(lost,)), tokens)
    assert dropped is not None
    assert dropped.damage.any()
    edited = replace(damaged, corpus="mlqe", marks=(replace(damaged.marks[0], weight=1.0),))
    half = copy_targets(edited, tokens)
    assert half is not None
    assert half.damage.max() == 0.5
    assert copy_targets(replace(damaged, corpus="wmt", marks=()), tokens) is None


@pytest.mark.parametrize(
    ("mark", "kind"),
    [
        ("Accuracy/Mistranslation", "mistranslation"),
        ("Accuracy/Omission", "omission"),
        ("Terminology/Wrong_term", "mistranslation"),
        ("Linguistic_conventions/Grammar", "grammar"),
        ("name swapped", "name"),
        ("currency", "number"),
        ("noun dropped", "omission"),
        ("clause added", "addition"),
        ("wrong sense", "mistranslation"),
        ("edited", None),
        ("", None),
    ],
)
def test_tagger_kinds_of_marks(mark: str, kind: str | None) -> None:
    assert kind_of(mark) == (UNKNOWN if kind is None else KINDS.index(kind))


def test_tagger_marks_in_the_source_what_was_exchanged_but_no_inflection() -> None:
    source = "The minister praised the new harbour in Lisbon."
    base = Pair(
        source=source,
        copy="The minister praised the new harbour of Lisbon.",
        label=False,
        corpus="contrast",
        kind="base",
        group=group_of(source),
        twin="one",
    )

    def changed(old: str, new: str) -> Pair:
        at = base.copy.index(old)
        mark = Mark(side="copy", start=at, end=at + len(new), kind="word swapped", weight=5.0)
        copy = base.copy.replace(old, new)
        return replace(base, copy=copy, label=True, kind="word swapped", marks=(mark,))

    swapped, tense = changed("harbour", "castle"), changed("praised", "praises")
    sound = replace(base, copy="The minister praised Lisbon's new harbour.", kind="possessive")
    one, two, three, four = with_lost([base, swapped, tense, sound])
    assert (one, three, four) == (base, tense, sound)
    (lost,) = [mark for mark in two.marks if mark.side == "source"]
    assert source[lost.start : lost.end] == "harbour"
    assert lost.weight == 5.0


def test_tagger_is_fitted_on_no_source_that_others_need() -> None:
    corpora: dict[str, list[Pair]] = {"mlqe": [], "wmt": []}
    for i in range(300):
        source = f"The {WORDS[i % 8]} number {i} stands near the {WORDS[i // 8 % 8]} of the town."
        known = {"source": source, "kind": "human", "group": group_of(source)}
        corpora["mlqe"].append(Pair(copy=source + " So", label=None, corpus="mlqe", **known))
        copy = source.replace("near", "beside")
        corpora["wmt"].append(Pair(copy=copy, label=False, corpus="wmt", **known))
    chosen = tagger_pairs(corpora, TaggerMix(limit=400))
    assert {pair.corpus for pair in chosen} == {"mlqe", "contrast"}
    assert all(seen_by_tagger(pair) for pair in chosen)
    assert not all(seen_by_tagger(pair) for pair in corpora["mlqe"])
    assert chosen == tagger_pairs(corpora, TaggerMix(limit=400))


def test_tagger_reads_a_long_bead_in_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    tagger = _tagger()
    words = [WORDS[n % len(WORDS)] for n in range(60)]
    source, copy = _tokens(" ".join(words)), _tokens(" ".join([*words[:50], "sea", *words[52:]]))
    (whole,) = tagger.predict([(source, copy)])
    monkeypatch.setattr(module, "_WINDOW", 40)
    seen: list[int] = []
    read = tagger.network.forward

    def watched(vectors: torch.Tensor, *rest: torch.Tensor) -> object:
        seen.append(vectors.shape[1])
        return read(vectors, *rest)

    monkeypatch.setattr(tagger.network, "forward", watched)
    (cut,) = tagger.predict([(source, copy)])
    assert max(seen) < 40 * 1.8
    assert cut.damaged.shape == whole.damaged.shape
    assert cut.lost.shape == whole.lost.shape
    assert cut.kinds.shape == whole.kinds.shape


def test_tagger_probabilities_are_calibrated_by_its_config() -> None:
    tagger = _tagger()
    config = replace(tagger.config, calibration=((2.0, 1.0), (1.0, 0.0)))
    bead = (_tokens("a b c"), _tokens("a c d"))
    (plain,), (scaled,) = tagger.predict([bead]), Tagger(tagger.network, config).predict([bead])
    odds = np.log(plain.damaged / (1.0 - plain.damaged))
    np.testing.assert_allclose(scaled.damaged, 1.0 / (1.0 + np.exp(-(2.0 * odds + 1.0))), atol=1e-9)
    np.testing.assert_array_equal(scaled.lost, plain.lost)
