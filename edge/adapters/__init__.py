"""What touches the world: cameras, controllers, disks and sockets, each behind a port."""
