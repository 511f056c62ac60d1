"""The files of the old dashboard, read into documents.

::

    json_files         bytes into values
    folders            which folders hold profiles and queries
    field_values       what an invalid value can mean
    conversion         invalid values, converted or kept aside
    profile_formats    a profile in each format it was written in
    query_formats      a query and its data in each format
    snapshot_formats   weekly metrics in each format
    sidecar_files      fields that the old formats cannot hold
    query_files        the data files of a query
    registry           which profiles exist, and which is active
    unique_names       names that clash or are too long
    workspace          all profiles and queries
    leftovers          files that belong to none
    workspace_reader   complete documents of the models
"""
