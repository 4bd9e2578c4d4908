"""The data folder is its owner's alone."""

from __future__ import annotations

from pathlib import Path

from settings import Settings


def settings(folder: Path) -> Settings:
    return Settings(_env_file=None, data_dir=folder)  # pyright: ignore[reportCallIssue]


def test_a_data_folder_that_is_open_to_others_is_shut(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    assert settings(folder).shut_data_dir()
    assert folder.stat().st_mode & 0o777 == 0o700


def test_one_that_is_everybodys_is_left_alone_and_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    assert not settings(tmp_path).shut_data_dir()
    assert tmp_path.stat().st_mode & 0o7777 == 0o1777


def test_one_that_is_not_there_yet_is_no_problem(tmp_path: Path) -> None:
    assert settings(tmp_path / "none").shut_data_dir()


def test_channels_that_see_their_customers_are_named_with_commas() -> None:
    named = Settings(_env_file=None, channels_see_customers=" web, shop,,")  # pyright: ignore[reportCallIssue]
    assert named.channels_of_customers == {"web", "shop"}
