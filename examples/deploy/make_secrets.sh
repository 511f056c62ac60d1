#!/bin/sh
# Create the secrets of the compose files in secrets/, unless there are some.
#
# The folder is private, so that no other user of this machine reaches the files. The files are
# readable, since the users within the containers have other ids.
set -eu
cd "$(dirname "$0")"
mkdir -m 700 secrets
openssl rand -base64 32 > secrets/burndown.key
openssl rand -hex 24 > secrets/postgres_password
printf '[burndown]\npassword=%s\n' "$(openssl rand -hex 24)" > secrets/pg_service.conf
chmod 644 secrets/*
