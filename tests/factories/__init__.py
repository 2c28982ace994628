"""Makers of test data, shared by all tests."""
