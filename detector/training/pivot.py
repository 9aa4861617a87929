"""Fit and calibrate the pivot model.

What turns scores of edits into a posterior of a document, and when that is worth a name.

Arrays in, arrays out; it knows no feature and no table.

Runs of the pivot model: rows to a fitted, calibrated model; whole systems held apart.

Brings the other rooms together in order; prints nothing and reads no table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector import __version__
from detector.encoder import EncoderIdentity
from detector.errors import InputError
from detector.pivot.edits import Net
from detector.pivot.languages import FAMILY
from detector.pivot.model import N_MANNER, N_VIEWS, PivotModel, Tally
from detector.pivot.posterior import Calibration, nearnesses, posteriors
from detector.training.pivot_data import FOLDS, FeatureCounts, Rows, named_groups
from detector.training.pivot_weights import (
    Descent,
    EditView,
    KeptView,
    NetDescent,
    View,
    Weights,
    alike,
    fit_net,
    fit_weights,
    joined,
    pack,
    put_together,
)

Floats = NDArray[np.float64]

_SHARED = 0.3  # share of the scatter of translators that is taken to be alike in all directions
_DIRECT = 0.375  # see `Calibration.direct`
_SURE = 0.9999  # a posterior that every document is named from
_FAR = 0.05  # share of documents of known languages that are too far off to be named
_DIAGONAL = 0.1  # share of the scatter of edits that is taken to be of no direction


@dataclass(frozen=True, slots=True, eq=False)
class Tallies:
    """Documents, as a fit of the calibration sees them.

    Attributes
    ----------
    place : ndarray of shape (n, D), float64
        `Tally.place` of each.
    edits : ndarray of shape (n,), float64
    language : ndarray of shape (n,), int64
        What each went through; -1 for none of those known.
    system, variant : ndarray of shape (n,), object
        Family of translators, and the translator with the corpus.
    sentences : ndarray of shape (n,), int64
        How long each is.
    """

    place: Floats
    edits: Floats
    language: NDArray[np.int64]
    system: NDArray[Any]
    variant: NDArray[Any]
    sentences: NDArray[np.int64]

    def of(self, at: NDArray[Any]) -> Tallies:
        """Return some of the documents."""
        return Tallies(*(getattr(self, name)[at] for name in self.__slots__))

    @classmethod
    def none(cls, k: int) -> Tallies:
        """Return no document of `k` languages."""
        names = np.zeros(0, object)
        numbers = np.zeros(0, np.int64)
        return cls(
            np.zeros((0, N_VIEWS * k + N_MANNER)), np.zeros(0), numbers, names, names, numbers
        )

    @classmethod
    def joined(cls, parts: list[Tallies]) -> Tallies:
        """Put several lots of documents together."""
        return cls(*(np.concatenate([getattr(p, n) for p in parts]) for n in cls.__slots__))


def calibrate(documents: Tallies) -> Calibration:
    """Fit the calibration on documents of systems and sentences that the weights have not seen.

    Parameters
    ----------
    documents : Tallies

    Returns
    -------
    Calibration
        Each system counts alike.

    Notes
    -----
    Linear discriminant analysis with two scatters, as in speaker recognition (Prince and Elder,
    2007): languages differ in their means; translators of one language differ by `between`,
    however long a document is, and draws of edits of one translator by `within`, which shrinks
    with their number. What merely tells good translators from bad ones is thus discounted. Of so
    few translators the scatters are not known well, so tails are heavy; see `Calibration.line`.
    """
    n, size = documents.place.shape
    k = (size - N_MANNER) // N_VIEWS
    missing = sorted(set(range(k)) - set(documents.language.tolist()))
    if missing:
        msg = f"no document of {len(missing)} of the languages to calibrate on; leave those out"
        raise InputError(msg)
    centre, scale = documents.place.mean(axis=0), documents.place.std(axis=0) + 1e-9
    scale[:k] = np.sqrt((scale[:k] ** 2).mean())  # scores of all languages have one unit
    place = (documents.place - centre) / scale
    names = named_groups(documents.language, documents.variant)
    _, first, group = np.unique(names, return_index=True, return_inverse=True)
    language = documents.language[first]
    mass = np.bincount(group, weights=documents.edits)
    middle = np.stack(
        [np.bincount(group, weights=documents.edits * one) / mass for one in place.T], axis=1
    )
    means = np.stack([middle[language == code].mean(axis=0) for code in range(k)])
    apart = middle - means[language]
    between = apart.T @ apart / max(1, len(middle) - k)
    between = (1 - _SHARED) * between + _SHARED * np.eye(size) * np.trace(between) / size
    drawn = (place - middle[group]) * np.sqrt(documents.edits)[:, None]
    within = drawn.T @ drawn / n
    within = (1 - _DIAGONAL) * within + _DIAGONAL * np.diag(np.diag(within))
    of_language = np.stack([place[documents.language == code].mean(axis=0) for code in range(k)])
    cold = Calibration(
        centre=centre,
        scale=scale,
        means=means,
        between=between,
        within=within,
        even=of_language[:, :k].mean(axis=0),
        direct=_DIRECT,
        free=float(max(1, len(middle) - k - size + 1)),
        heat=1.0,
        near=0.0,
    )
    return replace(cold, heat=_heat(cold, documents))


def _heat(cold: Calibration, documents: Tallies) -> float:
    """Find the factor of the log-odds that makes the posteriors likeliest, systems alike."""
    from scipy.optimize import minimize_scalar

    odds = np.log(np.maximum(posteriors(cold, documents.place, documents.edits), 1e-300))
    mass = _alike(documents.system)
    own = (np.arange(len(odds)), documents.language)

    def loss(log_heat: float) -> float:
        z = odds * np.exp(log_heat)
        z -= z.max(axis=1, keepdims=True)
        return -float(mass @ (z[own] - np.log(np.exp(z).sum(axis=1))))

    return float(np.exp(minimize_scalar(loss, bounds=(-4.0, 1.0), method="bounded").x))


def settle(
    documents: Tallies, *, right: float, sizes: tuple[int, ...]
) -> tuple[Calibration, float]:
    """Fit the calibration; choose heat, nearness and threshold on systems a fit has not seen.

    Parameters
    ----------
    documents : Tallies
    right : float
        Share in [0, 1] of what is named that is to be right, whichever of `sizes` a document has.
    sizes : tuple of int
        Sentences of the documents that the threshold is chosen on; all where none has that many.

    Returns
    -------
    (Calibration, float)
        The calibration, and the posterior from which a language is named.
    """
    heats, parts = [], []
    systems = np.unique(documents.system.astype(str)).tolist()
    for system in systems if len(systems) > 1 else ():
        mine = documents.system == system
        others = documents.of(np.flatnonzero(~mine))
        unseen = documents.of(np.flatnonzero(mine & np.isin(documents.language, others.language)))
        if set(others.language) != set(documents.language):
            continue  # a language that this system alone translates
        calibration = replace(calibrate(others), heat=1.0)
        heats.append(_heat(calibration, unseen))
        parts.append((calibration, unseen))
    whole = calibrate(documents)
    if not parts:
        parts, heats = [(whole, documents)], [whole.heat]
    heat = float(np.exp(np.mean(np.log(heats))))
    seen = Tallies.joined([unseen for _, unseen in parts])
    asked = np.flatnonzero(np.isin(seen.sentences, sizes))
    asked = asked if len(asked) else np.arange(len(seen.language))
    nearness = np.concatenate([nearnesses(c, one.place, one.edits) for c, one in parts])[asked]
    near = float(np.quantile(nearness, _FAR))
    posterior = np.concatenate(
        [posteriors(replace(c, heat=heat), one.place, one.edits) for c, one in parts]
    )[asked]
    close = nearness >= near
    of_size = [close & (seen.sentences[asked] == size) for size in sizes]
    threshold = max(
        choose_threshold(posterior[one], seen.of(asked[one]), right=right)
        for one in ([one for one in of_size if one.any()] or [close])
    )
    return replace(whole, heat=heat, near=near), threshold


def choose_threshold(posterior: Floats, documents: Tallies, *, right: float) -> float:
    """Return the least posterior from which what is named is right often enough.

    Parameters
    ----------
    posterior : ndarray of shape (n, K), float64
    documents : Tallies
        Of systems and sentences that nothing was fitted on.
    right : float
        Share in [0, 1] of what is named that is to be right, each system counting alike.

    Returns
    -------
    float
        In [0, 1]; 1 where no threshold gives that.
    """
    top, hit = posterior.max(axis=1), posterior.argmax(axis=1) == documents.language
    mass = _alike(documents.system)
    order = np.argsort(-top, kind="stable")
    share = np.cumsum((mass * hit)[order]) / np.cumsum(mass[order])
    enough = np.flatnonzero(share >= right)
    return min(float(np.floor(top[order][enough[-1]] * 1e4) / 1e4), _SURE) if len(enough) else 1.0


def _alike(system: NDArray[Any]) -> Floats:
    _, at, count = np.unique(system.astype(str), return_inverse=True, return_counts=True)
    mass: Floats = 1.0 / (count[at] * len(count))
    return mass


LANGUAGES = (
    "ar", "bg", "bn", "cs", "da", "de", "el", "es", "et", "fa", "fi", "fr", "he", "hi",
    "hr", "hu", "id", "it", "ja", "ko", "lt", "lv", "nb", "nl", "pl", "pt", "ro", "ru", "sk",
    "sl", "sv", "ta", "th", "tr", "uk", "vi", "zh",
)  # fmt: skip
"""Pivots of the shipped model: those of the tables that three systems or more translate, without
small ones and without near doubles (Bosnian and Serbian beside Croatian, Malay beside Indonesian,
Galician and Catalan beside Portuguese and Spanish)."""

_PAIRS = 2048  # that a net reads at a time
_MIN_SYSTEMS = 2  # a system is held apart only where others are left


@dataclass(frozen=True, slots=True, kw_only=True)
class PivotSettings:
    """How the model is fitted.

    Attributes
    ----------
    languages : tuple of str
    edits, kept : Descent
        Of the weights of the features of edits, and of kept words.
    edit_net, kept_net : NetDescent
        Of the net over the vectors of edits, and of that over kept words.
    turns : int
        Shares of the sentences that are held apart in turn.
    sizes : tuple of int
        Sentences of the documents that the calibration sees.
    documents : int
        Of each language, system, size and turn.
    right : float
        Share of what is named that is to be right, in [0, 1].
    named_at : tuple of int
        Sizes of the documents that the threshold is chosen on.
    most : int
        Features of edits that the model has at most.
    seed : int
        Of the draw of documents.
    """

    languages: tuple[str, ...] = LANGUAGES
    edits: Descent = field(default_factory=Descent)
    kept: Descent = field(default_factory=partial(Descent, together=2))
    edit_net: NetDescent = field(default_factory=NetDescent)
    kept_net: NetDescent = field(
        default_factory=partial(NetDescent, hidden=64, steps=600, together=2)
    )
    turns: int = 3
    sizes: tuple[int, ...] = (10, 20, 30, 50, 100)
    documents: int = 3
    right: float = 0.94
    named_at: tuple[int, ...] = (20, 30, 50, 100)
    most: int = 120_000
    seed: int = 0


def train_pivot(
    rows: Rows,
    settings: PivotSettings,
    *,
    encoder: EncoderIdentity,
    tables: dict[str, str] | None = None,
    progress: Callable[[int], object] | None = None,
) -> PivotModel:
    """Fit the weights on everything, and the calibration on systems and sentences held apart.

    Parameters
    ----------
    rows : Rows
    settings : PivotSettings
    encoder : EncoderIdentity
        Whose vectors the rows hold.
    tables : dict of str to str, optional
        Digests of the tables read.
    progress : callable, optional
        Told how many documents were seen; `documents_seen` says how many there will be.

    Returns
    -------
    PivotModel
    """
    folds = tuple(range(FOLDS))
    parts = []
    for system in systems_of(rows):
        others, own = rows.system != system, rows.system == system
        parts.append(crossed(rows, settings, folds, on=(others, own), progress=progress)[1])
    documents = Tallies.joined(parts)
    calibration, threshold = settle(documents, right=settings.right, sizes=settings.named_at)
    every = np.ones(len(rows.language), np.bool_)
    weights, _ = crossed(rows, settings, folds, on=(every, ~every), progress=progress)
    training = {
        **asdict(settings),
        "version": __version__,
        "pairs": len(rows.language),
        "tables": tables or {},
    }
    return PivotModel(
        languages=settings.languages,
        edits=pack(weights.edits, rows.edits.keys, most=settings.most),
        kept=pack(weights.kept, rows.kept.keys, most=settings.most),
        edit_net=weights.edit_net,
        kept_net=weights.kept_net,
        encoder=encoder,
        calibration=calibration,
        threshold=threshold,
        training=training,
    )


def crossed(
    rows: Rows,
    settings: PivotSettings,
    folds: Sequence[int],
    *,
    on: tuple[NDArray[np.bool_], NDArray[np.bool_]],
    progress: Callable[[int], object] | None = None,
) -> tuple[Weights, Tallies]:
    """Fit in turns, each without a share of the sentences, and see what each says of that share.

    Parameters
    ----------
    rows : Rows
    settings : PivotSettings
    folds : sequence of int
        The sentences that take part.
    on : (ndarray of shape (n,), ndarray of shape (n,)), bool
        Rows to fit on, and rows to draw documents from; the latter may be none.
    progress : callable, optional
        As for `fit_weights`.

    Returns
    -------
    (Weights, Tallies)
        The mean of all turns, and documents of sentences that their turn has not seen.
        Where a language stands depends on the sentences as well: few sentences make it look
        surer than it is, so all of them are used.
    """
    fitted, asked = on
    turns: list[Weights] = []
    parts = []
    for share in np.array_split(np.array(folds), settings.turns):
        apart, inside = np.isin(rows.fold, share), np.isin(rows.fold, folds)
        weights = weights_of(rows.of(np.flatnonzero(fitted & inside & ~apart)), settings, progress)
        turns.append(weights)
        if (asked & apart).any():
            parts.append(tallies(rows.of(np.flatnonzero(asked & apart)), weights, settings))
    total = Weights(
        np.stack([one.edits for one in turns]).mean(axis=0),
        np.stack([one.kept for one in turns]).mean(axis=0),
        joined([one.edit_net for one in turns]),
        joined([one.kept_net for one in turns]),
    )
    return total, Tallies.joined(parts) if parts else Tallies.none(len(settings.languages))


def documents_seen(rows: Rows, settings: PivotSettings) -> int:
    """Say about how many short documents the fits of `train_pivot` see, each pass counted."""
    runs = len(systems_of(rows)) + 1
    short = sum(
        one.epochs * one.draws * len(rows.language) // one.together
        for one in (settings.edits, settings.kept)
    )
    drawn = sum(one.steps * one.documents for one in (settings.edit_net, settings.kept_net))
    return runs * ((settings.turns - 1) * short + settings.turns * drawn)


def systems_of(rows: Rows) -> tuple[str, ...]:
    """Return the systems that translate enough languages to be held apart, by name.

    Raises
    ------
    InputError
        When there are fewer than two: nothing could be held apart.
    """
    found = []
    for name in np.unique(rows.system.astype(str)).tolist():
        mine = rows.system == name
        others = set(rows.language[~mine])
        if name != "apertium" and len(set(rows.language[mine]) & others) >= _MIN_SYSTEMS:
            found.append(name)
    if len(found) < _MIN_SYSTEMS:
        msg = f"round trips of the systems {', '.join(found) or 'none'}; two or more are needed"
        raise InputError(msg)
    return tuple(found)


def weights_of(
    rows: Rows, settings: PivotSettings, progress: Callable[[int], object] | None = None
) -> Weights:
    """Fit weights and nets on rows, each language and system of it counting alike."""
    families = np.array([FAMILY[code] for code in settings.languages])
    groups = named_groups(rows.language, rows.variant)
    language = numbers(rows.language, settings.languages)
    weight = alike(rows.language, rows.system)

    def linear(features: FeatureCounts, descent: Descent) -> NDArray[np.float32]:
        documents = put_together(groups, descent)
        first = documents.indices[documents.indptr[:-1]]  # all of a document are of one group
        return fit_weights(
            documents @ features.matrix,
            language[first],
            alike(rows.language[first], rows.system[first]),
            families=families,
            descent=descent,
            progress=progress,
        )

    def net(view: View, descent: NetDescent) -> Net:
        k = len(families)
        return fit_net(rows, language, weight, k=k, view=view, descent=descent, progress=progress)

    return Weights(
        linear(rows.edits, settings.edits),
        linear(rows.kept, settings.kept),
        net(EditView(), settings.edit_net),
        net(KeptView(), settings.kept_net),
    )


def numbers(languages: Iterable[str], known: Sequence[str]) -> NDArray[np.int64]:
    """Return the place of each language among those known; -1 where it is not."""
    place = {code: number for number, code in enumerate(known)}
    return np.array([place.get(code, -1) for code in languages], np.int64)


def tallies(
    rows: Rows,
    weights: Weights,
    settings: PivotSettings,
    *,
    sizes: Sequence[int] | None = None,
    documents: int | None = None,
) -> Tallies:
    """Draw documents out of rows and add up what their sentences say.

    Parameters
    ----------
    rows : Rows
    weights : Weights
    settings : PivotSettings
    sizes : sequence of int, optional
        Sentences of a document; by default those of the settings.
    documents : int, optional
        Of each language, system and size; by default those of the settings.

    Returns
    -------
    Tallies
        A document holds sentences of one language, translator and corpus; where there are fewer
        than that, there is none. The `variant` is translator and corpus.
    """
    rng = np.random.default_rng(settings.seed)
    said = _said(rows, weights)
    groups: dict[tuple[str, str, str], list[int]] = {}
    for at, name in enumerate(zip(rows.language, rows.variant, rows.corpus, strict=True)):
        groups.setdefault(name, []).append(at)
    drawn: list[tuple[Any, ...]] = []
    for (language, translator, corpus), members in sorted(groups.items()):
        variant = f"{translator} {corpus}"
        for size in settings.sizes if sizes is None else sizes:
            if len(members) < size:
                continue
            for _ in range(settings.documents if documents is None else documents):
                taken = rng.choice(members, size, replace=False)
                tally = Tally(said[:, taken].sum(axis=1), rows.counts[taken].sum(axis=0))
                if tally.edits:
                    system = rows.system[taken[0]]
                    drawn.append((tally.place, tally.edits, language, system, variant, size))
    if not drawn:
        msg = f"{len(rows.language)} round trips make no document of {sizes or settings.sizes}"
        raise InputError(msg)
    places, edits, languages, systems, variants, lengths = zip(*drawn, strict=True)
    return Tallies(
        np.array(places),
        np.array(edits, np.float64),
        numbers(languages, settings.languages),
        np.array(systems, object),
        np.array(variants, object),
        np.array(lengths, np.int64),
    )


def _said(rows: Rows, weights: Weights) -> NDArray[np.float64]:
    """Return what each row says of each language in each view: shape (N_VIEWS, n, K)."""
    linear = (rows.edits.matrix @ weights.edits, rows.kept.matrix @ weights.kept)
    edits, kept = (np.asarray(one, np.float64) for one in linear)
    edit_net, kept_net = np.zeros((2, *edits.shape))
    for start in range(0, len(rows.pair), _PAIRS):
        pairs = rows.pair[start : start + _PAIRS]
        for out, view, net in (
            (edit_net, EditView(), weights.edit_net),
            (kept_net, KeptView(), weights.kept_net),
        ):
            found, owner = view.read(rows.pool, pairs)
            np.add.at(out, start + owner, net.scores(found))
    return np.stack([edits, edit_net, kept, kept_net])
