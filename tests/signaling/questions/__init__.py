"""Tests of the list of questions."""
