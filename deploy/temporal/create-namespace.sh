#!/bin/sh
# Creates the namespace $TEMPORAL_NAMESPACE and the search attributes that orders carry. Safe to run again.
# Temporal's own tool takes the server's address from TEMPORAL_ADDRESS.
set -eu

# Tries for two minutes: a server that has just come up refuses its first calls.
patiently() {
    tries=60
    until "$@"; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || { echo "gave up: $*" >&2; return 1; }
        sleep 2
    done
}

patiently temporal operator cluster health

# An order's record after retention is the register's; the history serves the Web UI and resets.
temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1 ||
    temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention 30d

# A new namespace is known to every part of the server only after its caches have turned over.
patiently temporal operator search-attribute list --namespace "$TEMPORAL_NAMESPACE" >/dev/null

temporal operator search-attribute create --namespace "$TEMPORAL_NAMESPACE" \
    --name OrderState --type Keyword \
    --name OrderRevision --type Int \
    --name ExternalId --type Keyword \
    --name CustomerId --type Keyword \
    --name Channel --type Keyword \
    --name Offerings --type KeywordList \
    --name WaitsFor --type KeywordList \
    --name FalloutSilos --type KeywordList \
    --name InJeopardy --type Bool \
    --name Jeopardy --type Keyword \
    --name PromisedAt --type Datetime \
    --name Problem --type Keyword
