"""What N and C are: parameters and FLOP of a transformer, counted from its dimensions."""

from __future__ import annotations

from dataclasses import dataclass

from ...arguments import flag, number, whole
from ...errors import refusal
from ...formatting import percent, scientific
from ...results import Result

_WHOLE = 1e-6  # relative: 0.333333 stands for a third


@dataclass(frozen=True)
class ParameterCount(Result):
    r"""Parameters and FLOP of a transformer.

    Attributes
    ----------
    n_layer, d_model, d_ff, vocab, context : int
        Layers, width, width of the feed-forward part, tokens of the vocabulary, tokens of the context.
    kv_ratio : float
        Heads of keys and values over heads of queries.
    gated, tied : bool
        Whether the feed-forward part is gated, and whether input and output share their embedding.
    attention, feed_forward : int
        Parameters of all layers.
    embedding : int
        Parameters of the embedding, of both where they are not tied.
    """

    n_layer: int
    d_model: int
    d_ff: int
    vocab: int
    context: int
    kv_ratio: float
    gated: bool
    tied: bool
    attention: int
    feed_forward: int
    embedding: int

    @property
    def non_embedding(self) -> int:
        """Parameters without embeddings."""
        return self.attention + self.feed_forward

    @property
    def total(self) -> int:
        """All parameters."""
        return self.non_embedding + self.embedding

    @property
    def attention_flops_per_token(self) -> int:
        """Training FLOP per token of the products of queries, keys and values, which belong to no parameter."""
        return 12 * self.n_layer * self.context * self.d_model

    @property
    def flops_per_token(self) -> int:
        """Training FLOP per token: six for each parameter that multiplies, and those of attention."""
        multiplying = self.non_embedding + self.vocab * self.d_model
        return 6 * multiplying + self.attention_flops_per_token

    @property
    def omega(self) -> float:
        r"""Embeddings over the cube root of the rest: :math:`\omega` of ``empirical.kaplan_reconciliation``."""
        return float(self.embedding / self.non_embedding ** (1 / 3))

    def summary(self) -> str:
        """Describe the counts in a few lines.

        Returns
        -------
        str
            What counts how much, and what 6 N leaves out for either N.

        Examples
        --------
        >>> print(count(n_layer=12, d_model=768, vocab=50257, context=1024).summary())
        12 layers of width 768, feed-forward 3072, vocabulary 50257 (tied), context 1024
          N without embeddings   84934656  8.5e7   (attention 28311552, feed-forward 56623104)
          embeddings             38597376  3.9e7   31.2 % of all
          N in total            123532032  1.2e8
          FLOP per token        854438400  8.5e8   training; 13.3 % of them attention over the context
          6 N is 0.867 of them with all N, 0.596 without embeddings
        """
        rows = {
            "N without embeddings": self.non_embedding,
            "embeddings": self.embedding,
            "N in total": self.total,
            "FLOP per token": self.flops_per_token,
        }
        remarks = [
            f"(attention {self.attention}, feed-forward {self.feed_forward})",
            f"{percent(self.embedding / self.total)} of all",
            "",
            f"training; {percent(self.attention_flops_per_token / self.flops_per_token)} of them attention over the context",
        ]
        width = max(len(str(value)) for value in rows.values())
        kinds = ("gated " if self.gated else "", "tied" if self.tied else "untied")
        shared = "" if self.kv_ratio == 1 else f", keys and values {self.kv_ratio:g} of queries"
        lines = [
            f"{self.n_layer} layers of width {self.d_model}, {kinds[0]}feed-forward {self.d_ff}, "
            f"vocabulary {self.vocab} ({kinds[1]}), context {self.context}{shared}"
        ]
        lines += [
            f"  {name:<20}  {value:>{width}}  {scientific(value):<6}  {remark}".rstrip()
            for (name, value), remark in zip(rows.items(), remarks, strict=True)
        ]
        with_all, without = (
            6 * size / self.flops_per_token for size in (self.total, self.non_embedding)
        )
        lines.append(
            f"  6 N is {with_all:.3f} of them with all N, {without:.3f} without embeddings"
        )
        return "\n".join(lines)


def count(
    *,
    n_layer: int,
    d_model: int,
    d_ff: int | None = None,
    vocab: int,
    context: int,
    kv_ratio: float = 1,
    gated: bool = False,
    tied: bool = True,
) -> ParameterCount:
    r"""Count the parameters of a transformer and its training FLOP per token.

    .. math:: N_{ne} = n_l [2 d^2 (1 + r_{kv}) + m\, d\, d_{ff}], \quad N_e = V d, \quad
        \text{FLOP per token} = 6 (N_{ne} + V d) + 12\, n_l n_{ctx} d

    with m = 2, or 3 where the feed-forward part is gated. Untied embeddings are 2 V d, of which one multiplies.

    Parameters
    ----------
    n_layer, d_model : int
        Layers and width.
    d_ff : int, optional
        Width of the feed-forward part; 4 `d_model` by default.
    vocab, context : int
        Tokens of the vocabulary, and of the context.
    kv_ratio : float
        Heads of keys and values over heads of queries, in (0, 1]; below 1 for grouped queries.
    gated : bool
        Whether the feed-forward part has a gate, and so three matrices.
    tied : bool
        Whether input and output share their embedding.

    Returns
    -------
    ParameterCount
        Exact whole numbers.

    Raises
    ------
    DomainError
        If a number is not whole and >= 1, or `kv_ratio` does not leave a whole width of keys.

    Notes
    -----
    Norms and biases are ignored: below 0.1 % from a width of 1000 on. Attention is counted over the whole context, without
    taking off the half that a causal mask leaves out, as Chowdhery et al. do.

    References
    ----------
    .. [1] A. Chowdhery et al., *PaLM: Scaling Language Modeling with Pathways*, arXiv:2204.02311, appendix B.
    .. [2] T. Pearce, J. Song, *Reconciling Kaplan and Chinchilla Scaling Laws*, arXiv:2406.12907.

    Examples
    --------
    >>> found = count(n_layer=80, d_model=8192, d_ff=28672, vocab=128256, context=8192, kv_ratio=1 / 8, gated=True, tied=False)
    >>> found.non_embedding, found.embedding, found.flops_per_token
    (68451041280, 2101346304, 481434796032)
    """
    layers = whole("n_layer", n_layer)
    width = whole("d_model", d_model)
    inner = 4 * width if d_ff is None else whole("d_ff", d_ff)
    words = whole("vocab", vocab)
    length = whole("context", context)
    ratio = number("kv_ratio", kv_ratio, low=0, high=1, strict=True)
    gate, shared = flag("gated", gated), flag("tied", tied)
    keys = round(width * ratio)
    if keys < 1 or abs(keys - width * ratio) > _WHOLE * width:
        raise refusal(
            "kv_ratio", kv_ratio, f"must leave a whole width of keys: d_model = {width} times it"
        )
    return ParameterCount(
        n_layer=layers,
        d_model=width,
        d_ff=inner,
        vocab=words,
        context=length,
        kv_ratio=ratio,
        gated=gate,
        tied=shared,
        attention=layers * 2 * width * (width + keys),
        feed_forward=layers * (3 if gate else 2) * width * inner,
        embedding=(1 if shared else 2) * words * width,
    )
