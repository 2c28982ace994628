"""Bases of the REST interface: views with roles, strict input, cursor pages, problem details, OpenAPI.

Settings name modules of this package while REST framework is being imported, so nothing is re-exported here.
"""
