"""A provider is a small module: what several of them need has its home in `pipeline.reading`."""

from pathlib import Path
from statistics import median

from pipeline import providers


def test_the_median_module_is_short() -> None:
    modules = [path for path in Path(*providers.__path__).glob("*.py") if path.name != "__init__.py"]
    lengths = {path.stem: path.read_text().count("\n") for path in modules}
    assert lengths.keys() >= {"anthropic", "zhipu"}
    assert median(lengths.values()) < 80, sorted(lengths.items(), key=lambda item: item[1])
