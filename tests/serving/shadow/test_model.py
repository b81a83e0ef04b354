"""A challenger takes what it needs from the stored vector, by name."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from features.risk_model import RiskModel
from features.service import MODEL_FEATURES, RAW_NAMES, SERVICE, VECTOR
from serving.model.loaded import LoadedModel, UnfitModelError
from serving.shadow.model import VectorModel, decoded
from tests.support.models import make_model_folder
from tests.support.service import keep_model

NAMES = [feature.name for feature in MODEL_FEATURES]
CATEGORIES = {feature.name: feature.categories for feature in MODEL_FEATURES if feature.categories}
VECTORS = np.random.default_rng(1).gamma(1.0, 3.0, (300, len(VECTOR)))


def folder_of(path: Path, names: list[str]) -> Path:
    chosen = {name: words for name, words in CATEGORIES.items() if name in names}
    return make_model_folder(path / "model", names, feature_service="returnwise_v0", categories=chosen)


def test_the_same_features_give_the_bits_of_an_answer(tmp_path: Path) -> None:
    folder = keep_model(tmp_path, "3")
    answering = LoadedModel("3", folder)
    risks = VectorModel("3", folder).risk(VECTORS).tolist()
    assert risks == [answering.assess(vector).risk for vector in VECTORS]
    assert len(set(risks)) > 50


@pytest.mark.parametrize(
    "names",
    [
        NAMES[::-1],  # in another order
        NAMES[3:20],  # fewer
        [*NAMES[:10], *[name for name in RAW_NAMES if name not in NAMES][:5]],  # that the champion does not look at
    ],
)
def test_other_features_are_taken_by_name(tmp_path: Path, names: list[str]) -> None:
    folder = folder_of(tmp_path, names)
    wanted = RiskModel.load(folder).risk(np.column_stack([VECTORS[:, VECTOR.index(name)] for name in names]))
    assert VectorModel("4", folder).risk(VECTORS).tobytes() == wanted.tobytes()


def test_a_feature_that_the_vector_does_not_hold_is_named(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, [*NAMES[:5], "customer_mood", "moon_phase"])
    with pytest.raises(UnfitModelError, match="2 of its 7 features are not in the vector: customer_mood, moon_phase"):
        VectorModel("4", folder)


def test_other_categories_are_named(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, NAMES)
    card = json.loads((folder / "model.json").read_text())
    spec = next(spec for spec in card["features"] if spec["categories"])
    spec["categories"] = spec["categories"][::-1]
    (folder / "model.json").write_text(json.dumps(card))
    with pytest.raises(UnfitModelError, match=f"its categories of {spec['name']} are not those"):
        VectorModel("4", folder)


def test_stored_vectors_are_read_if_it_is_known_what_stands_where() -> None:
    stored = VECTORS[0].astype("<f8").tobytes()
    read = decoded(SERVICE, stored)
    assert read is not None
    assert np.array_equal(read, VECTORS[0])
    assert decoded("returnwise_v0", stored) is None
    assert decoded(SERVICE, stored[:-8]) is None
