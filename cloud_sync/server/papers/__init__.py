"""Papers: certificates, statements and reports that people carry away, as PDF and XLSX, and how they are verified."""
