"""Carbon points: methodologies, earning, codes, the ledger of points, redemption and vouchers."""
