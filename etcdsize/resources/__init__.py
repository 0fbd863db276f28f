"""What a load takes of every member: the measured model, beside the guide's tiers."""
