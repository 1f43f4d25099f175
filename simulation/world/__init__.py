"""The world around the pack: time, threads, processes, the network, the provider and the disk, all of one seed."""
