"""The commands of the catalogue: models are found, added, removed, brought up to date, and checked."""
