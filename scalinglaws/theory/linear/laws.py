# -- laws ---------------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def time_law() -> Law:
    r"""Return ``linear.time``: :math:`L(t) \simeq \frac{\Gamma(\beta)}{\alpha}(2t)^{-\beta}` under gradient flow."""
    return Law(
        name="linear.time",
        statement=CATALOGUE["linear.time"].statement,
        quantity="test loss",
        variable=T,
        symbols=_SYMBOLS,
        reference=(BORDELON_2024,),
        standing="derived",
        model=TimeLimited(),
        derive=derive_time,
    )


@lru_cache(maxsize=1)
def data_law() -> Law:
    r"""Return ``linear.data``: :math:`L(P) \sim P^{-\alpha\min(\beta, 2)}` without ridge or noise, features unlimited."""
    return Law(
        name="linear.data",
        statement=CATALOGUE["linear.data"].statement,
        quantity="test loss",
        variable=P,
        symbols=_SYMBOLS,
        reference=(BORDELON_2024, CAPONNETTO_2007),
        standing="derived",
        model=ModeLimited(resource=P, residual=RATIONAL(2, 2), variance=RATIONAL(0, 2)),
        derive=derive_mode,
    )


@lru_cache(maxsize=1)
def model_law() -> Law:
    r"""Return ``linear.model``: :math:`L(N) \sim N^{-\alpha\min(\beta, 1)}`, samples and time unlimited."""
    return Law(
        name="linear.model",
        statement=CATALOGUE["linear.model"].statement,
        quantity="test loss",
        variable=N,
        symbols=_SYMBOLS,
        reference=(MALONEY_2022, ATANASOV_2024),
        standing="derived",
        model=ModeLimited(resource=N, residual=RATIONAL(1, 1)),
        derive=derive_mode,
        published=Published(
            sp.Min(2 * ALPHA, ALPHA * BETA),
            "printed with the exponent of the data law; but the optimal predictor on N random features is a projection, which enters "
            "the loss once (kappa/(lambda + kappa)), not squared as a ridge fit's bias does, so the first modes limit it at "
            "alpha, not 2*alpha, once beta > 1",
            BORDELON_2024.at("model bottleneck"),
        ),
    )
