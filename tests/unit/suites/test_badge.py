"""Badges: readable without colour, by people and by screen readers, and always well-formed."""

from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dreamer_core.gates import Verdict
from dreamer_core.suites.badge import badge_svg

SVG = "{http://www.w3.org/2000/svg}"


def texts(svg: str) -> list[str | None]:
    return [text.text for text in ElementTree.fromstring(svg).iter(f"{SVG}text")]


@pytest.mark.parametrize("verdict", list(Verdict))
def test_a_badge_says_its_name_and_the_verdict_in_words(verdict: Verdict) -> None:
    svg = badge_svg("gpu-main", verdict)
    word = verdict.replace("_", " ")
    tree = ElementTree.fromstring(svg)
    assert texts(svg) == ["gpu-main", word]
    assert (tree.get("role"), tree.get("aria-label")) == ("img", f"gpu-main: {word}")
    assert tree.findtext(f"{SVG}title") == f"gpu-main: {word}"


def test_every_verdict_has_its_own_shape() -> None:
    drawn = {badge_svg("x", verdict).split("translate(")[1].split("</g>")[0].split(">", 1)[1] for verdict in Verdict}
    assert len(drawn) == len(Verdict)


def test_before_the_first_verdict_it_says_so() -> None:
    assert texts(badge_svg("cartpole", None)) == ["cartpole", "not run yet"]


def test_only_green_verdicts_are_green() -> None:
    green = {verdict for verdict in Verdict if "#1a7434" in badge_svg("x", verdict)}
    assert green == {verdict for verdict in Verdict if verdict.is_green}


def test_a_word_that_is_no_verdict_makes_no_badge() -> None:
    with pytest.raises(ValueError, match="great"):
        badge_svg("cartpole", "great")


@pytest.mark.parametrize("color", ["3b434d", "1a7434", "855400", "bf1f2e", "525a64"])
def test_white_can_be_read_on_every_background(color: str) -> None:
    shares = [int(color[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    linear = [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
    luminance = sum(weight * share for weight, share in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
    assert 1.05 / (luminance + 0.05) >= 4.5
    assert any(f"#{color}" in badge_svg("x", verdict) for verdict in Verdict)


@settings(deadline=None)
@given(st.text(max_size=80))
def test_any_label_makes_a_picture_that_parses(label: str) -> None:
    tree = ElementTree.fromstring(badge_svg(label, "pass"))
    assert int(tree.get("width", "0")) > 40
