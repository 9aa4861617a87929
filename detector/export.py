"""Encoder and tagger converted to ONNX, for machines or programs that have no torch.

It writes the folder that `onnx` reads. It runs nothing of what it wrote.
"""

from __future__ import annotations

import hashlib
import logging
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from detector.encode import MiniLMEncoder, token_states
from detector.errors import InputError, MissingExtra
from detector.onnx import (
    CONFIG,
    CUTTER,
    ENCODER,
    PRECISION,
    SCHEMA,
    TAGGER,
    TAGGER_CONFIG,
    ExportConfig,
)
from detector.reading.files import write_whole
from detector.tagger import Tagger
from detector.tagger_feed import CLOSING, N_CUES, OPENING, Feed, Readings
from detector.version import __version__

_LONGEST = 4096  # of a batch, in texts; torch wants a bound


def export(encoder: MiniLMEncoder, tagger: Tagger | None, folder: Path) -> ExportConfig:
    """Write an encoder, and a tagger that reads its token vectors, as ONNX in fp32.

    Parameters
    ----------
    encoder : MiniLMEncoder
        In fp32.
    tagger : Tagger or None
        Run by torch.
    folder : Path
        Made where it is absent. The config is written last, so a folder that was begun and not
        finished is refused.

    Returns
    -------
    ExportConfig
        As written.

    Raises
    ------
    InputError
        When the encoder is not in fp32, or the tagger is not run by torch.
    MissingExtra
        When torch's exporter lacks its packages.
    """
    if encoder.identity.precision != "fp32":
        msg = f"the encoder computes in {encoder.identity.precision}; export one in fp32"
        raise InputError(msg)
    made = {ENCODER: _encoder(encoder), CUTTER: encoder.cutter.encode("utf-8")}
    if tagger is not None:
        made |= {TAGGER: _tagger(tagger), TAGGER_CONFIG: tagger.config.to_bytes()}
    config = ExportConfig(
        schema=SCHEMA,
        version=__version__,
        encoder=replace(encoder.identity, precision=PRECISION),
        files={name: hashlib.sha256(data).hexdigest() for name, data in made.items()},
    )
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in made.items():
        write_whole(folder / name, data)
    write_whole(folder / CONFIG, config.to_bytes())
    return config


def _encoder(encoder: MiniLMEncoder) -> bytes:
    import torch

    names = encoder.reads

    def run(*fed: Any) -> tuple[Any, Any]:  # noqa: ANN401 - as above
        out = encoder.model(dict(zip(names, fed, strict=True)))
        return out["sentence_embedding"], token_states(out)

    ones = torch.ones((2, 7), dtype=torch.int64)
    fed = [ones * {"input_ids": 101, "attention_mask": 1, "token_type_ids": 0}[n] for n in names]
    longest = encoder.identity.max_tokens
    named = dict(zip(names, fed, strict=True))
    return _converted(encoder.model, run, named, ("sentence", "tokens"), longest=longest)


def _tagger(tagger: Tagger) -> bytes:
    import torch

    from detector.tagger_network import PairNetwork

    network = tagger.network
    if not isinstance(network, PairNetwork):
        msg = f"the tagger's network is a {type(network).__name__}; export a PairNetwork"
        raise InputError(msg)
    roles = torch.tensor([[OPENING, 0, 1, CLOSING, 2, 3, CLOSING]] * 2)
    fed = (
        torch.zeros((*roles.shape, network.shape.dimension)),
        roles,
        torch.zeros((*roles.shape, N_CUES)),
        torch.zeros(roles.shape, dtype=torch.bool),
    )
    return _converted(
        network,
        network,
        dict(zip(Feed._fields, fed, strict=True)),
        Readings._fields,
        longest=_LONGEST,
    )


def _converted(
    network: Any,  # noqa: ANN401 - a module of a library loaded lazily
    run: Callable[..., Any],
    fed: Mapping[str, Any],
    said: Sequence[str],
    *,
    longest: int,
) -> bytes:
    """Return what `run` does with a network as an ONNX model for any number of texts.

    Parameters
    ----------
    network : torch.nn.Module
        Whose weights go into the model.
    run : callable
        Takes the tensors of `fed` by position.
    fed : mapping of str to Tensor
        What it is fed, by name, as a small example.
    said : sequence of str
        Names of what it gives.
    longest : int
        Most tokens of a text.
    """
    import torch

    try:
        import onnx  # noqa: F401 - torch asks for both, and says so less plainly
        import onnxscript  # noqa: F401
    except ImportError as err:
        msg = f'{err.name} is not installed; pip install "roundtrip-detector[onnx]"'
        raise MissingExtra(msg) from err
    axes = {
        0: torch.export.Dim("texts", min=1, max=_LONGEST),
        1: torch.export.Dim("tokens", min=2, max=longest),
    }

    class Whole(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, *fed: torch.Tensor) -> Any:  # noqa: ANN401 - a tuple of tensors
            return run(*fed)

    with _quiet(), torch.no_grad():
        program: Any = torch.onnx.export(
            Whole().eval(),
            tuple(fed.values()),
            dynamo=True,
            dynamic_shapes=((axes,) * len(fed),),
            input_names=list(fed),
            output_names=list(said),
            external_data=False,
            verbose=False,
        )
    # Where in this machine's files each node came from is nobody's business.
    for node in program.model.graph.all_nodes():
        node.metadata_props.clear()
    program.model.metadata_props.clear()
    data: bytes = program.model_proto.SerializeToString()
    return data


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what torch's exporter says of itself from the user, and leave the switch as found."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
