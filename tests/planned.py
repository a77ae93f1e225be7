"""What tests of planning draw from: curves, and traffic."""

from hypothesis import strategies as st

from smtpd_service.planning.curve import HOUR, MINUTE, Curve


@st.composite
def curves(draw: st.DrawFn) -> Curve:
    window = draw(st.integers(10, 72)) * HOUR
    rush = draw(st.integers(5, 9 * 60)) * MINUTE
    return Curve(window, rush, draw(st.floats(0.05, 1)), draw(st.floats(1, 0.7 * rush / MINUTE)))
