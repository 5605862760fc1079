"""The strength of an association, against scipy and where the answer is known."""

import numpy as np
import pytest
from scipy.stats import chi2_contingency
from scipy.stats.contingency import association

from skincli.data.seeing.association import cramers_v, find_confounding

# Tschandl et al. 2018: the published counts by source (rows) and diagnosis (columns).
HAM10000 = {
    "vidir_molemax": {"nv": 3720, "mel": 24, "bkl": 124, "bcc": 2, "vasc": 54, "df": 30},
    "vidir_modern": {
        "nv": 1832, "mel": 680, "bkl": 475, "bcc": 211, "akiec": 32, "vasc": 82, "df": 51,
    },
    "rosendahl": {
        "nv": 803, "mel": 342, "bkl": 490, "bcc": 296, "akiec": 295, "vasc": 3, "df": 30,
    },
    "vienna_dias": {"nv": 350, "mel": 67, "bkl": 10, "bcc": 5, "vasc": 3, "df": 4},
}  # fmt: skip


def random_table(rows, columns, total, seed):
    rng = np.random.default_rng(seed)
    shares = np.outer(rng.dirichlet(np.ones(rows) * 9), rng.dirichlet(np.ones(columns) * 9))
    return rng.multinomial(total, shares.ravel()).reshape(rows, columns)


def test_large_tables_agree_with_the_uncorrected_figure():
    table = np.array([[900, 100, 50], [80, 700, 20], [30, 60, 800]]) * 1000
    assert cramers_v(table) == pytest.approx(association(table, method="cramer"), abs=1e-4)


def test_the_correction_follows_the_published_formula():
    table = np.array([[12, 5, 3], [4, 9, 8]])
    n, r, c = table.sum(), 2, 3
    phi2 = chi2_contingency(table, correction=False).statistic / n - (r - 1) * (c - 1) / (n - 1)
    smaller = min(r - (r - 1) ** 2 / (n - 1), c - (c - 1) ** 2 / (n - 1)) - 1
    assert cramers_v(table) == pytest.approx(np.sqrt(phi2 / smaller))


def test_small_tables_of_independent_categories_do_not_look_associated():
    tables = [random_table(4, 7, 80, seed) for seed in range(60)]
    corrected = np.mean([cramers_v(table) for table in tables])
    plain = np.mean([association(t[:, t.any(axis=0)], method="cramer") for t in tables])
    assert corrected < 0.1 < 0.2 < plain


@pytest.mark.parametrize("table", [[[4, 5, 6]], [[4], [2]], [[3, 4], [0, 0]], [[1, 0], [0, 1]]])
def test_where_there_is_nothing_to_compare_it_is_not_defined(table):
    assert cramers_v(np.array(table)) is None


def test_it_is_one_where_the_source_decides():
    assert cramers_v(np.array([[50, 0], [0, 70]])) == pytest.approx(1)


def test_the_strongest_case_of_ham10000_is_its_nevus_camera():
    found = find_confounding(HAM10000)
    assert (found.dataset, found.dx) == ("vidir_molemax", "nv")
    assert (found.n_images, found.n_images_of_dataset) == (3720, 3954)
    assert found.cramers_v == pytest.approx(0.34, abs=0.005)


def test_a_small_source_of_one_rare_diagnosis_is_a_stronger_case_than_a_large_excess():
    found = find_confounding(
        {"a": {"nv": 5000, "mel": 500}, "b": {"nv": 4000, "mel": 700}, "c": {"df": 30}}
    )
    assert (found.dataset, found.dx) == ("c", "df")


def test_a_single_source_confounds_nothing():
    assert find_confounding({"clinic": {"nv": 5, "mel": 3}}) is None
