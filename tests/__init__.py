"""Tests. (A package: one of the packages that tests install brings a top-level "tests" of its own, which must not win.)"""
