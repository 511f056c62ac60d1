"""The files of the old dashboard, read into documents.

::

    json_files         values of files
    folders            which folders hold profiles and queries
    profile_formats    a profile in each format it was written in
    query_formats      a query and its data in each format
    snapshot_formats   weekly metrics in each format
    sidecar_files      fields that the old formats cannot hold
    query_files        the data files of a query
    registry           which profiles exist, and which is active
    workspace          all profiles and queries
    leftovers          files that belong to none
    workspace_reader   complete documents of the models
"""
