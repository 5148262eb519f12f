"""Tests of the whole house, named by the behaviour that they hold."""
