"""The sources that laws cite, each in one place."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from ..reprs import short_repr


@short_repr
@dataclass(frozen=True)
class Reference:
    """A source, down to the equation.

    Attributes
    ----------
    key : str
        Citation key.
    authors, title, venue : str
        As in a bibliography.
    year : int
        Of the version cited.
    identifier : str
        ``arXiv:...`` or ``doi:...``.
    place : str
        Equation or section.
    """

    key: str
    authors: str
    title: str
    venue: str
    year: int
    identifier: str
    place: str = ""

    def at(self, place: str) -> Reference:
        """Return the same source with an equation or section."""
        return replace(self, place=place)

    def __str__(self) -> str:
        return f"{self.authors} ({self.year}), {self.identifier}" + (
            f", {self.place}" if self.place else ""
        )


def bibtex_of(entry: Reference) -> str:
    """Write a source as a BibTeX entry."""
    kind, _, number = entry.identifier.partition(":")
    fields = {
        "author": " and ".join(
            "others" if name == "et al." else _latex_text(name)
            for name in re.split(r", ", entry.authors)
        ),
        "title": "{" + _latex_text(entry.title) + "}",
        "year": str(entry.year),
    }
    if entry.venue != "preprint":
        fields[{"arXiv": "note", "isbn": "publisher"}.get(kind, "journal")] = _latex_text(
            entry.venue
        )
    fields |= {"eprint": number, "archiveprefix": "arXiv"} if kind == "arXiv" else {kind: number}
    body = ",\n".join(f"  {key} = {{{value}}}" for key, value in fields.items())
    return f"@{'misc' if kind == 'arXiv' else 'book' if kind == 'isbn' else 'article'}{{{entry.key},\n{body}\n}}"


def _latex_text(text: str) -> str:
    return text.replace("&", r"\&")


BORDELON_2024 = Reference(
    "bordelon2024dynamical",
    "B. Bordelon, A. Atanasov, C. Pehlevan",
    "A Dynamical Model of Neural Scaling Laws",
    "ICML 2024",
    2024,
    "arXiv:2402.01092",
)
BORDELON_2024_FEATURES = Reference(
    "bordelon2024feature",
    "B. Bordelon, A. Atanasov, C. Pehlevan",
    "How Feature Learning Can Improve Neural Scaling Laws",
    "ICLR 2025",
    2024,
    "arXiv:2409.17858",
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
    "isbn:978-0-471-22370-2",
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
BAHRI_2021 = Reference(
    "bahri2021explaining",
    "Y. Bahri, E. Dyer, J. Kaplan, J. Lee, U. Sharma",
    "Explaining Neural Scaling Laws",
    "PNAS 121 (2024)",
    2021,
    "arXiv:2102.06701",
)
SPIGLER_2020 = Reference(
    "spigler2020asymptotic",
    "S. Spigler, M. Geiger, M. Wyart",
    "Asymptotic learning curves of kernel methods: empirical data versus teacher-student paradigm",
    "J. Stat. Mech. 124001",
    2020,
    "arXiv:1905.10843",
)
HOFFMANN_2022 = Reference(
    "hoffmann2022training",
    "J. Hoffmann, S. Borgeaud, A. Mensch, E. Buchatskaya, T. Cai, E. Rutherford, et al.",
    "Training Compute-Optimal Large Language Models",
    "NeurIPS 2022",
    2022,
    "arXiv:2203.15556",
)
ROSENFELD_2020 = Reference(
    "rosenfeld2020constructive",
    "J. S. Rosenfeld, A. Rosenfeld, Y. Belinkov, N. Shavit",
    "A Constructive Prediction of the Generalization Error Across Scales",
    "ICLR 2020",
    2020,
    "arXiv:1909.12673",
)
HESTNESS_2017 = Reference(
    "hestness2017deep",
    "J. Hestness, S. Narang, N. Ardalani, G. Diamos, H. Jun, H. Kianinejad, M. M. A. Patwary, Y. Yang, Y. Zhou",
    "Deep Learning Scaling is Predictable, Empirically",
    "preprint",
    2017,
    "arXiv:1712.00409",
)
KAPLAN_2020 = Reference(
    "kaplan2020scaling",
    "J. Kaplan, S. McCandlish, T. Henighan, T. B. Brown, B. Chess, R. Child, S. Gray, A. Radford, J. Wu, D. Amodei",
    "Scaling Laws for Neural Language Models",
    "preprint",
    2020,
    "arXiv:2001.08361",
)
MCCANDLISH_2018 = Reference(
    "mccandlish2018empirical",
    "S. McCandlish, J. Kaplan, D. Amodei, OpenAI Dota Team",
    "An Empirical Model of Large-Batch Training",
    "preprint",
    2018,
    "arXiv:1812.06162",
)
BUSBRIDGE_2025 = Reference(
    "busbridge2025distillation",
    "D. Busbridge, A. Shidani, F. Weers, J. Ramapuram, E. Littwin, R. Webb",
    "Distillation Scaling Laws",
    "ICML 2025",
    2025,
    "arXiv:2502.08606",
)
PEARCE_2024 = Reference(
    "pearce2024reconciling",
    "T. Pearce, J. Song",
    "Reconciling Kaplan and Chinchilla Scaling Laws",
    "TMLR",
    2024,
    "arXiv:2406.12907",
)
CABALLERO_2023 = Reference(
    "caballero2023broken",
    "E. Caballero, K. Gupta, I. Rish, D. Krueger",
    "Broken Neural Scaling Laws",
    "ICLR 2023",
    2023,
    "arXiv:2210.14891",
)
DAMICO_2025 = Reference(
    "damico2025implicit",
    "F. D'Amico, D. Bocchi, M. Negri",
    "Implicit bias produces neural scaling laws in learning curves, from perceptrons to deep networks",
    "preprint",
    2025,
    "arXiv:2505.13230",
)
AUBIN_2020 = Reference(
    "aubin2020generalization",
    "B. Aubin, F. Krzakala, Y. M. Lu, L. Zdeborová",
    "Generalization error in high-dimensional perceptrons: Approaching Bayes error with convex optimization",
    "NeurIPS 2020",
    2020,
    "arXiv:2006.06560",
)
VALLET_1989 = Reference(
    "vallet1989hebb",
    "F. Vallet",
    "The Hebb Rule for Learning Linearly Separable Boolean Functions: Learning and Generalization",
    "Europhysics Letters 8",
    1989,
    "doi:10.1209/0295-5075/8/8/007",
)
OPPER_1990 = Reference(
    "opper1990ability",
    "M. Opper, W. Kinzel, J. Kleinz, R. Nehl",
    "On the ability of the optimal perceptron to generalise",
    "Journal of Physics A 23",
    1990,
    "doi:10.1088/0305-4470/23/11/012",
)
OPPER_1991 = Reference(
    "opper1991generalization",
    "M. Opper, D. Haussler",
    "Generalization performance of Bayes optimal classification algorithm for learning a perceptron",
    "Physical Review Letters 66",
    1991,
    "doi:10.1103/PhysRevLett.66.2677",
)
BRILL_2024 = Reference(
    "brill2024neural",
    "A. Brill",
    "Neural Scaling Laws Rooted in the Data Distribution",
    "preprint",
    2024,
    "arXiv:2412.07942",
)
MICHAUD_2023 = Reference(
    "michaud2023quantization",
    "E. J. Michaud, Z. Liu, U. Girit, M. Tegmark",
    "The Quantization Model of Neural Scaling",
    "NeurIPS 2023",
    2023,
    "arXiv:2303.13506",
)
HUTTER_2021 = Reference(
    "hutter2021learning",
    "M. Hutter",
    "Learning Curve Theory",
    "preprint",
    2021,
    "arXiv:2102.04074",
)
SHARMA_2022 = Reference(
    "sharma2022scaling",
    "U. Sharma, J. Kaplan",
    "Scaling Laws from the Data Manifold Dimension",
    "JMLR 23",
    2022,
    "arXiv:2004.10802",
)
STAUFFER_1994 = Reference(
    "stauffer1994introduction",
    "D. Stauffer, A. Aharony",
    "Introduction to Percolation Theory",
    "Taylor and Francis",
    1994,
    "isbn:978-0-7484-0253-3",
)
FISHER_1961 = Reference(
    "fisher1961cluster",
    "M. E. Fisher, J. W. Essam",
    "Some Cluster Size and Percolation Problems",
    "Journal of Mathematical Physics 2",
    1961,
    "doi:10.1063/1.1703745",
)
ZHOU_2012 = Reference(
    "zhou2012shortest",
    "Z. Zhou, J. Yang, Y. Deng, R. M. Ziff",
    "Shortest-path fractal dimension for percolation in two and three dimensions",
    "Physical Review E 86, 061101",
    2012,
    "arXiv:1112.3428",
)
XU_2014 = Reference(
    "xu2014simultaneous",
    "X. Xu, J. Wang, J.-P. Lv, Y. Deng",
    "Simultaneous analysis of three-dimensional percolation models",
    "Frontiers of Physics 9",
    2014,
    "arXiv:1310.5399",
)
ZHANG_2021 = Reference(
    "zhang2021critical",
    "Z. Zhang, P. Hou, S. Fang, H. Hu, Y. Deng",
    "Critical exponents and universal excess cluster number of percolation in four and five dimensions",
    "Physica A 580",
    2021,
    "arXiv:2004.11289",
)
JACOBSEN_2015 = Reference(
    "jacobsen2015critical",
    "J. L. Jacobsen",
    "Critical points of Potts and O(N) models from eigenvalues of periodic Temperley-Lieb algebras",
    "J. Phys. A 48",
    2015,
    "arXiv:1507.03027",
)
MERTENS_2018 = Reference(
    "mertens2018percolation",
    "S. Mertens, C. Moore",
    "Percolation thresholds and Fisher exponents in hypercubic lattices",
    "Physical Review E 98",
    2018,
    "arXiv:1806.08067",
)
RUBIN_2025 = Reference(
    "rubin2025mitigating",
    "N. Rubin, O. Davidovich, Z. Ringel",
    "Mitigating the Curse of Detail: Scaling Arguments for Feature Learning and Sample Complexity",
    "ICLR 2026",
    2025,
    "arXiv:2512.04165",
)
RINGEL_2025 = Reference(
    "ringel2025applications",
    "Z. Ringel, N. Rubin, E. Mor, M. Helias, I. Seroussi",
    "Applications of Statistical Field Theory in Deep Learning",
    "preprint",
    2025,
    "arXiv:2502.18553",
)

ALTSCHULER_2023 = Reference(
    "altschuler2023",
    "J. M. Altschuler, P. A. Parrilo",
    "Acceleration by Stepsize Hedging I: Multi-Step Descent and the Silver Stepsize Schedule",
    "Journal of the ACM",
    2023,
    "arXiv:2309.07879",
)
LI_2025_FUNCTIONAL = Reference(
    "li2025functional",
    "B. Li, F. Chen, Z. Huang, L. Wang, L. Wu",
    "Functional Scaling Laws in Kernel Regression: Loss Dynamics and Learning Rate Schedules",
    "NeurIPS 2025",
    2025,
    "arXiv:2509.19189",
)
LI_2026_SCHEDULES = Reference(
    "li2026optimal",
    "B. Li, Z. Wang, F. Chen, S. Zhao, R. Zheng, L. Wu",
    "Optimal Learning-Rate Schedules under Functional Scaling Laws: Power Decay and Warmup-Stable-Decay",
    "preprint",
    2026,
    "arXiv:2602.06797",
)
BORDELON_2026 = Reference(
    "bordelon2026theory",
    "B. Bordelon, F. Mori",
    "Theory of Optimal Learning Rate Schedules and Scaling Laws for a Random Feature Model",
    "preprint",
    2026,
    "arXiv:2602.04774",
)
METEREZ_2026 = Reference(
    "meterez2026anytime",
    "A. Meterez, P. A. Nair, D. Morwani, C. Pehlevan, S. Kakade",
    "Anytime Pretraining: Horizon-Free Learning-Rate Schedules with Weight Averaging",
    "preprint",
    2026,
    "arXiv:2602.03702",
)
MUECKE_2019 = Reference(
    "muecke2019beating",
    "N. Mücke, G. Neu, L. Rosasco",
    "Beating SGD Saturation with Tail-Averaging and Minibatching",
    "NeurIPS 2019",
    2019,
    "arXiv:1902.08668",
)
FERBACH_2025 = Reference(
    "ferbach2025dimension",
    "D. Ferbach, K. Everett, G. Gidel, E. Paquette, C. Paquette",
    "Dimension-adapted Momentum Outscales SGD",
    "preprint",
    2025,
    "arXiv:2505.16098",
)
SMITH_2018 = Reference(
    "smith2018decay",
    "S. L. Smith, P.-J. Kindermans, C. Ying, Q. V. Le",
    "Don't Decay the Learning Rate, Increase the Batch Size",
    "ICLR 2018",
    2018,
    "arXiv:1711.00489",
)
YAO_2007 = Reference(
    "yao2007early",
    "Y. Yao, L. Rosasco, A. Caponnetto",
    "On Early Stopping in Gradient Descent Learning",
    "Constructive Approximation 26",
    2007,
    "doi:10.1007/s00365-006-0663-2",
)
ALI_2019 = Reference(
    "ali2019continuous",
    "A. Ali, J. Z. Kolter, R. J. Tibshirani",
    "A Continuous-Time View of Early Stopping for Least Squares Regression",
    "AISTATS 2019",
    2019,
    "arXiv:1810.10082",
)
KRAMP_2026 = Reference(
    "kramp2026dynamics",
    "J. Kramp, J. Lindner, M. Helias",
    "Dynamics of neural scaling laws in random feature regression with powerlaw-distributed kernel eigenvalues",
    "preprint",
    2026,
    "arXiv:2602.23039",
)
