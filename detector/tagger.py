"""`Tagger`: which tokens of a copy are damaged, and which of its source are lost.

This room reads a trained network from disk, checks its digest, and puts token vectors that
`encode` made through it. It splits no text, knows no word, and trains nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from detector.encode import EncoderIdentity, batches, check_encoder
from detector.errors import BundleError
from detector.reading.files import write_whole
from detector.records import TokenVectors

if TYPE_CHECKING:
    from torch import Tensor

    from detector.tagger_network import PairNetwork

SCHEMA = 1
DEFAULT = Path(__file__).parent / "bundles" / "tagger"

KINDS = ("mistranslation", "omission", "addition", "name", "number", "grammar")
"""Kinds of damage, in the order of the network's columns."""

_CONFIG, _WEIGHTS = "config.json", "tagger.safetensors"
_BATCH_TOKENS = 1024  # padded tokens of a batch
_SURE = 20.0  # log-odds that stand for certainty


@dataclass(frozen=True, slots=True, eq=False)
class Tokens:
    """One side of a bead as the tagger reads it.

    Attributes
    ----------
    vectors : ndarray of shape (n_tokens, d), float16
        Unit rows, as `Encoding.tokens` holds them.
    texts : tuple of str
        The tokens in lower case, to see which stand on both sides.
    """

    vectors: NDArray[np.float16]
    texts: tuple[str, ...]

    @classmethod
    def of(cls, sentences: Sequence[tuple[str, TokenVectors]]) -> Tokens:
        """Join the tokens of neighbouring sentences, each given with the text it was read from."""
        return cls(
            np.concatenate([tokens.vectors for _, tokens in sentences]),
            tuple(
                text[start:end].lower()
                for text, tokens in sentences
                for start, end in zip(tokens.starts.tolist(), tokens.ends.tolist(), strict=True)
            ),
        )


@dataclass(frozen=True, slots=True, eq=False)
class TokenTags:
    """What the tagger says of a bead.

    Attributes
    ----------
    damaged : ndarray of shape (n_copy_tokens,), float32
        Probability in [0, 1] that the token is damaged.
    lost : ndarray of shape (n_source_tokens,), float32
        Probability in [0, 1] that what the token says is not in the copy.
    kinds : ndarray of shape (n_copy_tokens, n_kinds), float32
        Share in [0, 1] of each of `KINDS`, if it is damaged; rows sum to 1.
    drift : float
        Log-odds that meaning was changed or lost; not calibrated.
    points : float
        Expected error points.
    """

    damaged: NDArray[np.float32]
    lost: NDArray[np.float32]
    kinds: NDArray[np.float32]
    drift: float
    points: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TaggerConfig:
    """What `config.json` beside the weights says.

    Attributes
    ----------
    schema : int
    version : str
        Version of `detector` that trained it.
    shape : mapping
        Arguments of `tagger_network.Shape`.
    weights : str
        SHA-256 of the weights' file.
    encoder : EncoderIdentity
        Whose token vectors it reads.
    thresholds : (float, float)
        Probabilities from which a copy token counts as damaged and a source token as lost.
    training : mapping
        Seed, corpora and figures, as JSON; nothing reads it back.
    """

    schema: int
    version: str
    shape: dict[str, int]
    weights: str
    encoder: EncoderIdentity
    thresholds: tuple[float, float]
    training: dict[str, Any]

    def to_bytes(self) -> bytes:
        """Return `config.json`: UTF-8 with sorted keys."""
        text = json.dumps(asdict(self), indent=1, sort_keys=True, ensure_ascii=False)
        return (text + "\n").encode("utf-8")


class Tagger:
    """A trained network, ready to tag beads.

    Parameters
    ----------
    network : PairNetwork
    config : TaggerConfig
    """

    def __init__(self, network: PairNetwork, config: TaggerConfig) -> None:
        self.network = network.eval()
        self.config = config

    def tag(self, beads: Sequence[tuple[Tokens, Tokens]]) -> list[TokenTags]:
        """Tag beads.

        Parameters
        ----------
        beads : sequence of (Tokens, Tokens)
            Source and copy.

        Returns
        -------
        list of TokenTags
            In the order of `beads`. A bead whose two sides hold the same tokens has no damage.
        """
        import torch

        out: list[TokenTags | None] = [None] * len(beads)
        lengths = np.array([len(s.texts) + len(c.texts) + 3 for s, c in beads])
        with torch.inference_mode():
            for batch in batches(lengths, limit=_BATCH_TOKENS):
                read = self.network(*feed([beads[i] for i in batch]))
                for row, i in enumerate(batch.tolist()):
                    out[i] = _tags(read, row, *beads[i])
        return [tags for tags in out if tags is not None]


