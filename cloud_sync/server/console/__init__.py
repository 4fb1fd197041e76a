"""The operators' console: pages for guards, the office and engineers, in Chinese and English."""
