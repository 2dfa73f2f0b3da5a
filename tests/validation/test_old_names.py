"""Old public names of the package, which keep working for one release."""

import pytest

import explorer.validation
from explorer.validation import CalibrationCancelled
from explorer.validation._calibration.outer_folds import PartialCalibration


def test_the_old_name_of_a_comparison_of_scores():
    with pytest.warns(DeprecationWarning, match="compare_scores"):
        assert explorer.validation.side_by_side is explorer.validation.compare_scores


def test_the_old_name_of_the_folds_of_a_stopped_calibration():
    stopped = CalibrationCancelled(PartialCalibration((), ()))
    with pytest.warns(DeprecationWarning, match="partial"):
        assert stopped.begun is stopped.partial
