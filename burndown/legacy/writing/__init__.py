"""Documents, written to the files of the old dashboard.

::

    json_files         values into bytes
    query_files        the data files of a query
    registry_entry     a profile's entry in the registry
    workspace_writer   the changes to a workspace
"""
