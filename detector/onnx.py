"""Run encoder and tagger with onnxruntime, and export them for it.

Encoder and tagger run by onnxruntime instead of torch, out of a folder that `export` wrote.

It reads that folder, checks every digest and refuses what differs. It converts nothing, and what
is not arithmetic of a network it shares with `encode` and `tagger`.

Encoder and tagger converted to ONNX, for machines or programs that have no torch.

It writes the folder that `onnx` reads. It runs nothing of what it wrote.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector import __version__
from detector.encoder import EncoderIdentity, MiniLMEncoder, encode_texts, token_states
from detector.errors import BundleError, InputError, MissingExtra
from detector.models.tagger import (
    CLOSING,
    N_CUES,
    OPENING,
    Tagger,
    TaggerBatch,
    TaggerOutputs,
    read_config,
)
from detector.records import Encoding
from detector.text.files import write_whole

SCHEMA = 1
"""Layout of the folder; another one is refused."""

PRECISION = "fp32-onnx"
"""What an `EncoderIdentity` says of the arithmetic."""

CONFIG, ENCODER, CUTTER = "config.json", "encoder.onnx", "tokenizer.json"
TAGGER, TAGGER_CONFIG = "tagger.onnx", "tagger.json"
_ALWAYS, _BOTH_OR_NEITHER = {ENCODER, CUTTER}, {TAGGER, TAGGER_CONFIG}


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportConfig:
    """What `config.json` of an export says.

    Attributes
    ----------
    schema : int
    version : str
        Version of `detector` that wrote it.
    encoder : EncoderIdentity
        The digest is that of the weights that were exported.
    files : mapping of str to str
        SHA-256 of each other file of the folder.
    """

    schema: int
    version: str
    encoder: EncoderIdentity
    files: Mapping[str, str]

    def to_bytes(self) -> bytes:
        """Return `config.json`: UTF-8 with sorted keys."""
        text = json.dumps(asdict(self), indent=1, sort_keys=True, ensure_ascii=False)
        return (text + "\n").encode("utf-8")


class OnnxEncoder:
    """An exported encoder, to be given to `Scorer(encoder=...)`.

    Parameters
    ----------
    folder : Path
        As `export` wrote it.
    threads : int, optional
        Processor threads of each network; by default onnxruntime's own choice.

    Raises
    ------
    BundleError
        If the folder is missing, damaged or of another schema.
    MissingExtra
        If onnxruntime is not installed.

    Notes
    -----
    Safe to share between threads. Vectors are within 1e-5 of torch's in fp32, token vectors
    within a step of half precision.
    """

    def __init__(self, folder: Path, *, threads: int | None = None) -> None:
        from tokenizers import Tokenizer

        self._folder, self._threads = folder, threads
        self._config = _read_config(folder / CONFIG)
        self._network = self._session(ENCODER)
        cutter = self._checked(CUTTER).decode("utf-8")
        try:
            self._cutter = Tokenizer.from_str(cutter)
        except Exception as err:  # the library raises nothing narrower
            msg = f"{folder / CUTTER}: is no tokenizer ({err}); export it again"
            raise BundleError(msg) from err
        self._cutter.no_padding()
        self._cutter.enable_truncation(self.identity.max_tokens)
        self._fed = {one.name for one in self._network.get_inputs()}

    @property
    def identity(self) -> EncoderIdentity:
        """What the signature of a report says about this encoder."""
        return self._config.encoder

    @cached_property
    def tagger(self) -> Tagger | None:
        """The tagger that was exported beside it, if there is one."""
        if TAGGER not in self._config.files:
            return None
        self._checked(TAGGER_CONFIG)
        return Tagger(OnnxNetwork(self._session(TAGGER)), read_config(self._folder / TAGGER_CONFIG))

    def encode(self, texts: Sequence[str], *, tokens: bool = True) -> Encoding:
        """Encode each text once; parameters, result and errors as for `MiniLMEncoder.encode`."""
        dimension = self.identity.dimension
        return encode_texts(texts, self._cut, self._run, dimension=dimension, tokens=tokens)

    def _cut(self, texts: list[str], /) -> Sequence[Any]:
        return self._cutter.encode_batch(texts)

    def _run(
        self, fed: Mapping[str, NDArray[np.int64]], /, *, tokens: bool
    ) -> tuple[NDArray[np.float32], NDArray[np.float16] | None]:
        wanted = ["sentence", "tokens"] if tokens else ["sentence"]
        vectors, *states = self._network.run(
            wanted, {name: rows for name, rows in fed.items() if name in self._fed}
        )
        return vectors, states[0] if states else None

    def _session(self, name: str) -> Any:  # noqa: ANN401 - a library loaded lazily
        runtime = onnxruntime()
        data = self._checked(name)
        options = runtime.SessionOptions()
        if self._threads is not None:
            options.intra_op_num_threads = self._threads
        try:
            # From bytes, so that a model cannot name files of this machine as its weights.
            return runtime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        except Exception as err:  # the library's errors share no narrower root
            msg = f"{self._folder / name}: onnxruntime cannot read it ({err}); export it again"
            raise BundleError(msg) from err

    def _checked(self, name: str) -> bytes:
        """Return a file's bytes, if they have the digest that the config says."""
        path = self._folder / name
        data = _read(path)
        found, wanted = hashlib.sha256(data).hexdigest(), self._config.files[name]
        if found != wanted:
            msg = f"{path}: SHA-256 is {found}, its config says {wanted}; export it again"
            raise BundleError(msg)
        return data


