"""Tests of the bitrate policy."""
