"""An argparse parser with one-line errors, suggestions for misspelt names, and one help layout everywhere."""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NoReturn, TypeAlias

from etcdsize.base.text import one_line, shown
from etcdsize.cli.streams import write_data, write_text
from etcdsize.errors import EtcdSizeError, OptionError

__all__ = ["Commands", "Container", "Parser", "TakesFlags", "add_command", "asks_for_json", "file_name"]


class TakesFlags(argparse.Action):
    """An option whose value may be a flag of another program, such as `--set --max-learners=2`."""


class _Once(argparse.Action):
    """Stores the value of an option, which may be given once: argparse would keep the last of several in silence."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,  # noqa: ARG002 - the signature that argparse calls
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,  # noqa: ARG002 - the signature that argparse calls
    ) -> None:
        given: set[str] = vars(namespace).setdefault("given", set())
        if self.dest in given:
            name = max(self.option_strings, key=len)
            raise OptionError(f"{name}: got it more than once, expected it once; leave out all but one", option=name)
        given.add(self.dest)
        setattr(namespace, self.dest, values)


class Formatter(argparse.RawDescriptionHelpFormatter):
    """Formats help in the same width and layout on every Python version and every terminal."""

    def __init__(self, prog: str, **_options: object) -> None:
        super().__init__(prog, max_help_position=30, width=80)

    def add_argument(self, action: argparse.Action) -> None:
        longest = self._action_max_length
        super().add_argument(action)
        if isinstance(action, argparse._SubParsersAction):
            # Before Python 3.13, argparse does not count the extra indent of commands, so the longest would wrap onto a
            # second line.
            names = max(len(self._format_action_invocation(command)) for command in action._choices_actions)
            self._action_max_length = max(longest, self._current_indent + self._indent_increment + names)

    def _format_action_invocation(self, action: argparse.Action) -> str:
        names = ", ".join(action.option_strings)
        if not names or action.nargs == 0:
            return names or super()._format_action_invocation(action)
        return f"{names} {self._format_args(action, self._get_default_metavar_for_optional(action))}"


class Parser(argparse.ArgumentParser):
    """A parser that reports every error in one line and points to the help of the command that was called."""

    error_code: int = 2
    """The exit code of the command after an error."""
    _commands: Commands | None = None
    _as_json = False

    def __init__(self, *, debug_help: str = argparse.SUPPRESS, **options: Any) -> None:
        options.setdefault("formatter_class", Formatter)
        super().__init__(allow_abbrev=False, **options)
        for action in (None, "store"):
            self.register("action", action, _Once)
        if sys.version_info >= (3, 14):
            self.color = False
        # The outermost frame looks for the word itself, because reading the options may be what fails.
        self.add_argument("--debug", action="store_true", default=argparse.SUPPRESS, help=debug_help)

    def add_subparsers(self, **options: Any) -> Commands:  # type: ignore[override]  # narrower than argparse's own
        self._commands = super().add_subparsers(**options)
        return self._commands

    def parse_known_args(self, args: Sequence[str] | None = None, namespace: Any = None) -> Any:  # type: ignore[override]
        """Parse the arguments, and reject unknown ones here, where the command is known.

        argparse lets the outermost parser reject them, which points to the wrong help.
        """
        words = sys.argv[1:] if args is None else list(args)
        self._as_json = asks_for_json(words)
        words = self._joined(words)
        self._reject_unknown_names(words)
        found, rest = super().parse_known_args(words, namespace)
        if rest:
            is_option = rest[0].startswith("-")
            what = f"unknown option {rest[0]}" if is_option else f"unexpected argument {shown(rest[0])}"
            self.error(what, value=rest[0])
        return found, rest

    def _get_values(self, action: argparse.Action, arg_strings: list[str]) -> Any:
        # Before Python 3.13, argparse drops the value of `--token=--`, and the option then counts as not given.
        if action.option_strings and arg_strings == ["--"]:
            value = self._get_value(action, "--")
            return value if action.nargs is None else [value]
        return super()._get_values(action, arg_strings)

    def _joined(self, words: Sequence[str]) -> list[str]:
        """Return the words with `--set --flag=value` as one word: argparse takes the flag for an option of ours."""
        found: list[str] = []
        for word in words:
            option = self._option_string_actions.get(found[-1]) if found and "--" not in found else None
            if word.startswith("--") and "=" in word and isinstance(option, TakesFlags):
                word = f"{found.pop()}={word}"
            found.append(word)
        return found

    def _reject_unknown_names(self, words: Sequence[str]) -> None:
        """Reject a misspelt option or command before argparse complains that the intended one is missing."""
        for word in words:
            if word == "--":
                return
            if word.startswith("--"):
                name = word.partition("=")[0]
                if name not in self._option_string_actions and " " not in name:
                    known = [option for option in self._option_string_actions if option.startswith("--")]
                    hint = _nearest(name, known)
                    self.error(f"unknown option {name}{f'; did you mean {hint}?' if hint else ''}", value=name)
            elif self._commands is not None and not word.startswith("-"):
                if word not in self._commands.choices:
                    hint = _nearest(word, self._commands.choices)
                    mean = f"; did you mean {shown(hint)}?" if hint else ""
                    self.error(f"unknown command {shown(word)}{mean}", value=word)
                # The command's own parser looks at the rest.
                return

    def _get_value(self, action: argparse.Action, arg_string: str) -> Any:
        """Convert an option's text. An error of ours names the option and bypasses argparse, which would replace it."""
        if action.nargs == argparse.PARSER:
            # The words of a command, which its own parser converts.
            return arg_string
        convert: Callable[[str], Any] = action.type or str  # type: ignore[assignment]  # we register no types by name
        try:
            if convert is not file_name:
                _check_text(arg_string)
            return convert(arg_string)
        except EtcdSizeError as error:
            name = max(action.option_strings, key=len, default=str(action.metavar))
            raise OptionError(f"{name}: {error}", option=name, value=arg_string) from None

    def name_option(self, error: EtcdSizeError) -> None:
        """Name the option in an error of the library about an argument, such as `--quota` for `quota_bytes`."""
        name, _, rest = error.message.partition(": ")
        if name not in (getattr(error, attribute, None) for attribute in ("option", "dimension", "field")):
            return
        dest = _DESTS.get(name, name)
        names = [max(action.option_strings, key=len) for action in self._actions if action.dest == dest]
        if names:
            error.message = f"{names[0]}: {rest}"
            if isinstance(error, OptionError):
                error.option = names[0]

    def _print_message(self, message: str, file: Any = None) -> None:
        """Print help, or an error; argparse itself ignores that standard output cannot be written."""
        write_text(message, aside=file is not None and file is sys.stderr)

    def error(self, message: str, *, value: str | None = None) -> NoReturn:
        """Report a command line that is not understood, with the word that is wrong if it is known, and exit."""
        see = " See" if message.endswith("?") else "; see"
        text = f"{self.prog}: {one_line(message)}{see} '{self.prog} --help'"
        if self._as_json:
            from etcdsize.cli.error_report import UsageError, error_json

            write_data(error_json(UsageError(text, command=self.prog, value=value)), aside=True)
            self.exit(self.error_code)
        self.exit(self.error_code, f"{text}\n")


