"""The live catalogue: found, added, kept up with. What the page and the shell both ask for."""
