"""Learners: the same rows give the same text; text reads back to the same predictions; noise does not win."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from apps.core.errors import InvalidInput, Misconfigured
from apps.forecasts.domain.dataset import Dataset, build_datasets
from apps.forecasts.domain.features import FEATURES
from apps.forecasts.learners import BASELINE, LEARNERS, new_learner
from apps.forecasts.services.fitting import fit_all
from tests.factories.windows import random_window, real_window


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return build_datasets(real_window(bars=1_600), (1,))[1]


@pytest.mark.parametrize("name", sorted(LEARNERS))
def test_the_same_rows_and_seed_give_the_same_artifact(name: str, dataset: Dataset) -> None:
    texts = set()
    for _ in range(2):
        learner = new_learner(name)
        learner.fit(dataset, seed=7)
        texts.add(learner.to_text())
    assert len(texts) == 1


@pytest.mark.parametrize("name", sorted(LEARNERS))
def test_a_model_reads_back_from_its_text(name: str, dataset: Dataset) -> None:
    learner, again = new_learner(name), new_learner(name)
    learner.fit(dataset, seed=7)
    again.load_text(learner.to_text())
    expected = learner.predict(dataset.features, dataset.scales)
    assert np.array_equal(again.predict(dataset.features, dataset.scales), expected)
    single = [float(again.predict(dataset.features[row : row + 1], dataset.scales[row : row + 1])[0]) for row in range(0, 200, 17)]
    assert single == expected[0:200:17].tolist()


@pytest.mark.parametrize("name", sorted(LEARNERS))
@pytest.mark.parametrize("text", ["", "{}", "tree\nnonsense", '{"mean": NaN}', "\x80\x04pickle"])
def test_text_that_is_not_a_model_is_refused(name: str, text: str) -> None:
    with pytest.raises(InvalidInput):
        new_learner(name).load_text(text)


@pytest.mark.parametrize("name", sorted(LEARNERS))
def test_an_unfitted_model_does_not_predict(name: str, dataset: Dataset) -> None:
    with pytest.raises(InvalidInput):
        new_learner(name).predict(dataset.features, dataset.scales)


def test_unknown_learners_are_named() -> None:
    with pytest.raises(Misconfigured, match="oracle"):
        new_learner("oracle")


def test_noise_leaves_the_baseline_champion() -> None:
    contest = fit_all(build_datasets(random_window(2_000, seed=31), (1,))[1])
    assert contest.champion == BASELINE
    assert contest.reason.startswith("The naive baseline stays: LightGBM")


def test_a_learnable_pattern_makes_lightgbm_champion(dataset: Dataset) -> None:
    column = list(FEATURES).index("rsi_14")
    signal = np.where(dataset.features[:, column] > 50, 0.3, -0.3)
    noise = np.random.default_rng(2).normal(0, 1, len(dataset))
    contest = fit_all(replace(dataset, labels=(signal + noise) * dataset.scales))
    champion = next(item for item in contest.candidates if item.learner == contest.champion)
    assert contest.champion == "lightgbm"
    assert champion.evaluation.skill > 0 and (champion.evaluation.edge_t or 0) > 1.64
    assert max(champion.importance, key=lambda name: champion.importance[name]) == "rsi_14"
    assert sum(champion.importance.values()) == pytest.approx(1.0)
    assert champion.calibration.slope > 0
    assert abs((champion.evaluation.coverage or 0) - 0.8) < 0.05


def test_a_contest_is_the_same_to_the_bit_each_time(dataset: Dataset) -> None:
    assert fit_all(dataset) == fit_all(dataset)


def test_too_few_rows_train_nothing(dataset: Dataset) -> None:
    with pytest.raises(InvalidInput, match="300 are needed"):
        fit_all(dataset.rows(0, 299))


def test_reading_forecasts_does_not_load_lightgbm() -> None:
    code = (
        "import os, django, sys; os.environ['DJANGO_SETTINGS_MODULE'] = 'trading_system.settings.test'; django.setup();"
        "import apps.forecasts.selectors, apps.forecasts.services, apps.forecasts.tasks, apps.forecasts.admin;"
        "sys.exit('lightgbm' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
