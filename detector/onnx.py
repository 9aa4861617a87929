"""Run encoder and tagger with onnxruntime, and export them for it.

`export` writes a folder that `OnnxEncoder` reads without torch, after checking every digest.
Training stays with torch.
"""

from __future__ import annotations

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

from detector import __version__, model_files
from detector.encoder import (
    INPUTS,
    EncoderIdentity,
    Inputs,
    MiniLMEncoder,
    Outputs,
    encode_texts,
    token_states,
)
from detector.errors import BundleError, InputError, MissingExtra
from detector.features.token_tags import (
    CLOSING,
    KINDS,
    N_CUES,
    OPENING,
    TaggerBatch,
    TaggerOutputs,
    Tokens,
)
from detector.model_files import CONFIG, LARGEST_EXPORT, json_bytes, read_file, sha256, shown
from detector.models.tagger import Tagger, read_config
from detector.records import Encoding

SCHEMA = 1  # layout of the folder; another one is refused
PRECISION = "fp32-onnx"  # of the `EncoderIdentity`
ENCODER, TOKENIZER = "encoder.onnx", "tokenizer.json"
TAGGER, TAGGER_CONFIG = "tagger.onnx", "tagger.json"
_WHAT = "an export"
_ALWAYS, _BOTH_OR_NEITHER = {ENCODER, TOKENIZER}, {TAGGER, TAGGER_CONFIG}


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportConfig:
    """Hold what `config.json` of an export says."""

    schema: int
    version: str  # of `detector` that wrote it
    encoder: EncoderIdentity  # with the digest of the weights that were exported
    files: Mapping[str, str]  # SHA-256 of each other file of the folder

    def to_bytes(self) -> bytes:
        """Return the content of `config.json`."""
        return json_bytes(asdict(self))

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> ExportConfig:
        """Read what `to_bytes` wrote, once parsed; a `ValueError` or its like if it is not that."""
        files = {str(name): str(digest) for name, digest in record["files"].items()}
        held = set(files) - _ALWAYS
        if not set(files) >= _ALWAYS or held not in (set(), _BOTH_OR_NEITHER):
            msg = f"it lists {', '.join(sorted(files)) or 'no files'}"
            raise ValueError(msg)
        encoder = EncoderIdentity.from_dict(record["encoder"])
        known = {"version": str(record["version"]), "encoder": encoder, "files": files}
        return cls(**{**record, **known})


class OnnxEncoder:
    """Encode with an exported model; give it to `Scorer(encoder=...)`.

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
    Threads may share it. Vectors are within 1e-5 of torch's in fp32, token vectors within a step of
    half precision.
    """

    def __init__(self, folder: Path, *, threads: int | None = None) -> None:
        from tokenizers import Tokenizer

        self._folder, self._threads = folder, threads
        self._config = _read_config(folder)
        self._network = self._session(ENCODER)
        tokenizer = self._checked(TOKENIZER).decode("utf-8")
        try:
            self._tokenizer = Tokenizer.from_str(tokenizer)
        except Exception as err:  # the library raises nothing narrower
            msg = f"{folder / TOKENIZER}: is no tokenizer ({err}); export it again"
            raise BundleError(msg) from err
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(self.identity.max_tokens)
        self._inputs = {one.name for one in self._network.get_inputs()}
        self._forward({name: np.ones((2, 3), np.int64) for name in INPUTS}, True)  # fails early

    @property
    def identity(self) -> EncoderIdentity:
        """Name, weights and arithmetic, for the signature of a report."""
        return self._config.encoder

    @cached_property
    def tagger(self) -> Tagger | None:
        """The tagger of the same export, if there is one."""
        if TAGGER not in self._config.files:
            return None
        self._checked(TAGGER_CONFIG)
        config = read_config(self._folder / TAGGER_CONFIG)
        tagger = Tagger(OnnxNetwork(self._session(TAGGER)), config)
        at = np.arange(2)
        words = [
            Tokens(np.zeros((2, self.identity.dimension), np.float16), texts, at, at + 1)
            for texts in (("a", "b"), ("a", "c"))
        ]
        tagger.predict([(words[0], words[1])])  # fails early
        return tagger

    def encode(self, texts: Sequence[str], *, tokens: bool = True) -> Encoding:
        """Encode sentences; parameters, result and errors as for `MiniLMEncoder.encode`."""
        dimension = self.identity.dimension
        return encode_texts(
            texts, self._tokenize, self._forward, dimension=dimension, tokens=tokens
        )

    def _tokenize(self, texts: list[str]) -> Sequence[Any]:
        return self._tokenizer.encode_batch(texts)

    def _forward(self, inputs: Inputs, tokens: bool) -> Outputs:
        shape, d = inputs["input_ids"].shape, self.identity.dimension
        wanted = {"sentence": (shape[0], d), "tokens": (*shape, d)}
        if not tokens:
            del wanted["tokens"]
        fed = {name: rows for name, rows in inputs.items() if name in self._inputs}
        vectors, *states = _run(self._network, wanted, fed)
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
        """Return a file's bytes after checking their digest."""
        digest = self._config.files[name]
        return read_file(self._folder / name, "export it again", digest=digest, most=LARGEST_EXPORT)


class OnnxNetwork:
    """Run an exported `PairNetwork` for a `Tagger`, in an `onnxruntime.InferenceSession`."""

    def __init__(self, session: Any) -> None:  # noqa: ANN401 - a library loaded lazily
        self._session = session

    def predict(self, batch: TaggerBatch, /) -> TaggerOutputs[NDArray[np.float32]]:
        """Predict for a batch."""
        b, t = batch.roles.shape
        shapes = ((b, t), (b, t), (b, t, len(KINDS)), (b,), (b, 3))
        wanted = dict(zip(TaggerOutputs._fields, shapes, strict=True))
        return TaggerOutputs(*_run(self._session, wanted, batch._asdict()))


