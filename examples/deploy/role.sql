-- Run by the image of PostgreSQL when it creates the cluster: the dashboard is no superuser.
\set password `sed -n 's/^password=//p' /run/secrets/pg_service.conf`
CREATE ROLE burndown LOGIN PASSWORD :'password';
CREATE DATABASE burndown OWNER burndown;
