"""Checking input files before anything is made from them: every fault, with its place."""