# Arguments of the library whose option has another name.
_DESTS = {
    "architectures": "arch",
    "data_bytes": "data",
    "extra_flags": "set",
    "families": "family",
    "fsync_seconds": "fsync",
    "machine_types": "type",
    "nodes": "kubernetes_nodes",
    "quota_bytes": "quota",
    "regions": "region",
    "rollout_seconds": "rollout",
}


# Commands is where a command adds its parser; Container, a parser or a group, is where an option is added.
Commands: TypeAlias = "argparse._SubParsersAction[Parser]"
Container: TypeAlias = argparse._ActionsContainer


def asks_for_json(words: Sequence[str]) -> bool:
    """Return whether the arguments of a command ask for JSON, even if they cannot be parsed."""
    return "--json" in itertools.takewhile(lambda word: word != "--", words)


def file_name(argument: str) -> str:
    """Return a name of a file or a directory, for `type=`: it may be any bytes, while other arguments are text."""
    if not argument:
        raise OptionError('got "", expected the name of a file or a directory')
    return argument


def _check_text(argument: str) -> None:
    """Reject bytes that are no text in the locale's encoding, which Python passes on as halves of surrogate pairs."""
    try:
        argument.encode()
    except UnicodeEncodeError:
        raise OptionError(f"got {shown(argument)}, expected text in {sys.getfilesystemencoding()}") from None


def _nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that `word` abbreviates or resembles, or None."""
    import difflib

    known = sorted(known, key=len)
    longer = [name for name in known if name.startswith(word)]
    return next(iter(longer or difflib.get_close_matches(word.lower(), known, n=1)), None)


def add_command(
    commands: Commands,
    name: str,
    *,
    summary: str,
    description: str,
    example: str,
    run: Callable[[argparse.Namespace], int] | None = None,
    error_code: int = 2,
) -> Parser:
    """Add a command, and return its parser.

    Parameters
    ----------
    commands : Commands
        The commands to add it to.
    name : str
        Its name.
    summary : str
        What it does, in the list of commands.
    description : str
        What it does, at the top of its help.
    example : str
        One or two lines to type, at the end of its help.
    run : callable, optional
        Function that runs the command with its options and returns the exit code. None for a command that has
        commands of its own.
    error_code : int
        Its exit code after an error.
    """
    lines = "\n".join(f"  {line}" for line in example.splitlines())
    title = "example" if lines.count("\n") == 0 or lines.count("\\\n") else "examples"
    parser = commands.add_parser(name, help=summary, description=description, epilog=f"{title}:\n{lines}")
    parser.error_code = error_code
    if run is not None:
        parser.set_defaults(run=run, error_code=error_code, parser=parser)
    return parser
