"""Fit the tagger's network: batches of pairs, the loss, and a loop with checkpoints."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from detector.encoder import Encoder, MiniLMEncoder, Precision, matching_view, use_bf16
from detector.errors import InputError
from detector.features.token_tags import TaggerOutputs, Tokens, collate, places
from detector.model_files import shown
from detector.models.tagger_network import PairNetwork, Shape, start_from
from detector.records import TokenVectors
from detector.text.files import write_whole
from detector.training.data.corpus import (
    Pair,
)
from detector.training.tagger_data import (
    UNKNOWN,
    Targets,
    copy_targets,
    source_targets,
)

logger = logging.getLogger(__name__)

Bead = tuple[Tokens, Tokens]

_SHARES = {"mlqe": 0.5, "mqm_news": 0.6, "mqm_ted": 0.8, "biomqm": 0.5, "wmt": 0.5, "flores": 0.5}
_RANKED = frozenset({"mqm_news", "mqm_ted"})  # with judged copies of several systems per source
_UNIT = 6  # most pairs of one source ranked among themselves
_PARTS = 4  # mini-batches of a step, of similar lengths to save padding


@dataclass(frozen=True, slots=True, kw_only=True)
class TaggerSettings:
    """Hyperparameters of the tagger."""

    shape: Shape = field(default_factory=Shape)
    step: int = 40  # pairs per step, about
    rate: float = 1.5e-4  # highest learning rate of the layers; heads learn five times as fast
    epochs: float = 1.0
    save_every: int = 100  # steps between two checkpoints
    seed: int = 0
    precision: Precision = "fp32"  # of the layers; losses, weights and optimiser states are fp32


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """Tokens of a pair, and its token targets; None where nobody marked that side."""

    pair: Pair
    bead: Bead
    copy: Targets | None
    source: Targets | None


def fit_tagger(
    pairs: Sequence[Pair],
    encoder: Encoder,
    settings: TaggerSettings,
    *,
    checkpoint: Path | None = None,
    progress: Callable[[int], object] | None = None,
) -> PairNetwork:
    """Fit a network on `fitting_device()`, and return it on the CPU.

    Minimal pairs among `pairs` share `twin`; the sound one is of kind `base`. The network is
    initialised from the encoder's last layers, where it has any, else at random. The `checkpoint`
    is written every `save_every` steps; where it exists, the run resumes from it. `progress` is
    called with the number of pairs read since its last call.
    """
    device = fitting_device()
    bf16 = use_bf16(settings.precision, device)
    torch.manual_seed(settings.seed)
    network = PairNetwork(settings.shape)
    if isinstance(encoder, MiniLMEncoder):
        start_from(network, encoder.layers)
    network.to(device)
    steps = _steps(pairs, settings)
    total = max(1, round(len(steps) * settings.epochs))
    run = _run(network, settings.rate, total)
    done = run.resume(checkpoint)
    if progress is not None:
        progress(sum(len(steps[i % len(steps)]) for i in range(done)))
    network.train()
    for at in range(done, total):
        chosen = steps[at % len(steps)]
        loss = _loss(network, list(examples(chosen, encoder)), bf16=bf16)
        run.optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        run.optimiser.step()
        run.schedule.step()
        if progress is not None:
            progress(len(chosen))
        if (at + 1) % settings.save_every == 0:
            logger.info("step %d of %d, loss %.3f", at + 1, total, float(loss.detach()))
            run.keep(checkpoint, at + 1)
    run.keep(checkpoint, total)
    return cast(PairNetwork, network.cpu().eval())


def fitting_device() -> str:
    """Return torch's name of the device to fit on: a CUDA card where there is one."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def _steps(pairs: Sequence[Pair], settings: TaggerSettings) -> list[list[Pair]]:
    """Group pairs that are ranked among themselves, then groups into random steps."""
    rng = np.random.default_rng(settings.seed)
    families: dict[str, list[Pair]] = {}
    for row, pair in enumerate(pairs):
        families.setdefault(pair.twin or _judged_beside(pair) or str(row), []).append(pair)
    units: list[list[Pair]] = []
    for family in families.values():
        rest = iter(family)
        while unit := list(islice(rest, _UNIT)):
            units.append(unit)
    steps: list[list[Pair]] = [[]]
    for i in rng.permutation(len(units)).tolist():
        if len(steps[-1]) >= settings.step:
            steps.append([])
        steps[-1] += units[i]
    return steps


