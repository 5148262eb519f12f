"""Tests of the media plane's Python face, over loopback."""
