"""Compute and cache the features of labelled pairs; fit the adjacency classifier.

The features are computed by the code that scores a report. A stopped run continues from its cache.
"""

from __future__ import annotations

import ast
import hashlib
import io
import logging
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import detector
from detector.encoder import Encoder
from detector.features.adjacency import Vectors, intact, width
from detector.features.evidence import BeadEvidence, gather_pairs
from detector.features.features import NAMES, matrix
from detector.features.token_tags import TAG_FEATURES, Tokens, TokenTags, tag_matrix
from detector.models.adjacency import AdjacencyClassifier
from detector.models.tagger import Tagger
from detector.text.files import write_whole
from detector.text.words import WordAlignment
from detector.training.data.corpus import Pair, seen_by_tagger

logger = logging.getLogger(__name__)

_PART = 1024  # pairs between two writes
_DIGITS = 32  # hexadecimal digits of a pair's key


@dataclass(frozen=True, slots=True)
class Readers:
    """Models whose predictions are features of others."""

    joins: AdjacencyClassifier | None = None
    tagger: Tagger | None = None


def measure(
    pairs: Sequence[Pair],
    encoder: Encoder,
    *,
    readers: Readers = Readers(),
    cache: Path | None = None,
    progress: Callable[[int], object] | None = None,
) -> NDArray[np.float64]:
    """Compute the features of every pair, each distinct pair once.

    Parameters
    ----------
    pairs : sequence of Pair
    encoder : Encoder
    readers : Readers
    cache : Path, optional
        Folder of computed features; rows made by the same code and encoder are reused.
    progress : callable, optional
        Called with the number of distinct pairs done since its last call.

    Returns
    -------
    ndarray of shape (n_pairs, n_features) or (n_pairs, n_features + n_tag_features), float64
        In the order of `pairs`; columns as in `features.FEATURES`, NaN where not computable; with
        a tagger then those of `TAG_FEATURES`, NaN for pairs that it was fitted on.
    """
    keys = [_key(pair) for pair in pairs]
    wanted = dict(zip(keys, pairs, strict=True))
    state = _state(encoder, readers)
    known = _read(cache, state) if cache is not None else {}
    joins, tagger = readers.joins, readers.tagger
    broken = None if joins is None else joins.predictor()
    done = wanted.keys() & known.keys()
    if progress is not None:
        progress(len(done))
    # Minimal pairs side by side: the sentence they share is encoded once a batch.
    missing = sorted(wanted.keys() - done, key=lambda k: (len(wanted[k].source), wanted[k].source))
    for start in range(0, len(missing), _PART):
        part = missing[start : start + _PART]
        texts = [(wanted[key].source, wanted[key].copy) for key in part]
        beads = list(gather_pairs(texts, encoder, adjacency=broken))
        rows = matrix(beads)
        if tagger is not None:
            rows = np.hstack([rows, _tagged(tagger, [wanted[key] for key in part], beads)])
        known.update(zip(part, rows, strict=True))
        if cache is not None:
            _write(cache, state, part, rows)
        if progress is not None:
            progress(len(part))
    if not keys:
        return np.zeros((0, len(NAMES) + (0 if tagger is None else len(TAG_FEATURES))))
    return np.stack([known[key] for key in keys])


def tag_unseen(
    tagger: Tagger | None, pairs: Sequence[Pair], beads: Sequence[BeadEvidence]
) -> dict[int, tuple[tuple[Tokens, Tokens], TokenTags]]:
    """Tag the pairs that a tagger was not fitted on.

    Returns
    -------
    dict of int to (tokens, TokenTags)
        By row of `pairs`: source and copy tokens, and their tags.
    """
    if tagger is None:
        return {}
    tokens = {
        row: both
        for row, (pair, bead) in enumerate(zip(pairs, beads, strict=True))
        if not seen_by_tagger(pair) and (both := bead.tokens) is not None
    }
    tags = tagger.predict(list(tokens.values()))
    return {row: (both, one) for (row, both), one in zip(tokens.items(), tags, strict=True)}


def _tagged(
    tagger: Tagger, pairs: Sequence[Pair], beads: Sequence[BeadEvidence]
) -> NDArray[np.float64]:
    out = np.full((len(beads), len(TAG_FEATURES)), np.nan)
    unseen = tag_unseen(tagger, pairs, beads)
    out[list(unseen)] = tag_matrix([tags for _, tags in unseen.values()])
    return out


def _key(pair: Pair) -> str:
    text = f"{pair.source}\x1f{pair.copy}".encode("utf-8", "replace")
    return hashlib.sha256(text).hexdigest()[:_DIGITS]


def _state(encoder: Encoder, readers: Readers) -> str:
    """Return a digest of everything that the features depend on besides the texts."""
    digest = hashlib.sha256(repr(sorted(encoder.identity.to_dict().items())).encode())
    for array in [] if readers.joins is None else readers.joins.weights_:
        digest.update(array.tobytes())
    if readers.tagger is not None:
        digest.update(readers.tagger.digest.encode())
    for path in _sources():
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _sources() -> list[Path]:
    """List the files that the features depend on: imported modules of the package, and lexica."""
    root = Path(detector.__file__).parent
    found: set[Path] = set()
    ahead = [
        "detector.features.features",
        "detector.features.evidence",
        "detector.encoder",
        "detector.models.tagger",
    ]
    while ahead:
        place = root.joinpath(*ahead.pop().split(".")[1:])
        for path in (place.with_suffix(".py"), place / "__init__.py"):
            if path.is_file() and path not in found and path != root / "__init__.py":
                found.add(path)
                ahead += _imported(path)
    return sorted(found) + sorted((root / "lexica").glob("*.tsv"))


