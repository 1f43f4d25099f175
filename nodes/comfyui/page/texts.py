"""Texts in the person's language."""

from __future__ import annotations

from ...app.catalogue.here import HERE
from ...core.docs.glossary import ENGLISH, languages
from ...core.texts import messages
from ..collect import COLLECT
from ..prompts import PROMPTS
from ..saving.node import SAVE
from .asked import Answer, Answers, Asked


class TextAnswers(Answers):
    """The page's own texts, and the help pages."""

    def messages(self, asked: Asked) -> Answer:
        """Return the texts of the language nearest to ``locale``."""
        language, texts = messages(str(asked.get("locale", "")))
        return {"locale": language, "messages": texts}

    def help(self, asked: Asked) -> str | None:
        """Return the help page of ``node`` in ``language``, in Markdown; None where there is none such."""
        from ...core.docs.help_page import help_page

        nodes = (*HERE.models(), COLLECT, SAVE, PROMPTS)
        node = next((node for node in nodes if node.node_id == asked.get("node")), None)
        language = str(asked.get("language", ENGLISH))
        return help_page(node, language) if node and language in languages() else None
