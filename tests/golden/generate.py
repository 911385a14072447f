"""Makes the golden fixtures: an environment with the real sheeprl in it, and in there the recordings.

    python tests/golden/generate.py --sheeprl-058 CHECKOUT [--subset 'nature_*' ...] [--out DIR]
    python tests/golden/generate.py --list

`nature` comes from the sheeprl 0.8.4 wheel; `sheeprl` from a source checkout of Eclectic-Sheep/sheeprl at commit
33b6366 (0.5.8.dev), which cannot be installed any more but can be imported. Needs only the standard library.
"""

import argparse
import ast
import json
import logging
import os
import subprocess
import sys
import venv
from collections.abc import Iterable
from fnmatch import fnmatch
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
REFERENCE = "sheeprl==0.8.4"
# What both references import; sheeprl's own pins ask for much more, so it is installed without its dependencies.
PACKAGES = (
    "torch==2.13.0",
    "numpy",
    "safetensors",
    "lightning",
    "torchmetrics",
    "hydra-core",
    "gymnasium",
    "rich",
    "python-dotenv",
    "opencv-python-headless",
    "moviepy",
    "decorator",
    "tensorboard",
)
log = logging.getLogger("golden")


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    args = _arguments()
    names = fixture_names()
    if args.list:
        log.info("\n".join(names))
        return
    chosen = _choose(names, args.subset)
    checkout = _checkout(chosen, args.sheeprl_058)
    python = make_environment(args.env)
    for preset, extra in (("nature", []), ("sheeprl", ["--checkout", str(checkout)])):
        mine = [name for name in chosen if name.startswith(f"{preset}_")]
        if mine:
            log.info("%s: %d fixtures", preset, len(mine))
            _record(python, f"tests.golden.reference_{preset}", ["--out", str(args.out.resolve()), *extra, *mine])
    prune(args.out, names)
    log.info("wrote %d fixtures to %s", len(chosen), args.out)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=HERE / "fixtures", help="where the fixtures and the manifest go")
    parser.add_argument("--subset", nargs="+", metavar="NAME", help="only these fixtures; wildcards allowed")
    parser.add_argument("--sheeprl-058", type=Path, metavar="PATH", help="source checkout of sheeprl at 33b6366")
    parser.add_argument("--env", type=Path, default=ROOT / ".golden" / "venv", help="the generator's environment")
    parser.add_argument("--list", action="store_true", help="name every fixture and stop")
    return parser.parse_args()


def fixture_names() -> list[str]:
    """Every function marked @fixture, read from the sources: importing them needs the environment."""
    sources = (*HERE.glob("nature_*.py"), *HERE.glob("sheeprl_*.py"))
    functions = (node for path in sources for node in ast.parse(path.read_text()).body)
    return sorted(f.name for f in functions if isinstance(f, ast.FunctionDef) and _is_fixture(f))


def _is_fixture(function: ast.FunctionDef) -> bool:
    return any(ast.unparse(decorator) == "fixture" for decorator in function.decorator_list)


def _choose(names: list[str], patterns: list[str] | None) -> list[str]:
    for pattern in patterns or ():
        if not any(fnmatch(name, pattern) for name in names):
            sys.exit(f"--subset {pattern}: no such fixture; --list names them")
    return [name for name in names if patterns is None or any(fnmatch(name, pattern) for pattern in patterns)]


def _checkout(chosen: Iterable[str], path: Path | None) -> Path | None:
    if not any(name.startswith("sheeprl_") for name in chosen):
        return None
    if path is None or not (path / "sheeprl" / "__init__.py").is_file():
        sys.exit(
            f"--sheeprl-058 {path or 'is not given'}: the sheeprl_* fixtures need a checkout of "
            "Eclectic-Sheep/sheeprl at commit 33b6366 (the folder that holds "
            "sheeprl/__init__.py); or leave them out with --subset 'nature_*'"
        )
    return path.resolve()


def make_environment(folder: Path) -> Path:
    """The environment's Python; installs on the first call and whenever the list of packages has changed."""
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    wanted, stamp = "\n".join((*PACKAGES, REFERENCE)), folder / "installed.txt"
    if stamp.exists() and stamp.read_text() == wanted:
        return python
    log.info("installing the reference into %s (once, a few minutes)", folder)
    venv.create(folder, with_pip=True, clear=True)
    # pip's own configuration (find-links, index) applies, as in any environment.
    subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--no-deps", REFERENCE], check=True)
    stamp.write_text(wanted)
    return python


def _record(python: Path, module: str, arguments: list[str]) -> None:
    quiet = {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "PYTHONHASHSEED": "0", "PYTHONWARNINGS": "ignore"}
    clean = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    if subprocess.run([python, "-m", module, *arguments], check=False, cwd=ROOT, env=clean | quiet).returncode:
        sys.exit(f"{module} failed, as it says above; the manifest still describes the fixtures from before")


def prune(out: Path, names: Iterable[str]) -> None:
    """Forget fixtures that no builder makes any more."""
    path = out / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["fixtures"] = {name: entry for name, entry in manifest["fixtures"].items() if name in set(names)}
    path.write_text(json.dumps(manifest, indent=1) + "\n")
    known = {entry["file"] for entry in manifest["fixtures"].values()}
    for file in out.glob("*.safetensors"):
        if file.name not in known:
            file.unlink()


if __name__ == "__main__":
    main()