def _run(
    session: Any,  # noqa: ANN401 - a library loaded lazily
    wanted: Mapping[str, tuple[int, ...]],
    fed: Mapping[str, NDArray[Any]],
) -> list[NDArray[Any]]:
    """Run a network, and check that its outputs have the wanted shapes and are finite."""
    try:
        found: list[NDArray[Any]] = session.run(list(wanted), fed)
    except Exception as err:  # the library's errors share no narrower root
        msg = f"an exported network cannot be run ({shown(err)}); export it again"
        raise BundleError(msg) from err
    for (name, shape), one in zip(wanted.items(), found, strict=True):
        if one.shape != shape or not np.isfinite(one).all():
            msg = f"an exported network gives {name} of shape {one.shape}, for {shape}, or numbers "
            msg += "that are not finite; export it again"
            raise BundleError(msg)
    return found


def onnxruntime() -> Any:  # noqa: ANN401 - a library loaded lazily
    """Import onnxruntime with its telemetry off.

    Notes
    -----
    Builds for Windows report their use by default, and so do those for Linux and macOS from version
    1.29 on, which our range of versions excludes. The environment variable must be set before the
    library starts; it holds for the process.

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


def _read_config(folder: Path) -> ExportConfig:
    return model_files.read_config(
        folder / CONFIG,
        ExportConfig.from_record,
        schema=SCHEMA,
        what=_WHAT,
        mend="`detector export`",
    )


_LONGEST = 4096  # texts of a batch, and tokens of a text; torch wants a bound


def export(encoder: MiniLMEncoder, tagger: Tagger | None, folder: Path) -> ExportConfig:
    """Write an encoder, and a tagger for its token vectors, as ONNX in fp32.

    Parameters
    ----------
    encoder : MiniLMEncoder
        In fp32.
    tagger : Tagger or None
        Run by torch.
    folder : Path
        Created, or replaced if it holds an export and nothing else.

    Raises
    ------
    InputError
        When the encoder is not in fp32, the tagger is not run by torch, or the folder is refused.
    MissingExtra
        When torch's exporter lacks its packages.
    """
    model_files.check_out(folder, _read_config, _WHAT)
    if encoder.identity.precision != "fp32":
        msg = f"the encoder computes in {encoder.identity.precision}; export one in fp32"
        raise InputError(msg)
    made = {ENCODER: _export_encoder(encoder), TOKENIZER: encoder.tokenizer_json.encode("utf-8")}
    if tagger is not None:
        made |= {TAGGER: _export_tagger(tagger), TAGGER_CONFIG: tagger.config.to_bytes()}
    config = ExportConfig(
        schema=SCHEMA,
        version=__version__,
        encoder=replace(encoder.identity, precision=PRECISION),
        files={name: sha256(data) for name, data in made.items()},
    )
    model_files.replace_folder(folder, {**made, CONFIG: config.to_bytes()}, _read_config, _WHAT)
    return config


def _export_encoder(encoder: MiniLMEncoder) -> bytes:
    import torch

    names = encoder.input_names

    def forward(*inputs: Any) -> tuple[Any, Any]:  # noqa: ANN401 - as above
        out = encoder.model(dict(zip(names, inputs, strict=True)))
        return out["sentence_embedding"], token_states(out)

    ones = torch.ones((2, 7), dtype=torch.int64)
    values = {"input_ids": 101, "attention_mask": 1, "token_type_ids": 0}
    inputs = {name: ones * values[name] for name in names}
    longest = encoder.identity.max_tokens
    return _convert(encoder.model, forward, inputs, ("sentence", "tokens"), longest=longest)


def _export_tagger(tagger: Tagger) -> bytes:
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
    return _convert(
        network,
        network,
        dict(zip(TaggerBatch._fields, fed, strict=True)),
        TaggerOutputs._fields,
        longest=_LONGEST,
    )


def _convert(
    network: Any,  # noqa: ANN401 - a module of a library loaded lazily
    forward: Callable[..., Any],
    inputs: Mapping[str, Any],
    outputs: Sequence[str],
    *,
    longest: int,
) -> bytes:
    """Return `forward`, a function of the tensors in `inputs`, as ONNX for any number of texts.

    `network` holds the weights, `inputs` a small example by name; `longest` bounds the tokens.
    """
    import torch

    try:
        import onnx  # noqa: F401 - torch needs both; its own message is less plain
        import onnxscript  # noqa: F401
    except ImportError as err:
        msg = f'{err.name} is not installed; pip install "roundtrip-detector[onnx]"'
        raise MissingExtra(msg) from err
    axes = {
        0: torch.export.Dim("texts", min=1, max=_LONGEST),
        1: torch.export.Dim("tokens", min=2, max=longest),
    }

    class Whole(torch.nn.Module):  # type: ignore[misc] # mypy skips torch
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, *tensors: torch.Tensor) -> Any:  # noqa: ANN401 - a tuple of tensors
            return forward(*tensors)

    with _quiet(), torch.no_grad():
        program: Any = torch.onnx.export(
            Whole().eval(),
            tuple(inputs.values()),
            dynamo=True,
            dynamic_shapes=((axes,) * len(inputs),),
            input_names=list(inputs),
            output_names=list(outputs),
            external_data=False,
            verbose=False,
        )
    # The metadata hold paths of this machine.
    for node in program.model.graph.all_nodes():
        node.metadata_props.clear()
    program.model.metadata_props.clear()
    data: bytes = program.model_proto.SerializeToString()
    return data


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence torch's exporter."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
