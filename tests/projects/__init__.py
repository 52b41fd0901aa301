"""Projects that differ from the usual one: settings, each run in processes of its own."""
