from __future__ import annotations

import itertools

import numpy as np
import pytest

from explorer.errors import InputError
from explorer.feedback import VERDICTS, FeedbackPolicy
from explorer.figures import colours


def luminance(colour):
    """Relative luminance of ``#rrggbb``, from the definition of WCAG 2."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first, second):
    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def protanope(colour):
    """How people without red cones see a colour (Viénot, Brettel and Mollon 1999)."""
    rgb = np.array([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]) ** 2.2
    matrix = np.array([[0.1121, 0.8853, -0.0005], [0.1127, 0.8897, -0.0001], [0.0045, 0.0, 1.0019]])
    return np.clip(matrix @ rgb, 0, 1) ** (1 / 2.2)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_attention_is_no_ink_and_much_stands_out(theme):
    table = colours.lookup_table(theme=theme)
    assert len(table) == 256
    assert table[0] == colours.THEMES[theme]["paper"]
    assert contrast(table[255], table[0]) > 3  # WCAG for graphics


def test_lightness_falls_steadily_on_white():
    lightness = [luminance(colour) for colour in colours.lookup_table(theme="light")[::8]]
    assert all(later < earlier for earlier, later in itertools.pairwise(lightness))


def test_low_weights_can_be_told_from_none_on_dark():
    lightness = [luminance(colour) for colour in colours.lookup_table(theme="dark")[:192:16]]
    assert all(later > earlier for earlier, later in itertools.pairwise(lightness))


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("role", ["ink", "quiet"])
def test_text_is_readable(theme, role):
    assert contrast(colours.THEMES[theme][role], colours.THEMES[theme]["paper"]) > 4.5


@pytest.mark.parametrize("name", [name for name, _ in colours.scale_choices()])
def test_every_choice_is_a_scale_for_plotly_and_for_text(name):
    stops = colours.colorscale(name)
    assert stops[0][0] == 0.0
    assert stops[-1][0] == 1.0
    assert all(str(colour).startswith("rgba(") for _, colour in stops)
    assert len(colours.lookup_table(name)) == 256


def test_unknown_scales_and_scalings_are_refused():
    with pytest.raises(InputError, match="Choose one of 'violet', 'viridis'"):
        colours.colorscale("jet")
    with pytest.raises(InputError, match="'linear', 'sqrt', 'log'"):
        colours.scaled([0.1], "cubic")


@pytest.mark.parametrize(
    ("scaling", "expected"),
    [
        ("linear", [0, 0.01, 0.25, 1, 1, 0]),
        ("sqrt", [0, 0.1, 0.5, 1, 1, 0]),
        ("log", [0, 0.5, 1 + np.log10(0.25) / 4, 1, 1, 0]),
    ],
)
def test_scalings(scaling, expected):
    scaled = colours.scaled([0, 0.01, 0.25, 1, 7, -3], scaling)
    np.testing.assert_allclose(scaled, expected, atol=1e-6)
    assert np.isnan(colours.scaled([np.nan], scaling)[0])


def test_codes_point_into_the_lookup_table():
    codes = colours.scale_codes([0.0, 1.0, np.nan, 0.25], "sqrt")
    assert codes.dtype == np.uint8
    assert codes.tolist() == [0, 255, 0, 128]


def test_feedback_colours_leave_neutral_to_both_sides():
    policy = FeedbackPolicy()
    neutral = colours.feedback_colour(0.5, policy)
    used, not_used = colours.feedback_colour(1.0, policy), colours.feedback_colour(0.3, policy)
    assert used == colours.verdict_colour("used")
    assert not_used == colours.verdict_colour("not used")
    assert neutral == colours.verdict_colour("near")
    assert colours.feedback_colour(None) == colours.feedback_colour(float("nan"))
    # the two ends stay apart without red cones, and stand out from both pages
    assert np.abs(protanope(used) - protanope(not_used)).max() > 0.2
    for colour, theme in itertools.product((used, not_used), ("light", "dark")):
        assert contrast(colour, colours.THEMES[theme]["paper"]) > 3


def test_a_policy_without_room_below_neutral_has_a_colour_all_the_same():
    policy = FeedbackPolicy(negative=0.5, neutral=0.5)
    assert colours.feedback_colour(0.5, policy) == colours.verdict_colour("near")
    assert colours.feedback_colour(0.2, policy) == colours.verdict_colour("not used")


def test_verdicts_differ_in_mark_and_not_in_colour_alone():
    assert set(colours.VERDICT_LOOKS) == set(VERDICTS)
    looks = colours.VERDICT_LOOKS.values()
    assert len({look.mark for look in looks}) == 4
    assert colours.verdict_mark("used") == "●"
