"""What a node says of itself in each language: labels, tooltips, help. The folders of ``locales`` are the list."""
