"""The command that counts parameters and FLOP of a transformer."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from ..errors import DomainError
from ._app import Json, Output, Whole, app
from ._formats import TEXT_FORMATS, Answer, check_suffix, emit

_FLAG = Parameter(negative=())


@app.command
def count(
    *,
    layers: Whole,
    width: Whole,
    ff: Whole | None = None,
    vocab: Whole = 50257,
    context: Whole = 2048,
    kv_ratio: str = "1",
    gated: Annotated[bool, _FLAG] = False,
    untied: Annotated[bool, _FLAG] = False,
    json: Json = False,
    output: Output = None,
) -> int:
    """Count parameters, with and without embeddings, and training FLOP per token of a transformer.

    Parameters
    ----------
    layers : int
        Blocks of attention and feed-forward part.
    width : int
        Of the residual stream, d_model.
    ff : int
        Width of the feed-forward part; 4 times the width by default.
    vocab : int
        Tokens of the vocabulary.
    context : int
        Tokens of the context.
    kv_ratio : str
        Heads of keys and values over heads of queries, for grouped queries: 1/8, or 0.125.
    gated : bool
        The feed-forward part has a gate: three matrices instead of two.
    untied : bool
        Input and output have embeddings of their own.
    json : bool
        Print JSON.
    output : Path
        File to write (.json, .md, .tex, .txt).
    """
    from ..verify import empirical
    from ._grammar import fraction

    if output is not None:
        check_suffix(output, TEXT_FORMATS)
    try:
        found = empirical.count(
            n_layer=layers,
            d_model=width,
            d_ff=ff,
            vocab=vocab,
            context=context,
            kv_ratio=float(fraction("--kv-ratio", kv_ratio)),
            gated=gated,
            tied=not untied,
        )
    except DomainError as failure:
        option = _OPTIONS.get(str(failure.argument), "")
        if not option:
            raise
        said = str(failure).replace(str(failure.argument), option, 1)
        raise DomainError(said, argument=option, value=failure.value) from failure
    data = found.to_dict() | {
        name: getattr(found, name)
        for name in (
            "non_embedding",
            "total",
            "flops_per_token",
            "attention_flops_per_token",
            "omega",
        )
    }
    emit(Answer(data, [found.summary()]), json, output)
    return 0


_OPTIONS = {
    "n_layer": "--layers",
    "d_model": "--width",
    "d_ff": "--ff",
    "vocab": "--vocab",
    "context": "--context",
    "kv_ratio": "--kv-ratio",
}
