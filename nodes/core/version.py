"""The pack's version and how it names itself to servers."""

VERSION = "0.1.0"
USER_AGENT = f"runcomfy-models/{VERSION}"
