"""`Tagger`: which tokens of a copy are damaged and which of its source are lost.

This module loads and saves a trained network and runs it over token vectors. It
trains nothing, and needs no torch where another backend runs the network.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector import model_files
from detector.encoder import EncoderIdentity, batches
from detector.errors import InputError
from detector.features.token_tags import (
    KINDS,
    Network,
    TaggerOutputs,
    Tokens,
    TokenTags,
    collate,
    places,
)
from detector.model_files import (
    CONFIG,
    check_encoder,
    check_tensors,
    json_bytes,
    read_file,
    read_tensors,
    sha256,
)
from detector.models.bundle_config import probability

SCHEMA = 2
"""Layout of the folder; another one is refused."""

_WHAT, _WEIGHTS = "a tagger", "tagger.safetensors"
_SIZES = {"dimension", "n_heads", "n_kinds", "n_layers", "width"}  # of a network
_MOST = 1 << 13  # for each of them
_BATCH_TOKENS = 512  # padded tokens of a batch; as in `encoder`, more is slower
_WINDOW = 512  # tokens of both sides; a longer bead is cut into overlapping windows
_MARGIN = 0.25  # context on either side of a window, as a share of its length
_SURE = 20.0  # log-odds of a bead without any difference


@dataclass(frozen=True, slots=True, kw_only=True)
class TaggerConfig:
    """What `config.json` beside the weights holds.

    `shape` has the arguments of `tagger_network.Shape`, `weights` the SHA-256 of their file.
    `calibration` is slope and intercept on the log-odds of damaged copy tokens, then of lost source
    tokens; `thresholds` are the probabilities from which a copy word counts as damaged and a source
    word as lost. From `edited` on, a post-editor is likely to change a copy word (for evaluation).
    """

    schema: int
    version: str
    shape: dict[str, int]
    weights: str
    encoder: EncoderIdentity
    calibration: tuple[tuple[float, float], tuple[float, float]]
    thresholds: tuple[float, float]
    edited: float
    training: dict[str, Any]

    @property
    def files(self) -> dict[str, str]:
        """SHA-256 of the other file of the folder."""
        return {_WEIGHTS: self.weights}

    def to_bytes(self) -> bytes:
        """Return the content of `config.json`."""
        return json_bytes(asdict(self))

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> TaggerConfig:
        """Read what `to_bytes` wrote, once parsed.

        Raises
        ------
        KeyError, TypeError, ValueError, AttributeError
            When a field is missing or of another type; `read_config` adds the file's name.
        """
        encoder = EncoderIdentity.from_dict(record["encoder"])
        shape = {str(name): int(size) for name, size in record["shape"].items()}
        wanted = {"dimension": encoder.dimension, "n_kinds": len(KINDS)}
        if (
            shape.keys() != _SIZES
            or not all(0 < size <= _MOST for size in shape.values())
            or not wanted.items() <= shape.items()
            or shape["dimension"] % shape["n_heads"]
        ):
            msg = f"shape is {shape}; give {wanted}, other sizes up to {_MOST}, heads that divide"
            raise ValueError(msg)
        (a, b), (c, d) = (map(float, side) for side in record["calibration"])
        if not math.isfinite(a + b + c + d):
            msg = f"calibration is {record['calibration']}; give finite numbers"
            raise ValueError(msg)
        damaged, lost = (probability(one, "thresholds") for one in record["thresholds"])
        known = {
            "version": str(record["version"]),
            "shape": shape,
            "weights": str(record["weights"]),
            "encoder": encoder,
            "calibration": ((a, b), (c, d)),
            "thresholds": (damaged, lost),
            "edited": probability(record["edited"], "edited"),
        }
        return cls(**{**record, **known})


class Tagger:
    """A trained network (in evaluation mode) and its config, ready to tag beads."""

    def __init__(self, network: Network, config: TaggerConfig) -> None:
        self.network = network
        self.config = config

    @property
    def digest(self) -> str:
        """SHA-256 of the config as saved, which holds that of the weights."""
        return sha256(self.config.to_bytes())

    def predict(self, beads: Sequence[tuple[Tokens, Tokens]]) -> list[TokenTags]:
        """Tag the tokens of beads, each given as source and copy.

        A bead whose two sides hold the same tokens has no damage. A bead of more than 512 tokens
        is cut into windows at the same share of both sides: its drift is the worst of theirs, its
        error points are their sum.
        """
        windows = [list(_windows(*bead)) for bead in beads]
        tags = iter(self._predict([window.bead for own in windows for window in own]))
        merged = [_merge([(window, next(tags)) for window in own]) for own in windows]
        return [
            _sound(source, copy) if source.texts == copy.texts else own
            for (source, copy), own in zip(beads, merged, strict=True)
        ]

    def _predict(self, beads: Sequence[tuple[Tokens, Tokens]]) -> list[TokenTags]:
        out: dict[int, TokenTags] = {}
        lengths = np.array([len(s) + len(c) + 3 for s, c in beads])
        for batch in batches(lengths, limit=_BATCH_TOKENS):
            outputs = self.network.predict(collate([beads[i] for i in batch]))
            for row, i in enumerate(batch.tolist()):
                out[i] = self._tags(outputs, row, *beads[i])
        return [out[i] for i in range(len(beads))]

    def _tags(
        self, outputs: TaggerOutputs[NDArray[np.float32]], row: int, source: Tokens, copy: Tokens
    ) -> TokenTags:
        at_source, at_copy = places(source, copy)
        damaged, lost = (
            _probability(odds.astype(np.float64), calibration)
            for odds, calibration in zip(
                (outputs.damaged[row, at_copy], outputs.lost[row, at_source]),
                self.config.calibration,
                strict=True,
            )
        )
        return TokenTags(
            damaged=damaged,
            lost=lost,
            kinds=_softmax(outputs.kinds[row, at_copy].astype(np.float64)),
            drift=float(outputs.drift[row]),
            points=max(0.0, float(np.expm1(outputs.grades[row, 0]))),
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Window:
    """A part of a bead, and the slices of its tokens whose tags are kept."""

    bead: tuple[Tokens, Tokens]
    source: slice
    copy: slice


def _windows(source: Tokens, copy: Tokens) -> Iterator[_Window]:
    n = -(-(len(source) + len(copy)) // _WINDOW) or 1
    for at in range(n):
        cuts = []
        for side in (source, copy):
            size = len(side) / n
            start, end = round(at * size), round((at + 1) * size)
            low = max(0, math.floor(start - _MARGIN * size))
            high = min(len(side), math.ceil(end + _MARGIN * size))
            cuts.append((side[low:high], slice(start - low, end - low)))
        yield _Window((cuts[0][0], cuts[1][0]), cuts[0][1], cuts[1][1])


def _merge(windows: Sequence[tuple[_Window, TokenTags]]) -> TokenTags:
    return TokenTags(
        damaged=np.concatenate([tags.damaged[window.copy] for window, tags in windows]),
        lost=np.concatenate([tags.lost[window.source] for window, tags in windows]),
        kinds=np.concatenate([tags.kinds[window.copy] for window, tags in windows]),
        drift=max(tags.drift for _, tags in windows),
        points=sum(tags.points for _, tags in windows),
    )


def _sound(source: Tokens, copy: Tokens) -> TokenTags:
    kinds = np.full((len(copy), len(KINDS)), 1.0 / len(KINDS))
    return TokenTags(np.zeros(len(copy)), np.zeros(len(source)), kinds, -_SURE, 0.0)


def _probability(
    odds: NDArray[np.float64], calibration: tuple[float, float]
) -> NDArray[np.float64]:
    slope, intercept = calibration
    probability: NDArray[np.float64] = 0.5 * (1.0 + np.tanh(0.5 * (slope * odds + intercept)))
    return probability


def _softmax(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    shares: NDArray[np.float64] = powers / powers.sum(axis=-1, keepdims=True)
    return shares


def load(folder: Path, *, encoder: EncoderIdentity) -> Tagger:
    """Load a tagger.

    Raises
    ------
    BundleError
        When it is missing, damaged, of another schema or of another encoder.
    """
    import torch

    from detector.models.tagger_network import PairNetwork, Shape

    config = read_config(folder / CONFIG)
    check_encoder(config.encoder, encoder, folder=folder, what="tagger")
    path = folder / _WEIGHTS
    data = read_file(path, "train or install it again", digest=config.weights)
    _, tensors = read_tensors(data, str(path))
    with torch.device("meta"):  # shapes alone
        network = PairNetwork(Shape(**config.shape))
    wanted = {
        name: " ".join(("float16", *map(str, one.shape)))
        for name, one in network.state_dict().items()
    }
    check_tensors(tensors, wanted, str(path))
    weights = {name: torch.from_numpy(one.astype(np.float32)) for name, one in tensors.items()}
    network.load_state_dict(weights, assign=True)
    return Tagger(network.eval(), config)


def check_out(folder: Path) -> None:
    """Raise `InputError` unless `save` may write there: nothing, or a tagger as it was saved."""
    model_files.check_out(folder, _read_folder, _WHAT)


def save(tagger: Tagger, folder: Path) -> TaggerConfig:
    """Write a tagger, whole or not at all, and return its config with the digest of the weights.

    Raises
    ------
    InputError
        When its network is no `PairNetwork`, or `check_out` refuses the folder.
    """
    files = to_files(tagger)
    model_files.replace_folder(folder, files, _read_folder, _WHAT)
    return replace(tagger.config, weights=sha256(files[_WEIGHTS]))


def to_files(tagger: Tagger) -> dict[str, bytes]:
    """Return the files of a tagger's folder: weights as float16, and its config."""
    from safetensors.torch import save as bytes_of

    from detector.models.tagger_network import PairNetwork

    if not isinstance(tagger.network, PairNetwork):
        msg = f"the tagger's network is a {type(tagger.network).__name__}; save a PairNetwork"
        raise InputError(msg)
    data = bytes_of({name: tensor.half() for name, tensor in tagger.network.state_dict().items()})
    return {_WEIGHTS: data, CONFIG: replace(tagger.config, weights=sha256(data)).to_bytes()}


def read_config(path: Path) -> TaggerConfig:
    """Read a tagger's config; raise `BundleError` when it is missing, damaged or too old."""
    return model_files.read_config(
        path, TaggerConfig.from_record, schema=SCHEMA, what=_WHAT, mend="`detector train tagger`"
    )


def _read_folder(folder: Path) -> TaggerConfig:
    return read_config(folder / CONFIG)
