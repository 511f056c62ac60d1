"""Files on disk: private, written atomically and flushed.

::

    errors          errors of the system as StorageError
    paths           look at, make and remove files and folders, without following links
    reading         open a file below a folder, without following links; digests
    checksums       whether a copy is as it was made
    atomic          a file or folder that is complete or absent
    working_folder  a private folder to build something in
    sqlite_files    which files belong to a SQLite database
    locks           a lock between threads and processes
    changes         the changes of one call to a folder, and whether they are possible
    journal         the commit of changes to several files
    transaction     a folder whose files change atomically

Nothing here depends on the content of the files.
"""
