"""`Tagger`: which tokens of a copy are damaged and which of its source are lost.

`Tagger`: which tokens of a copy are damaged, and which of its source are lost.

This room reads a trained network from disk, checks its digest, and puts token vectors that
`encode` made through it. It splits no text, knows no word, and trains nothing.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.encoder import EncoderIdentity, batches, check_encoder
from detector.errors import BundleError, InputError
from detector.features.token_tags import KINDS, Tokens, TokenTags
from detector.models.tagger_network import Network, TaggerOutputs, collate, places
from detector.text.files import write_whole

SCHEMA = 2
"""Layout of the folder; another one is refused."""

_CONFIG, _WEIGHTS = "config.json", "tagger.safetensors"
_BATCH_TOKENS = 512  # padded tokens of a batch; as in `batching`, more is slower
_WINDOW = 512  # tokens of both sides read together; a longer bead is read in parts
_MARGIN = 0.25  # of a part's length, read on either side of it and not reported
_SURE = 20.0  # log-odds that stand for certainty


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
    calibration : ((float, float), (float, float))
        Slope and intercept that make probabilities of the log-odds of damaged copy tokens, then
        of lost source tokens.
    thresholds : (float, float)
        Probabilities from which a copy word counts as damaged and a source word as lost.
    edited : float
        Probability from which a post-editor is likeliest to change a copy word; only evaluation
        reads it.
    training : mapping
        Seed, corpora and figures, as JSON; nothing reads it back.
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

    def to_bytes(self) -> bytes:
        """Return `config.json`: UTF-8 with sorted keys."""
        text = json.dumps(asdict(self), indent=1, sort_keys=True, ensure_ascii=False)
        return (text + "\n").encode("utf-8")


class Tagger:
    """A trained network, ready to tag beads.

    Parameters
    ----------
    network : Network
        A `PairNetwork` in evaluation mode, or the like.
    config : TaggerConfig
    """

    def __init__(self, network: Network, config: TaggerConfig) -> None:
        self.network = network
        self.config = config

    @property
    def digest(self) -> str:
        """SHA-256 of the config as saved, which holds that of the weights."""
        return hashlib.sha256(self.config.to_bytes()).hexdigest()

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

        Notes
        -----
        A bead of more than 512 tokens is read in windows that lie at the same share of both
        sides. Its probabilities are those of the windows, its drift is the worst of theirs, its
        points are their sum.
        """
        parts: list[_Part] = []
        windows: list[list[_Part]] = []
        for source, copy in beads:
            mine = list(_parts(source, copy))
            windows.append(mine)
            parts += mine
        read = dict(zip(map(id, parts), self._read([p.bead for p in parts]), strict=True))
        return [
            _joined([(part, read[id(part)]) for part in mine])
            if bead[0].texts != bead[1].texts
            else _sound(*bead)
            for bead, mine in zip(beads, windows, strict=True)
        ]

    def _read(self, beads: Sequence[tuple[Tokens, Tokens]]) -> list[TokenTags]:
        out: list[TokenTags | None] = [None] * len(beads)
        lengths = np.array([len(s) + len(c) + 3 for s, c in beads])
        for batch in batches(lengths, limit=_BATCH_TOKENS):
            read = self.network.read(collate([beads[i] for i in batch]))
            for row, i in enumerate(batch.tolist()):
                out[i] = self._tags(read, row, *beads[i])
        return [tags for tags in out if tags is not None]

    def _tags(
        self, read: TaggerOutputs[NDArray[np.float32]], row: int, source: Tokens, copy: Tokens
    ) -> TokenTags:
        at_source, at_copy = places(source, copy)
        damaged, lost = (
            _probability(odds.astype(np.float64), calibration)
            for odds, calibration in zip(
                (read.damaged[row, at_copy], read.lost[row, at_source]),
                self.config.calibration,
                strict=True,
            )
        )
        return TokenTags(
            damaged=damaged,
            lost=lost,
            kinds=_shares(read.kinds[row, at_copy].astype(np.float64)),
            drift=float(read.drift[row]),
            points=max(0.0, float(np.expm1(read.grades[row, 0]))),
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """One window of a bead, and which of its tokens are reported from it."""

    bead: tuple[Tokens, Tokens]
    source: slice
    copy: slice


def _parts(source: Tokens, copy: Tokens) -> Iterator[_Part]:
    """Cut a bead into windows that overlap."""
    n = -(-(len(source) + len(copy)) // _WINDOW) or 1
    for at in range(n):
        cuts = []
        for side in (source, copy):
            size = len(side) / n
            start, end = round(at * size), round((at + 1) * size)
            low = max(0, math.floor(start - _MARGIN * size))
            high = min(len(side), math.ceil(end + _MARGIN * size))
            cuts.append((side[low:high], slice(start - low, end - low)))
        yield _Part((cuts[0][0], cuts[1][0]), cuts[0][1], cuts[1][1])


def _joined(parts: Sequence[tuple[_Part, TokenTags]]) -> TokenTags:
    return TokenTags(
        damaged=np.concatenate([tags.damaged[part.copy] for part, tags in parts]),
        lost=np.concatenate([tags.lost[part.source] for part, tags in parts]),
        kinds=np.concatenate([tags.kinds[part.copy] for part, tags in parts]),
        drift=max(tags.drift for _, tags in parts),
        points=sum(tags.points for _, tags in parts),
    )


def _sound(source: Tokens, copy: Tokens) -> TokenTags:
    """Return the tags of a copy that holds the same tokens as its source."""
    kinds = np.full((len(copy), len(KINDS)), 1.0 / len(KINDS))
    return TokenTags(np.zeros(len(copy)), np.zeros(len(source)), kinds, -_SURE, 0.0)


def _probability(
    odds: NDArray[np.float64], calibration: tuple[float, float]
) -> NDArray[np.float64]:
    slope, intercept = calibration
    probability: NDArray[np.float64] = 0.5 * (1.0 + np.tanh(0.5 * (slope * odds + intercept)))
    return probability


def _shares(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    shares: NDArray[np.float64] = powers / powers.sum(axis=-1, keepdims=True)
    return shares


def load(folder: Path, *, encoder: EncoderIdentity) -> Tagger:
    """Read a tagger and make sure that it fits the encoder.

    Parameters
    ----------
    folder : Path
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

    from detector.models.tagger_network import PairNetwork, Shape

    config = read_config(folder / _CONFIG)
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
    return Tagger(network.eval(), config)


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

    Raises
    ------
    InputError
        When its network is none of torch's.
    """
    from safetensors.torch import save as bytes_of

    from detector.models.tagger_network import PairNetwork

    if not isinstance(tagger.network, PairNetwork):
        msg = f"the tagger's network is a {type(tagger.network).__name__}; save a PairNetwork"
        raise InputError(msg)
    data = bytes_of({name: one.half() for name, one in tagger.network.state_dict().items()})
    config = replace(tagger.config, weights=hashlib.sha256(data).hexdigest())
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / _WEIGHTS, data)
    write_whole(folder / _CONFIG, config.to_bytes())
    return config


def read_config(path: Path) -> TaggerConfig:
    """Read a tagger's config alone.

    Raises
    ------
    BundleError
        When it is missing, damaged or of another schema.
    """
    data = _read(path)
    try:
        record = json.loads(data)
        schema = record["schema"]
        if schema == SCHEMA:
            damaged, lost = map(float, record["thresholds"])
            (a, b), (c, d) = (map(float, one) for one in record["calibration"])
            read = {
                "encoder": EncoderIdentity(**record["encoder"]),
                "thresholds": (damaged, lost),
                "calibration": ((a, b), (c, d)),
                "edited": float(record["edited"]),
            }
            return TaggerConfig(**{**record, **read})
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
