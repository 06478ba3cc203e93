import pytest

from pipeline.reading.bands import Band
from pipeline.reading.chinese import Lengths, labelled_prices, read_lengths


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        ("0<Token≤1M", Lengths(0, 1_000_000)),
        ("32K<Token≤128K", Lengths(32_000, 128_000)),
        ("≤256K", Lengths(0, 256_000)),
        ("256K~1M", Lengths(256_000, 1_000_000)),
        ("输入长度（0, 512k]", Lengths(0, 512_000)),
        ("输入长度 [16k, 32k）", Lengths(16_000, 32_000)),
        ("输入长度 512k+", Lengths(512_000, None)),
        ("0 ≤ 输入长度 ＜ 32k", Lengths(0, 32_000)),
        ("输入长度 ≥ 32k", Lengths(32_000, None)),
        ("\u200b输入长度 [0, 1.5k)\ufeff", Lengths(0, 1_500)),
    ],
)
def test_a_band_in_each_notation(printed: str, expected: Lengths) -> None:
    assert read_lengths(printed) == expected


def test_lengths_of_prompts_are_the_band_of_a_quote() -> None:
    assert read_lengths("输入长度 (32k, 128k]，输出长度 [0, 0.2k)").band == Band(
        context_from=32_000, context_to=128_000
    )
    assert Lengths().band == Band(context_from=None, context_to=None)


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        ("输入长度 (32, 128]", Lengths(32_000, 128_000)),
        ("输入长度 [32+)", Lengths(32_000, None)),
        ("输入长度 [0, 32]\n且输出长度 [0, 0.2]", Lengths(0, 32_000, "output up to 200 tokens")),
        ("输入长度 [0, 32]\n且输出长度 (0.2,+∞)", Lengths(0, 32_000, "output above 200 tokens")),
        ("输入长度 [0, 32)，输出长度 [0.2+)", Lengths(0, 32_000, "output above 200 tokens")),
    ],
)
def test_bounds_whose_unit_stands_in_the_heading(printed: str, expected: Lengths) -> None:
    assert read_lengths(printed, scale=1000) == expected


@pytest.mark.parametrize(
    "printed", ["", "-", "无阶梯计价", "[32, 0]", "32K", "输入长度 [0, 32] 或 [64, 128]", "[0, 32)[32, 64)", "0.0001+"]
)
def test_what_is_no_band_is_refused(printed: str) -> None:
    with pytest.raises(ValueError, match=r"band|number of tokens"):
        read_lengths(printed)


def test_a_unit_in_the_cell_and_in_the_heading_is_refused() -> None:
    with pytest.raises(ValueError, match="unit of its own"):
        read_lengths("[0, 32K]", scale=1000)


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        ("15.00", [("", "15.00")]),
        ("文本输入：0.7元\n图片输入：1.8元", [("文本输入", "0.7元"), ("图片输入", "1.8元")]),
        ("输出视频：\n480P：0.5元/秒", [("输出视频, 480P", "0.5元/秒")]),
        (
            "* 分辨率为 1080p\n* 无声：51.00\n* 分辨率为 4k\n* 无声：26.00",
            [("分辨率为 1080p, 无声", "51.00"), ("分辨率为 4k, 无声", "26.00")],
        ),
        ("2.40\n> 3.00 万 token / 次 * 0.80 元/万 token", [("", "2.40")]),
    ],
)
def test_the_prices_of_a_cell_with_what_they_are_for(printed: str, expected: list[tuple[str, str]]) -> None:
    assert list(labelled_prices(printed)) == expected


def test_a_line_that_is_about_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="no price"):
        list(labelled_prices("无声：1元\n有声"))