class OnnxNetwork:
    """An exported `PairNetwork`, for a `Tagger`.

    Parameters
    ----------
    session : onnxruntime.InferenceSession
    """

    def __init__(self, session: Any) -> None:  # noqa: ANN401 - a library loaded lazily
        self._session = session

    def predict(self, batch: TaggerBatch, /) -> TaggerOutputs[NDArray[np.float32]]:
        """Predict for a batch."""
        return TaggerOutputs(*self._session.run(list(TaggerOutputs._fields), batch._asdict()))


def onnxruntime() -> Any:  # noqa: ANN401 - a library loaded lazily
    """Return the module, told to send nothing to its makers.

    Notes
    -----
    Builds for Windows report their use by default, and from version 1.29 on (which our range of
    versions leaves out) those for Linux and macOS do too. The environment variable must be set
    before the library starts; it holds for the process.

    Raises
    ------
    MissingExtra
        When it is not installed.
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    try:
        import onnxruntime as runtime
    except ImportError as err:
        msg = 'onnxruntime is not installed; pip install "roundtrip-detector[onnx]"'
        raise MissingExtra(msg) from err
    runtime.disable_telemetry_events()
    return runtime


def _read_config(path: Path) -> ExportConfig:
    data = _read(path)
    try:
        record = json.loads(data)
        schema = record["schema"]
        if schema == SCHEMA:
            files = {str(name): str(digest) for name, digest in record["files"].items()}
            held = set(files) - _ALWAYS
            if not set(files) >= _ALWAYS or held not in (set(), _BOTH_OR_NEITHER):
                msg = f"it lists {', '.join(sorted(files)) or 'no files'}"
                raise ValueError(msg)
            encoder = EncoderIdentity(**record["encoder"])
            return ExportConfig(**{**record, "encoder": encoder, "files": files})
    except (ValueError, KeyError, TypeError, AttributeError) as err:
        msg = f"{path}: is no config of an export ({type(err).__name__}: {err}); export it again"
        raise BundleError(msg) from err
    msg = f"{path}: has schema {schema!r}, this version reads {SCHEMA}; export it again"
    raise BundleError(msg)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as err:
        msg = f"{path}: cannot be read ({err.strerror}); name a folder that `detector export` wrote"
        raise BundleError(msg) from err


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

    from detector.models.tagger_network import PairNetwork

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
        dict(zip(TaggerBatch._fields, fed, strict=True)),
        TaggerOutputs._fields,
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
