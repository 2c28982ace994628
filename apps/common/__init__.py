"""Django without business: fields, locks, leases, heartbeats, NOTIFY, COPY, partitions, the daemon loop, API bases."""
