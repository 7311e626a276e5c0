"""Recorded answers of real providers, replayed through the gateway and read by the official SDKs.

`reduce_*` say what a recording holds, independently of the gateway; `clients` say what an SDK got;
`server` is the provider; `table` counts. `../replay.py` runs it all."""