def _imported(path: Path) -> Iterator[str]:
    """Yield what a file imports of the package, names of modules among others."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("detector."))
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("detector"):
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _read(cache: Path, state: str) -> dict[str, NDArray[np.float64]]:
    known: dict[str, NDArray[np.float64]] = {}
    for path in _parts(cache, state):
        try:
            # Through memory: numpy leaves a file open that turns out to be damaged.
            with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as part:
                known.update(zip(part["keys"].tolist(), part["rows"], strict=True))
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as err:
            logger.warning("%s: not read (%s); its pairs are measured again", path.name, err)
    return known


def _parts(cache: Path, state: str) -> Iterator[Path]:
    yield from sorted(cache.glob(f"{state}-*.npz"))


def _write(cache: Path, state: str, keys: Sequence[str], rows: NDArray[np.float64]) -> None:
    cache.mkdir(parents=True, exist_ok=True)
    name = hashlib.sha256("".join(keys).encode()).hexdigest()[:16]
    stream = io.BytesIO()
    np.savez(stream, keys=np.array(keys, dtype=f"U{_DIGITS}"), rows=rows)
    write_whole(cache / f"{state}-{name}.npz", stream.getvalue())


_SHARE = 2  # the minimal pairs of one group in 2 are for the adjacency classifier


def lends_joins(pair: Pair) -> bool:
    """Tell whether only the adjacency classifier is fitted on a pair."""
    return pair.corpus == "contrast" and int(pair.group[8:12], 16) % _SHARE == 0


def labelled_joins(
    pairs: Sequence[Pair], encoder: Encoder, *, progress: Callable[[int], object] | None = None
) -> tuple[Vectors, NDArray[np.bool_]]:
    """Describe the adjacencies of minimal pairs, and label the incoherent ones.

    Every adjacency of a damaged copy that touches a difference to its base is incoherent. Minimal
    pairs without their base are skipped.

    Returns
    -------
    (ndarray of shape (n_rows, n_inputs), float16, ndarray of shape (n_rows,), bool)
        Without the adjacencies that are intact by rule.
    """
    bases = {pair.twin: pair for pair in pairs if pair.kind == "base"}
    usable = [pair for pair in pairs if pair.twin in bases]
    sound: dict[str, list[str]] = {}
    rows: list[NDArray[np.float16]] = []
    broken: list[NDArray[np.bool_]] = []
    # Bases first, so that each changed copy finds its own.
    ordered = sorted(usable, key=lambda pair: pair.kind != "base")
    for pair, (links, described) in zip(ordered, _described(ordered, encoder), strict=True):
        norms = [word.norm for word in links.copy]
        if pair.kind == "base":
            sound[pair.twin] = norms
        label = np.zeros(len(norms) + 1, np.bool_)
        if pair.label is not False:
            label = _touched(sound[pair.twin], norms)
        if len(described):
            rows.append(described.astype(np.float16))
            broken.append(label[~intact(links)])
        if progress is not None:
            progress(1)
    if not rows:
        return np.zeros((0, width(encoder.identity.dimension)), np.float16), np.zeros(0, np.bool_)
    return np.concatenate(rows), np.concatenate(broken)


def _described(pairs: Sequence[Pair], encoder: Encoder) -> Iterator[tuple[WordAlignment, Vectors]]:
    """Yield the words of each pair, and the rows of its adjacencies not intact by rule."""
    caught: list[Vectors] = []

    def keep(rows: Vectors) -> NDArray[np.float64]:
        caught.append(rows)
        return np.zeros(len(rows))

    none = np.zeros((0, width(encoder.identity.dimension)), np.float32)
    for bead in gather_pairs(((p.source, p.copy) for p in pairs), encoder, adjacency=keep):
        yield bead.words, caught.pop() if caught else none


def _touched(sound: Sequence[str], changed: Sequence[str]) -> NDArray[np.bool_]:
    """Mark the adjacencies of a changed copy that touch a difference to its base."""
    out = np.zeros(len(changed) + 1, np.bool_)
    for tag, _, _, start, stop in SequenceMatcher(
        None, sound, changed, autojunk=False
    ).get_opcodes():
        if tag != "equal":
            out[start : stop + 1] = True
    return out


def fit_joins(
    pairs: Sequence[Pair],
    encoder: Encoder,
    *,
    seed: int = 0,
    progress: Callable[[int], object] | None = None,
) -> AdjacencyClassifier | None:
    """Fit the adjacency classifier; None where its minimal pairs do not hold both labels."""
    rows, broken = labelled_joins([p for p in pairs if lends_joins(p)], encoder, progress=progress)
    if len(set(broken.tolist())) < 2:
        return None
    return AdjacencyClassifier(random_state=seed).fit(rows, broken)