def feed(beads: Sequence[tuple[Tokens, Tokens]]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Lay out a batch of beads for `PairNetwork`: vectors, roles, cues and padding.

    A bead is: opening, source tokens, closing, copy tokens, closing.
    """
    import torch

    from detector.tagger_network import CLOSING, N_CUES, OPENING

    size = max(len(s.texts) + len(c.texts) + 3 for s, c in beads)
    dimension = beads[0][0].vectors.shape[1]
    vectors = np.zeros((len(beads), size, dimension), np.float32)
    roles = np.full((len(beads), size), CLOSING)
    cues = np.zeros((len(beads), size, N_CUES), np.float32)
    padding = np.ones((len(beads), size), np.bool_)
    roles[:, 0] = OPENING
    for row, (source, copy) in enumerate(beads):
        at_source, at_copy = places(source, copy)
        vectors[row, at_source], vectors[row, at_copy] = source.vectors, copy.vectors
        shared = set(source.texts) & set(copy.texts)
        roles[row, at_source] = [text in shared for text in source.texts]
        roles[row, at_copy] = [2 + (text in shared) for text in copy.texts]
        cosines = vectors[row, at_source] @ vectors[row, at_copy].T
        cues[row, at_source], cues[row, at_copy] = _cues(cosines), _cues(cosines.T)
        padding[row, : at_copy.stop + 1] = False
    laid = torch.from_numpy
    return laid(vectors), laid(roles), laid(cues), laid(padding)


def _cues(cosines: NDArray[np.float32]) -> NDArray[np.float32]:
    """Describe where the tokens of the rows stand to those of the columns."""
    if not cosines.size:
        return np.zeros((len(cosines), 3), np.float32)
    nearest = cosines.argmax(axis=1)
    far = 1.0 - cosines.max(axis=1)
    taken = cosines.argmax(axis=0)[nearest] != np.arange(len(cosines))
    return np.stack([far, 2.0 * far**2, taken], axis=1).astype(np.float32)


def places(source: Tokens, copy: Tokens) -> tuple[slice, slice]:
    """Say where the tokens of both sides stand in a row of `feed`."""
    middle = 1 + len(source.texts)
    return slice(1, middle), slice(middle + 1, middle + 1 + len(copy.texts))


def _tags(read: Any, row: int, source: Tokens, copy: Tokens) -> TokenTags:  # noqa: ANN401
    import torch

    at_source, at_copy = places(source, copy)
    same = source.texts == copy.texts
    sound = 0.0 if same else 1.0
    damaged = torch.sigmoid(read.damaged[row, at_copy]) * sound
    lost = torch.sigmoid(read.lost[row, at_source]) * sound
    return TokenTags(
        damaged=damaged.numpy(),
        lost=lost.numpy(),
        kinds=torch.softmax(read.kinds[row, at_copy], dim=-1).numpy(),
        drift=-_SURE if same else float(read.drift[row]),
        points=0.0 if same else max(0.0, float(torch.expm1(read.grades[row, 0]))),
    )


def load(folder: Path | None = None, *, encoder: EncoderIdentity) -> Tagger:
    """Read a tagger and make sure that it fits the encoder.

    Parameters
    ----------
    folder : Path, optional
        By default the one inside the package.
    encoder : EncoderIdentity
        Whose token vectors it is to read.

    Returns
    -------
    Tagger

    Raises
    ------
    BundleError
        When it is missing, damaged, of another schema or of another encoder.
    """
    from safetensors.torch import load as tensors_of

    from detector.tagger_network import PairNetwork, Shape

    folder = DEFAULT if folder is None else folder
    config = _read_config(folder / _CONFIG)
    check_encoder(config.encoder, encoder, folder=folder, what="tagger")
    path = folder / _WEIGHTS
    data = _read(path)
    found = hashlib.sha256(data).hexdigest()
    if found != config.weights:
        msg = f"{path}: SHA-256 is {found}, its config says {config.weights}; install it again"
        raise BundleError(msg)
    network = PairNetwork(Shape(**config.shape))
    try:
        network.load_state_dict({name: one.float() for name, one in tensors_of(data).items()})
    except (RuntimeError, ValueError) as err:
        msg = f"{path}: does not fit its config ({str(err).splitlines()[0]}); train it again"
        raise BundleError(msg) from err
    return Tagger(network, config)


def save(tagger: Tagger, folder: Path) -> TaggerConfig:
    """Write a tagger: weights as float16, and a config with their digest.

    Parameters
    ----------
    tagger : Tagger
        `config.weights` may be empty: it is filled in.
    folder : Path
        Made where it is absent.

    Returns
    -------
    TaggerConfig
        As written.
    """
    from safetensors.torch import save as bytes_of

    data = bytes_of({name: one.half() for name, one in tagger.network.state_dict().items()})
    config = replace(tagger.config, weights=hashlib.sha256(data).hexdigest())
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / _WEIGHTS, data)
    write_whole(folder / _CONFIG, config.to_bytes())
    return config


def _read_config(path: Path) -> TaggerConfig:
    data = _read(path)
    try:
        record = json.loads(data)
        schema = record["schema"]
        if schema == SCHEMA:
            damaged, lost = map(float, record["thresholds"])
            encoder = EncoderIdentity(**record["encoder"])
            return TaggerConfig(**{**record, "encoder": encoder, "thresholds": (damaged, lost)})
    except (ValueError, KeyError, TypeError) as err:
        msg = f"{path}: is no tagger config ({type(err).__name__}: {err}); train the tagger again"
        raise BundleError(msg) from err
    msg = f"{path}: has schema {schema!r}, this version reads {SCHEMA}; train the tagger again"
    raise BundleError(msg)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as err:
        msg = f"{path}: cannot be read ({err.strerror}); a tagger is {_CONFIG} and {_WEIGHTS}"
        raise BundleError(msg) from err
