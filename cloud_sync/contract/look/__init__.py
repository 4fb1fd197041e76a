"""The look that the console and the hut's page share: tokens, faces, icons and the number-plate chip."""
