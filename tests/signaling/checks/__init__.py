"""Tests of the checks of the line."""
