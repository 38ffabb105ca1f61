"""Graphs as they are published, small enough to work out by hand."""

# Topology Zoo's dialect: directed 0 or 1, coordinates, a node of another network, a hyperedge, link speeds in bit/s.
ZOO_GRAPHML = """<?xml version="1.0" encoding="utf-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
  <key attr.name="label" attr.type="string" for="node" id="l"/>
  <key attr.name="Latitude" attr.type="double" for="node" id="y"/>
  <key attr.name="Longitude" attr.type="double" for="node" id="x"/>
  <key attr.name="Internal" attr.type="int" for="node" id="i"/>
  <key attr.name="hyperedge" attr.type="int" for="node" id="h"/>
  <key attr.name="LinkSpeedRaw" attr.type="double" for="edge" id="s"/>
  <graph edgedefault="undirected">
    <node id="0"><data key="l">West</data><data key="y">0</data><data key="x">0</data><data key="i">1</data></node>
    <node id="1"><data key="l">East</data><data key="y">0</data><data key="x">30</data><data key="i">1</data></node>
    <node id="2"><data key="l">None</data><data key="h">1</data></node>
    <node id="3"><data key="l">Peer</data><data key="i">0</data></node>
    <edge source="0" target="2"><data key="s">10000000000.0</data></edge>
    <edge source="2" target="1"/>
    <edge source="1" target="3"/>
  </graph>
</graphml>
"""

# As the Zoo writes GML: labels that repeat, an edge that stands twice without the file saying it is a multigraph.
ZOO_GML = """graph [
  directed 0
  node [
    id 0
    label "Paris"
    Latitude 48.85
    Longitude 2.35
  ]
  node [
    id 1
    label "Paris"
    Latitude 48.9
    Longitude 2.4
  ]
  node [
    id 2
    label "M&#252;nchen"
  ]
  edge [
    source 0
    target 1
    LinkSpeedRaw 1000000000.0
  ]
  edge [
    source 0
    target 1
    LinkSpeedRaw 2000000000.0
  ]
  edge [
    source 1
    target 2
  ]
]
"""
