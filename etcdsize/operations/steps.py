"""The steps of a runbook and their commands, as models. Nothing is run here.

A command is a list of words; `Command.shell` is the one place that turns them into text for a shell.
"""

import shlex
from typing import Annotated, Literal

from pydantic import Field, model_validator

from etcdsize.base.checks import text_of
from etcdsize.base.model import Model
from etcdsize.base.text import shown
from etcdsize.errors import OptionError, TableError

__all__ = ["Command", "Step"]


class Command(Model):
    """One command, ready to run."""

    words: Annotated[tuple[str, ...], Field(min_length=1, description="The program and its arguments.")]
    note: Annotated[str, Field(description="What to know before running it.")] = ""
    where: Annotated[
        Literal["anywhere", "member", "every-member"],
        Field(description="Where to run it: any machine that reaches the members, the member's, or every member's."),
    ] = "anywhere"
    member: Annotated[str | None, Field(description="The member it is for. None: the whole cluster.")] = None
    fill_in: Annotated[
        tuple[str, ...],
        Field(description="The words to replace by values that are known only when it is run, such as REVISION."),
    ] = ()

    @model_validator(mode="after")
    def _check(self) -> "Command":
        for word in self.words:
            if not word.isprintable():
                raise TableError(f"got {shown(word)}, expected printable text", field="words")
        return self

    @property
    def shell(self) -> str:
        """The command for a POSIX shell: one line, with quotes where a word needs them."""
        return shlex.join(self.words)

    def filled(self, **values: str) -> "Command":
        """Return the command with the words of `fill_in` replaced.

        Parameters
        ----------
        **values : str
            A value for every word that `fill_in` names.

        Raises
        ------
        OptionError
            If a value is missing, is not text, or is for a word that `fill_in` does not name.
        TableError
            If a value is not printable text.

        Examples
        --------
        >>> command = Command(words=("etcdctl", "compaction", "REVISION"), fill_in=("REVISION",))
        >>> command.filled(REVISION="512").words[-1]
        '512'
        """
        if set(values) != set(self.fill_in):
            raise OptionError(
                f"filled: got {', '.join(values) or 'nothing'}, expected {', '.join(self.fill_in) or 'nothing'}",
                option="values",
                value=tuple(values),
            )
        for word, value in values.items():
            text_of(word, value)
        words = tuple(values[word] if word in self.fill_in else word for word in self.words)
        return Command(**{**dict(self), "words": words, "fill_in": ()})


class Step(Model):
    """One task of a runbook."""

    code: Annotated[str, Field(description="A stable name for programs, such as snapshot-save.")]
    title: Annotated[str, Field(description="The task.")]
    notes: Annotated[tuple[str, ...], Field(description="When and why to do it, and its risks.")]
    commands: Annotated[tuple[Command, ...], Field(min_length=1, description="In the order to run them.")]
    source: Annotated[str, Field(description="Its source.")]
    evidence: Annotated[
        str, Field(description="How we know the commands work: run on 3.6.16, or from source, not run.")
    ]
