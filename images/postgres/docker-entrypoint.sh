#!/bin/bash
# Makes the database where there is none yet, then becomes the server. Knows what the lab uses of the upstream
# image: POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB, POSTGRES_INITDB_ARGS, PGDATA.
set -euo pipefail

if [ "$1" = postgres ] && [ ! -s "$PGDATA/PG_VERSION" ]; then
  # One that was cut short is begun again: only a whole one gets its name.
  fresh=$PGDATA.fresh
  rm -rf "$fresh"
  # shellcheck disable=SC2086  # several arguments, as upstream
  initdb --pgdata "$fresh" --username "$POSTGRES_USER" --pwfile <(printf '%s\n' "$POSTGRES_PASSWORD") \
    --auth-local trust $POSTGRES_INITDB_ARGS
  echo 'host all all all scram-sha-256' >>"$fresh/pg_hba.conf"
  echo "listen_addresses = '*'" >>"$fresh/postgresql.conf"
  # The server answers on a socket of its own until the database is there.
  pg_ctl --pgdata "$fresh" --wait --options "-c listen_addresses='' -k /tmp" start
  [ "$POSTGRES_DB" = postgres ] || createdb --host /tmp --username "$POSTGRES_USER" "$POSTGRES_DB"
  pg_ctl --pgdata "$fresh" --wait --mode fast stop
  mv "$fresh" "$PGDATA"
fi
exec "$@"
