"""The management API: flags, segments, revisions and keys over HTTP."""
