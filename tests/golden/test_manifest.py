"""The golden fixtures are complete, small, untouched, and nothing that ships depends on them."""

import ast
import hashlib
import json
import shutil
from pathlib import Path

import pytest

from tests.golden.fixtures import FOLDER, FixtureError, load, read_manifest, spell
from tests.golden.generate import fixture_names

ROOT = Path(__file__).resolve().parents[2]
MOST_BYTES = 3_500_000
NAMES = sorted(read_manifest()["fixtures"])


def test_every_builder_has_its_fixture_and_every_fixture_its_builder() -> None:
    assert fixture_names() == NAMES


def test_every_file_is_listed_and_every_listed_file_is_there() -> None:
    listed = {entry["file"] for entry in read_manifest()["fixtures"].values()}
    assert listed == {path.name for path in FOLDER.glob("*.safetensors")}


@pytest.mark.parametrize("name", NAMES)
def test_a_fixture_is_what_its_manifest_entry_says(name: str) -> None:
    entry = read_manifest()["fixtures"][name]
    fixture = load(name)
    kinds = {"in": fixture.inputs, "param": fixture.params, "out": fixture.outputs}
    kinds |= {"grad": fixture.grads, "after": fixture.after}
    found = {f"{kind}.{key}": spell(value) for kind, values in kinds.items() for key, value in values.items()}
    assert found == entry["tensors"]
    assert list(fixture.params) == entry["params"]


def test_all_fixtures_together_stay_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < MOST_BYTES


def test_the_versions_of_both_references_are_recorded() -> None:
    for name, entry in read_manifest()["fixtures"].items():
        version, commit = {"nature": ("0.8.4", None), "sheeprl": ("0.5.8.dev", "33b6366")}[entry["preset"]]
        assert name.startswith(entry["preset"])
        assert entry["sheeprl"] == version
        assert (entry["commit"] or "").startswith(commit or "")
        assert entry["torch"].startswith("2.13.0")
        assert entry["notes"]


def test_no_mode_in_any_fixture_hangs_on_the_last_bit() -> None:
    margins = [entry["settings"].get("smallest_mode_margin", 1.0) for entry in read_manifest()["fixtures"].values()]
    assert min(margins) >= 1e-3


def test_the_readme_describes_every_fixture() -> None:
    readme = (Path(__file__).parent / "README.md").read_text()
    assert [name for name in NAMES if f"`{name}`" not in readme] == []


def test_code_that_ships_imports_neither_the_tests_nor_the_reference() -> None:
    shipped = [path for path in (ROOT / "dreamer_core").rglob("*.py") if _imports(path) & {"tests", "sheeprl"}]
    assert shipped == []


def test_an_unknown_fixture_is_a_clear_error() -> None:
    with pytest.raises(FixtureError, match="'nature_nonsense'"):
        load("nature_nonsense")


def test_an_absent_manifest_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(FixtureError, match=r"manifest\.json is missing"):
        load("nature_two_hot", tmp_path)


def test_an_absent_file_is_a_clear_error(tmp_path: Path) -> None:
    _copy(tmp_path, "nature_moments").unlink()
    with pytest.raises(FixtureError, match=r"nature_moments\.safetensors is missing"):
        load("nature_moments", tmp_path)


def test_a_tampered_file_is_refused(tmp_path: Path) -> None:
    path = _copy(tmp_path, "nature_moments")
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(FixtureError, match=hashlib.sha256(content).hexdigest()[:12]):
        load("nature_moments", tmp_path)


def test_parameters_come_in_the_order_of_the_reference() -> None:
    assert list(load("nature_recurrent_model").params)[:3] == [
        "recurrent_projection.0.weight",
        "recurrent_projection.0.bias",
        "recurrent_projection.1.weight",
    ]


def _copy(folder: Path, name: str) -> Path:
    """A folder with one fixture and its entry; the fixture's path."""
    entry = read_manifest()["fixtures"][name]
    (folder / "manifest.json").write_text(json.dumps({"fixtures": {name: entry}}))
    return Path(shutil.copy(FOLDER / entry["file"], folder))


def _imports(path: Path) -> set[str]:
    """The top-level packages that a file imports anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").partition(".")[0])
    return found
