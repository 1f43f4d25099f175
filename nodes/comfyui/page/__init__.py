"""What the page asks of the server, without HTTP: a dictionary in, a JSON value or a file out. Blocking.

Each module holds the answers of one part of the page.
"""

from __future__ import annotations

from .account import AccountAnswers
from .asked import Answer, Asked
from .jobs import JobAnswers
from .models import ModelAnswers
from .nodes import NodeAnswers
from .settings import SettingsAnswers
from .texts import TextAnswers


class Page(AccountAnswers, JobAnswers, ModelAnswers, NodeAnswers, SettingsAnswers, TextAnswers):
    """The server's side of the page: every route is answered by the method of its name."""


__all__ = ["Answer", "Asked", "Page"]
