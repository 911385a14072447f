"""`dreamgate COMMAND`: parse, run one command, and end with an exit code that means something.

0 green · 1 red · 2 you called it wrong · 3 cannot tell · 4 it broke · 75 stopped on request, can be resumed
"""

import argparse
import io
import os
import sys
import traceback
from collections.abc import Sequence

from dreamer_core import program
from dreamer_core.cli.commands import add_all, epilog
from dreamer_core.errors import BROKE, USAGE, DreamgateError
from dreamer_core.version import __version__


def main(argv: Sequence[str] | None = None) -> int:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # what a terminal cannot show is no reason to fail
            stream.reconfigure(errors="backslashreplace")
    try:
        args = parse(argv)
        code: int = args.run(args)
    except DreamgateError as error:
        print(f"dreamgate: {'; '.join([str(error), *getattr(error, '__notes__', ())])}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("dreamgate: interrupted before the state could be saved", file=sys.stderr)
        return 128 + 2
    except BrokenPipeError:
        # The reader went away (`| head`): not our failure, but nothing more can be said.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKE
    except OSError as error:
        words = f"{error.filename}: {error.strerror}" if error.filename and error.strerror else str(error)
        print(f"dreamgate: {words}", file=sys.stderr)
        return BROKE
    except Exception:  # a mistake of ours, told whole: Python's own exit code, 1, would mean red
        traceback.print_exc()
        return BROKE
    return code


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """KEY=VALUE words may stand anywhere, also behind options, where argparse alone would not take them."""
    words = sys.argv[1:] if argv is None else list(argv)
    if words[:2] == ["bench", "learning"]:  # what follows are other options than a benchmark's
        words[:2] = ["bench-learning"]
    parser = build_parser(words[0] if words else None)
    if not words:
        parser.print_help(sys.stderr)
        parser.exit(USAGE)
    args, rest = parser.parse_known_args(words)
    if any(word.startswith("-") for word in rest) or (rest and not hasattr(args, "words")):
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    if rest:
        args.words = [*args.words, *rest]
    return args


def build_parser(wanted: str | None = None) -> argparse.ArgumentParser:
    """With all commands, or at least the one that is wanted."""
    parser = argparse.ArgumentParser(
        prog=program.name(),
        usage=f"{program.name()} [-h] [--version] COMMAND ...",
        epilog=epilog(
            "Exit codes: 0 ok, 1 red, 2 called wrong, 3 cannot tell, 4 broke, 75 stopped and resumable. "
            "`./dreamgate test` and `./dreamgate check` run the project's own tests and checks."
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"dreamgate {__version__}")
    commands = add_all(parser, wanted)
    if wanted and not wanted.startswith("-"):
        commands.check(wanted)
    parser.description = f"DreamerV3 from a terminal.\n\n{commands.listing()}"
    return parser


if __name__ == "__main__":
    sys.exit(main())
