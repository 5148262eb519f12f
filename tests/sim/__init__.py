"""Lessons over emulated links in virtual time, under the policy that production runs."""
