"""Topologies from published graphs: a graph file or a topohub name, and a policy for what the graph lacks."""
