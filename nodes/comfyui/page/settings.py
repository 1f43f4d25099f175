"""The settings that a person may change on the page."""

from __future__ import annotations

import os

from ...core.config.preferences import read_preferences, store_preferences
from .asked import Answer, Answers, Asked


class SettingsAnswers(Answers):
    """Budget, kept files and kept inputs. Runs follow a change from the next one on."""

    def settings(self, _: Asked) -> Answer:
        """Return the value of each setting and what it comes from: the environment, the page or its default.

        Raises:
            ConfigError: a variable, or what the page stored, cannot be read.
        """
        return {name: one.payload() for name, one in read_preferences(os.environ, self._folder()).items()}

    def store_settings(self, asked: Asked) -> Answer:
        """Store what has changed; None takes a setting back to its default.

        Raises:
            ConfigError: no such setting or value, or an environment variable sets it.
        """
        store_preferences(os.environ, self._folder(), asked)
        return self.settings({})
