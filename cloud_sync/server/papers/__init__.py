"""Papers that leave the house: PDF, XLSX and QR codes."""
