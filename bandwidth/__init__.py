"""The bitrate policy: pure numpy over columns, no clock, no I/O."""
