"""GLNs and weeks."""

import pytest

from services.coalition.domain.places import OpenHours, OpeningHoursError, is_gln, ordered_week


@pytest.mark.parametrize("gln", ["5790001330552", "4012345000009", "0000000000000"])
def test_a_gln_is_told_by_its_check_digit(gln: str) -> None:
    assert is_gln(gln)
    for place in range(13):  # a wrong digit anywhere is found
        wrong = gln[:place] + str((int(gln[place]) + 1) % 10) + gln[place + 1 :]
        assert not is_gln(wrong)


@pytest.mark.parametrize("text", ["", "579000133055", "57900013305520", "579000133055x", "\u0665790001330552"])
def test_what_has_not_13_digits_is_no_gln(text: str) -> None:
    assert not is_gln(text)


def test_a_week_is_put_in_order_and_a_night_is_two_stretches() -> None:
    night, morning, monday = OpenHours(5, 1200, 1440), OpenHours(6, 0, 120), OpenHours(1, 480, 720)
    afternoon = OpenHours(1, 720, 1080)

    assert ordered_week([morning, afternoon, night, monday]) == (monday, afternoon, night, morning)


@pytest.mark.parametrize(
    "week",
    [
        [OpenHours(1, 480, 480)],
        [OpenHours(1, 1320, 120)],
        [OpenHours(1, 480, 720), OpenHours(1, 719, 1080)],
    ],
)
def test_a_week_that_contradicts_itself_is_refused(week: list[OpenHours]) -> None:
    with pytest.raises(OpeningHoursError):
        ordered_week(week)
