"""The life of one paid job. The only room of the core that awaits."""
