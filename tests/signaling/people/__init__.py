"""Tests of people: sheets, rights, accounts, devices."""
