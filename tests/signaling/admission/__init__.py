"""Tests of the door of a lesson."""
