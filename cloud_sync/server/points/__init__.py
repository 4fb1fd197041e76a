"""Points and vouchers in the cloud."""
