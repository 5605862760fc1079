"""Files from servers and mirrors into a folder: resumed, checked, and only then named.

Why own code on top of httpx: of the maintained downloaders, pooch does not resume; pypdl asks with
HEAD first, keeps fixed segments without saying of which state of the file they are, and knows
neither Retry-After nor an error page that is sent as a file. Dataverse needs all of these.
"""
