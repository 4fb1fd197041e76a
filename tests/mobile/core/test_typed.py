"""What people type: figures with commas, and the server's address."""

from __future__ import annotations

from decimal import Decimal

import pytest

from control.domain.errors import ConfigurationError
from mobile.core.server_url import checked_server_url
from mobile.core.typed import figure_of


@pytest.mark.parametrize(
    ("text", "figure"),
    [
        ("45,120", "45120"),
        ("1,045,120.5", "1045120.5"),
        ("45.120", "45.120"),
        (" 2,4 ", "2.4"),
        ("0,450", "0.450"),
        ("12,34", "12.34"),
        ("45120", "45120"),
        (".5", "0.5"),
        ("7.", "7"),
        ("３２，５", "32.5"),
    ],
)
def test_a_comma_is_read_as_it_is_meant(text: str, figure: str) -> None:
    assert figure_of(text) == Decimal(figure)


@pytest.mark.parametrize("text", ["", " ", ".", ",", "-5", "1e9", "NaN", "٣", "1,2,3", "1.2.3", "12,345,6", "9" * 19])
def test_what_is_no_number_is_none(text: str) -> None:
    assert figure_of(text) is None


@pytest.mark.parametrize(
    "url",
    [
        "https://island.example",
        "https://10.0.0.8:8443/x",
        "http://127.0.0.1:8000",
        "http://[::1]:1",
        "http://localhost",
    ],
)
def test_these_servers_are_spoken_to(url: str) -> None:
    assert checked_server_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        *("http://island.example", "http://10.0.0.8", "http://127.0.0.1.example", "http://localhost.example"),
        *("https://", "island.example", "ftp://127.0.0.1", "", "https://[::1", "http://127.0.0.1:port"),
    ],
)
def test_no_password_goes_to_these(url: str) -> None:
    with pytest.raises(ConfigurationError, match="server's address"):
        checked_server_url(url)
