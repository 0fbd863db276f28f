"""The steps of a runbook and their commands, as models.

A command is a list of words; the text for a shell is made of it in one place. This module imports pydantic, never
numpy, and runs nothing.
"""

import shlex
from typing import Annotated, Literal

from pydantic import Field

from etcdsize.base.model import Model
from etcdsize.errors import OptionError

__all__ = ["Command", "Step"]


class Command(Model):
    """One command, ready to run."""

    words: Annotated[tuple[str, ...], Field(min_length=1, description="The program and its arguments.")]
    says: Annotated[str, Field(description="What to know before it is run.")] = ""
    where: Annotated[
        Literal["anywhere", "member", "every-member"],
        Field(description="On which machine: any that reaches the members, that of the member, or that of each."),
    ] = "anywhere"
    member: Annotated[str | None, Field(description="The member that it is for. None: the whole cluster.")] = None
    fill_in: Annotated[
        tuple[str, ...],
        Field(description="Which of the words stand for what is known only when it is run, such as REVISION."),
    ] = ()

    @property
    def shell(self) -> str:
        """The command as a POSIX shell takes it: one line, every word quoted that needs it."""
        return shlex.join(self.words)

    def filled(self, **values: str) -> "Command":
        """Return the command with the words filled in that were left open.

        Parameters
        ----------
        **values : str
            What to put in the place of every word that `fill_in` names.

        Raises
        ------
        OptionError
            Where one is missing, or not asked for.

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
        words = tuple(values[word] if word in self.fill_in else word for word in self.words)
        return self.model_copy(update={"words": words, "fill_in": ()})


class Step(Model):
    """One thing to do to a cluster."""

    code: Annotated[str, Field(description="A stable name for programs, such as snapshot-save.")]
    title: Annotated[str, Field(description="What is done.")]
    says: Annotated[tuple[str, ...], Field(description="When and why, and what to beware of.")]
    commands: Annotated[tuple[Command, ...], Field(min_length=1, description="In the order in which they are run.")]
    source: Annotated[str, Field(description="Where it comes from.")]
    evidence: Annotated[str, Field(description="What the commands were run on: 3.5.1 ran, or from source, not run.")]
