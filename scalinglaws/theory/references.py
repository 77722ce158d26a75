"""The sources that laws cite, each in one place."""

from .records import Reference

BORDELON_2024 = Reference(
    "bordelon2024dynamical",
    "B. Bordelon, A. Atanasov, C. Pehlevan",
    "A Dynamical Model of Neural Scaling Laws",
    "ICML 2024",
    2024,
    "arXiv:2402.01092",
)
ATANASOV_2024 = Reference(
    "atanasov2024scaling",
    "A. Atanasov, J. A. Zavatone-Veth, C. Pehlevan",
    "Scaling and renormalization in high-dimensional regression",
    "preprint",
    2024,
    "arXiv:2405.00592",
)
MALONEY_2022 = Reference(
    "maloney2022solvable",
    "A. Maloney, D. A. Roberts, J. Sully",
    "A Solvable Model of Neural Scaling Laws",
    "preprint",
    2022,
    "arXiv:2210.16859",
)
FLAJOLET_1995 = Reference(
    "flajolet1995mellin",
    "P. Flajolet, X. Gourdon, P. Dumas",
    "Mellin transforms and asymptotics: harmonic sums",
    "Theoretical Computer Science 144",
    1995,
    "doi:10.1016/0304-3975(95)00002-E",
)
CAPONNETTO_2007 = Reference(
    "caponnetto2007optimal",
    "A. Caponnetto, E. De Vito",
    "Optimal Rates for the Regularized Least-Squares Algorithm",
    "Foundations of Computational Mathematics 7",
    2007,
    "doi:10.1007/s10208-006-0196-8",
)
DUFFIN_1967 = Reference(
    "duffin1967geometric",
    "R. J. Duffin, E. L. Peterson, C. Zener",
    "Geometric Programming: Theory and Application",
    "Wiley",
    1967,
    "isbn:978-0-471-22370-7",
    "ch. I.3",
)
PAQUETTE_2024 = Reference(
    "paquette2024phases",
    "E. Paquette, C. Paquette, L. Xiao, J. Pennington",
    "4+3 Phases of Compute-Optimal Neural Scaling Laws",
    "NeurIPS 2024",
    2024,
    "arXiv:2405.15074",
)
