"""From a need to machines and disks."""