def _judged_beside(pair: Pair) -> str:
    """Return the key of the copies that a pair is ranked among by points, or an empty one."""
    return f"{pair.corpus} {pair.group}" if pair.corpus in _RANKED else ""


def examples(pairs: Sequence[Pair], encoder: Encoder) -> Iterator[Example]:
    """Encode pairs and make their token targets."""
    views = {text: matching_view(text) for pair in pairs for text in (pair.source, pair.copy)}
    encoding = encoder.encode(list(views))
    tokens: Mapping[str, TokenVectors] = dict(zip(views, encoding.tokens or (), strict=True))
    for pair in pairs:
        source, copy = tokens[pair.source], tokens[pair.copy]
        yield Example(
            pair=pair,
            bead=(
                Tokens.of([(views[pair.source], 0, source)]),
                Tokens.of([(views[pair.copy], 0, copy)]),
            ),
            copy=copy_targets(pair, copy),
            source=source_targets(pair, source),
        )


def _loss(network: PairNetwork, examples: Sequence[Example], *, bf16: bool) -> Tensor:
    """Sum the losses of a step: tokens, kinds, label, grades and the order within each family."""
    lengths = [len(e.bead[0].texts) + len(e.bead[1].texts) for e in examples]
    total = torch.zeros(())
    drift: list[Tensor] = [torch.zeros(())] * len(examples)
    grades: list[Tensor] = [torch.zeros(3)] * len(examples)
    for part in np.array_split(np.argsort(lengths, kind="stable"), _PARTS):
        if not len(part):
            continue
        outputs = _predict(network, [examples[i].bead for i in part], bf16=bf16)
        for row, i in enumerate(part.tolist()):
            example = examples[i]
            drift[i], grades[i] = outputs.drift[row], outputs.grades[row]
            at_source, at_copy = places(*example.bead)
            share = _SHARES.get(example.pair.corpus, 1.0)
            total = total + share * (
                _token_loss(outputs.damaged[row, at_copy], example.copy)
                + _token_loss(outputs.lost[row, at_source], example.source)
                + _kind_loss(outputs.kinds[row, at_copy], example.copy)
            )
    odds, graded = torch.stack(drift), torch.stack(grades)
    pairs = [example.pair for example in examples]
    total = total + _label_loss(odds, pairs) + 2.0 * _order_loss(odds, pairs)
    return (total + _grade_loss(graded, pairs)) / len(examples)


def _predict(network: PairNetwork, beads: Sequence[Bead], *, bf16: bool) -> TaggerOutputs[Tensor]:
    """Run the network on its device; the outputs come back in fp32, on the CPU."""
    device = network.roles.weight.device
    with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
        outputs = network(*(torch.from_numpy(tensor).to(device) for tensor in collate(beads)))
    return TaggerOutputs(*(tensor.to("cpu", torch.float32) for tensor in outputs))


def _token_loss(odds: Tensor, targets: Targets | None) -> Tensor:
    if targets is None:
        return torch.zeros(())
    return (
        functional.binary_cross_entropy_with_logits(
            odds, torch.from_numpy(targets.damage), pos_weight=torch.tensor(2.0), reduction="sum"
        )
        / 20.0
    )  # a sentence of twenty words counts as much as one label


def _kind_loss(scores: Tensor, targets: Targets | None) -> Tensor:
    if targets is None or (targets.kind == UNKNOWN).all():
        return torch.zeros(())
    kinds = torch.from_numpy(targets.kind)
    return 0.3 * functional.cross_entropy(scores, kinds, ignore_index=UNKNOWN)


def _label_loss(odds: Tensor, pairs: Sequence[Pair]) -> Tensor:
    rows = [i for i, pair in enumerate(pairs) if pair.label is not None]
    if not rows:
        return torch.zeros(())
    shares = torch.tensor([_SHARES.get(pairs[i].corpus, 1.0) for i in rows])
    labels = torch.tensor([float(bool(pairs[i].label)) for i in rows])
    losses = functional.binary_cross_entropy_with_logits(odds[rows], labels, reduction="none")
    return (shares * losses).sum()


