"""What providers sell: machines, disks and prices."""
