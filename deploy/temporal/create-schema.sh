#!/bin/sh
# Creates Temporal's two databases in PostgreSQL and brings their schemas up to date, and creates the register's, which
# brings its own schema up to date. Safe to run again.
# temporal-sql-tool takes the server's address and the credentials from SQL_*.
set -eu

while read -r database schema; do
    temporal-sql-tool --db "$database" create-database
    temporal-sql-tool --db "$database" setup-schema -v 0.0
    temporal-sql-tool --db "$database" update-schema --schema-name "postgresql/v12/$schema/versioned"
done <<END
temporal temporal
temporal_visibility visibility
END

temporal-sql-tool --db orderpipe create-database
