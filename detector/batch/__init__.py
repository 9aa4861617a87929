"""Many pairs: tables of them scored in shards, by processes of one machine or by a cluster."""