def _order_loss(odds: Tensor, pairs: Sequence[Pair]) -> Tensor:
    """Rank each damaged copy above its base in drift, and copies of one source by their points."""
    total = torch.zeros(())
    bases = {pair.twin: i for i, pair in enumerate(pairs) if pair.twin and pair.kind == "base"}
    for i, pair in enumerate(pairs):
        if pair.twin in bases and pair.kind != "base":
            lead = odds[i] - odds[bases[pair.twin]]
            if pair.label is False:
                total = total + 0.05 * lead.abs()
            else:
                total = total + (1.0 if pair.label else 0.5) * functional.softplus(-2.0 * lead)
    judged: dict[str, list[int]] = {}
    for i, pair in enumerate(pairs):
        if (key := _judged_beside(pair)) and pair.points is not None:
            judged.setdefault(key, []).append(i)
    for rows in judged.values():
        for i in rows:
            for j in rows:
                apart = (pairs[i].points or 0.0) - (pairs[j].points or 0.0)
                if apart >= 1.0:
                    weight = 0.06 * min(apart, 5.0)  # raters agree little below a major error
                    total = total + weight * functional.softplus(odds[j] - odds[i])
    return total


def _grade_loss(grades: Tensor, pairs: Sequence[Pair]) -> Tensor:
    total = torch.zeros(())
    wanted = np.array([_grades(pair) for pair in pairs], np.float32)
    for column, weight in enumerate((1.0, 3.0, 3.0)):
        rows = np.flatnonzero(~np.isnan(wanted[:, column]))
        if len(rows):
            given = torch.from_numpy(wanted[rows, column])
            total = total + weight * functional.huber_loss(
                grades[rows, column], given, reduction="sum"
            )
    return total


def _grades(pair: Pair) -> tuple[float, float, float]:
    nan = float("nan")
    points = nan if pair.points is None or pair.twin else float(np.log1p(min(pair.points, 20.0)))
    quality = nan if pair.quality is None else 1.0 - pair.quality / 100.0
    return points, nan if pair.hter is None else pair.hter, quality


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """A network and its optimiser, as kept in a checkpoint."""

    network: PairNetwork
    optimiser: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.LRScheduler

    def resume(self, path: Path | None) -> int:
        """Load a checkpoint, if there is one, and return the steps done."""
        if path is None or not path.is_file():
            return 0
        try:
            kept = torch.load(path, map_location="cpu", weights_only=True)
            self.network.load_state_dict(kept["network"])
            self.optimiser.load_state_dict(kept["optimiser"])
            self.schedule.load_state_dict(kept["schedule"])
            step = int(kept["step"])
        except Exception as err:  # the library's errors share no root
            msg = f"{path}: is no checkpoint of this run ({shown(err)}); name a new file"
            raise InputError(msg) from err
        logger.info("%s: going on from step %d", path, step)
        return step

    def keep(self, path: Path | None, step: int) -> None:
        """Write a checkpoint atomically."""
        if path is None:
            return
        kept = {
            "network": self.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "schedule": self.schedule.state_dict(),
            "step": step,
        }
        written = io.BytesIO()
        torch.save(kept, written)
        write_whole(path, written.getvalue())


def _run(network: PairNetwork, rate: float, total: int) -> _Run:
    """Set up AdamW with a short warm-up and a linear decay; heads learn five times as fast."""
    layers = {id(parameter) for parameter in network.layers.parameters()}
    heads = [parameter for parameter in network.parameters() if id(parameter) not in layers]
    optimiser = torch.optim.AdamW(
        [
            {"params": list(network.layers.parameters()), "lr": rate},
            {"params": heads, "lr": 5.0 * rate},
        ],
        weight_decay=0.01,
    )
    warm = max(1, min(300, total // 10))

    def slope(step: int) -> float:
        return min((step + 1) / warm, max(0.02, (total - step) / max(1, total - warm)))

    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, slope)
    return _Run(network=network, optimiser=optimiser, schedule=schedule)
