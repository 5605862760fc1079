"""Servers on loopback that behave as Dataverse, the ISIC Archive, Zenodo, a mirror and a proxy do.

Real HTTP over real sockets, with the habits of each that trouble careless clients, and faults that
a test puts in the way of a file, one per request, in order.
"""
